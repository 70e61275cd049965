#include "projections/metadata/row_cache.h"

namespace kura {
namespace {

constexpr size_t kEntryBytes = 128;  // Of the map, about.

}  // namespace

Result<std::optional<std::string>> RowCache::get(std::string_view key) {
  if (auto it = young_.find(key); it != young_.end()) return it->second;
  if (auto it = old_.find(key); it != old_.end()) {
    std::optional<std::string> value = std::move(it->second);
    old_.erase(it);
    learn(std::string(key), value);
    return value;
  }
  Result<std::optional<std::string>> value = below_.get(key);
  if (value) learn(std::string(key), *value);
  return value;
}

void RowCache::learn(std::string key, std::optional<std::string> value) {
  if (!old_.empty()) old_.erase(key);
  young_bytes_ += kEntryBytes + key.size() + (value ? value->size() : 0);
  young_.insert_or_assign(std::move(key), std::move(value));
  if (young_bytes_ < bytes_max_) return;
  old_ = std::move(young_);
  young_.clear();
  young_bytes_ = 0;
}

void RowCache::forget(std::string_view key) {
  for (Map* rows : {&young_, &old_})
    if (auto it = rows->find(key); it != rows->end()) rows->erase(it);
}

void RowCache::clear() {
  young_.clear();
  old_.clear();
  young_bytes_ = 0;
}

}  // namespace kura
