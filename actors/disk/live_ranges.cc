#include "actors/disk/live_ranges.h"

#include <algorithm>

#include "actors/disk/geometry.h"

namespace kura::disk {
namespace {

constexpr uint32_t kPage = 1000;

}  // namespace

Result<LiveRanges> LiveRanges::of(const LiveBodies& live, const ControlState& state,
                                  const SegmentSet& set) {
  LiveRanges out;
  std::string after;
  do {
    auto page = live.bodies_in(set.id, after, kPage);
    if (!page) return fail(page.error());
    for (const auto& place : page->bodies) out.add(set, place.from());
    after = page->next;
  } while (!after.empty());
  for (const Snapshot& snapshot : state.snapshots) out.add(set, snapshot.body);
  for (const auto& piece : state.archived) out.add(set, piece->body);
  return out;
}

void LiveRanges::add(const SegmentSet& set, const v1::Body& body) {
  for (const v1::Extent& extent : body.extents()) {
    if (extent.set() != set.id.value || extent.stored_bytes() == 0) continue;
    const uint64_t bytes =
        extent.layout() == v1::Extent::PACKED
            ? extent.stored_bytes()
            : Striping{set.data_shards, extent.piece_bytes(), extent.stored_bytes()}.member_bytes();
    uint64_t& end = ranges_[extent.offset()];
    end = std::max(end, extent.offset() + bytes);
  }
}

bool LiveRanges::touches(uint64_t begin, uint64_t end) const {
  for (const auto& [from, to] : ranges_) {
    if (from >= end) return false;
    if (to > begin) return true;
  }
  return false;
}

uint64_t LiveRanges::end() const {
  uint64_t end = 0;
  for (const auto& [from, to] : ranges_) end = std::max(end, to);
  return end;
}

void LiveRanges::cover(uint64_t begin, uint64_t end) {
  for (auto it = ranges_.begin(); it != ranges_.end() && it->first < end;) {
    const auto [from, to] = *it;
    if (to <= begin) {
      ++it;
      continue;
    }
    it = ranges_.erase(it);
    if (from < begin) ranges_[from] = std::max(ranges_[from], begin);
    if (to > end) ranges_[end] = std::max(ranges_[end], to);
  }
}

}  // namespace kura::disk
