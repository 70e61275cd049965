#include "sim/sim_file.h"

#include <set>

namespace kura::sim {
namespace {

Unsynced draw_fate(Unsynced policy, SimRandom& random) {
  if (policy != Unsynced::mixed) return policy;
  constexpr Unsynced kFates[] = {Unsynced::kept, Unsynced::dropped, Unsynced::torn};
  return kFates[random.pick(3)];
}

}  // namespace

void SimFile::write(uint64_t offset, const std::vector<std::string_view>& pieces) {
  Write undo{++writes, offset, 0, {}, false};
  for (std::string_view piece : pieces) undo.length += piece.size();
  if (undo.length == 0) return;
  if (content.touched(offset, undo.length)) undo.before = content.read(offset, undo.length);
  for (std::string_view piece : pieces) {
    content.write(offset, piece);
    offset += piece.size();
  }
  size = std::max(size, offset);
  unsynced.push_back(std::move(undo));
}

void SimFile::synced(uint64_t number) {
  std::erase_if(unsynced, [&](const Write& w) {
    if (w.number > number || w.doomed) return false;
    durable_size = std::max(durable_size, w.offset + w.length);
    return true;
  });
}

void SimFile::sync_failed(uint64_t number, SimRandom& random) {
  for (Write& w : unsynced)
    if (w.number <= number && random.pick(2) == 0) w.doomed = true;
}

void SimFile::crash(Unsynced policy, uint64_t sector_bytes, SimRandom& random) {
  std::set<uint64_t> pinned;  // Sectors that hold a later write, and so all before it.
  uint64_t kept_end = durable_size;
  for (auto w = unsynced.rbegin(); w != unsynced.rend(); ++w) {
    const Unsynced fate = w->doomed ? Unsynced::dropped : draw_fate(policy, random);
    for (uint64_t at = w->offset; at < w->offset + w->length;) {
      const uint64_t sector = at / sector_bytes;
      const uint64_t end = std::min((sector + 1) * sector_bytes, w->offset + w->length);
      const bool there = fate == Unsynced::kept || (fate == Unsynced::torn && random.pick(2) == 0);
      if (there) pinned.insert(sector);
      if (pinned.contains(sector)) {
        kept_end = std::max(kept_end, end);
      } else if (w->before.empty()) {
        content.write(at, std::string(end - at, '\0'));
      } else {
        content.write(at, std::string_view(w->before).substr(at - w->offset, end - at));
      }
      at = end;
    }
  }
  unsynced.clear();
  content.truncate(kept_end);
  size = durable_size = kept_end;
}

void SimFile::truncate(uint64_t new_size) {
  content.truncate(new_size);
  std::erase_if(unsynced, [new_size](const Write& w) { return w.offset >= new_size; });
  for (Write& w : unsynced) {
    if (w.offset + w.length <= new_size) continue;
    w.length = new_size - w.offset;
    if (!w.before.empty()) w.before.resize(w.length);
  }
  size = durable_size = new_size;
}

}  // namespace kura::sim
