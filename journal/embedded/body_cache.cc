#include "journal/embedded/body_cache.h"

#include <algorithm>

namespace kura::journal {

void BodyCache::add(std::shared_ptr<const void> memory, uint64_t bytes, std::vector<Body> bodies) {
  if (bodies.empty() || bytes > bytes_max_) return;
  auto block = std::make_shared<const Block>(Block{std::move(memory), bytes, std::move(bodies)});
  std::lock_guard lock(mutex_);
  blocks_.push_back(std::move(block));
  bytes_ += bytes;
  while (bytes_ > bytes_max_) {
    bytes_ -= blocks_.front()->bytes;
    blocks_.pop_front();
  }
}

bool BodyCache::find(Offset offset, uint64_t length_bytes, std::string* out) const {
  std::shared_ptr<const Block> block;
  {
    std::lock_guard lock(mutex_);
    auto after = std::upper_bound(
        blocks_.begin(), blocks_.end(), offset,
        [](Offset value, const auto& b) { return value < b->bodies.front().offset; });
    if (after == blocks_.begin()) return false;
    block = *std::prev(after);
  }
  auto body = std::lower_bound(block->bodies.begin(), block->bodies.end(), offset,
                               [](const Body& b, Offset value) { return b.offset < value; });
  if (body == block->bodies.end() || body->offset != offset) return false;
  if (body->bytes.size() != length_bytes) return false;
  out->assign(body->bytes);
  return true;
}

uint64_t BodyCache::size_bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace kura::journal
