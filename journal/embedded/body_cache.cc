#include "journal/embedded/body_cache.h"

#include <algorithm>

namespace kura::journal {

void BodyCache::add(const std::vector<Record>& records, const std::vector<Offset>& offsets) {
  auto block = std::make_shared<Block>();
  uint64_t bytes = 0, bodies = 0;
  for (const Record& record : records) {
    bytes += record.body.size();
    bodies += !record.body.empty();
  }
  if (bodies == 0 || bytes > bytes_max_) return;
  block->bodies.reserve(bytes);
  block->entries.reserve(bodies);
  for (size_t i = 0; i < records.size(); ++i) {
    const std::string& body = records[i].body;
    if (body.empty()) continue;
    block->entries.push_back({offsets[i].value, static_cast<uint32_t>(block->bodies.size()),
                              static_cast<uint32_t>(body.size())});
    block->bodies += body;
  }
  std::lock_guard lock(mutex_);
  blocks_.push_back(std::move(block));
  bytes_ += bytes;
  while (bytes_ > bytes_max_) {
    bytes_ -= blocks_.front()->bodies.size();
    blocks_.pop_front();
  }
}

bool BodyCache::find(Offset offset, uint64_t length_bytes, std::string* out) const {
  std::shared_ptr<const Block> block;
  {
    std::lock_guard lock(mutex_);
    auto after = std::upper_bound(
        blocks_.begin(), blocks_.end(), offset.value,
        [](uint64_t value, const auto& b) { return value < b->entries.front().offset; });
    if (after == blocks_.begin()) return false;
    block = *std::prev(after);
  }
  auto entry = std::lower_bound(block->entries.begin(), block->entries.end(), offset.value,
                                [](const Entry& e, uint64_t value) { return e.offset < value; });
  if (entry == block->entries.end() || entry->offset != offset.value) return false;
  if (entry->length != length_bytes) return false;
  out->assign(block->bodies, entry->at, entry->length);
  return true;
}

uint64_t BodyCache::size_bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace kura::journal
