#include "projections/metadata/overlay.h"

#include "base/check.h"

namespace kura {

Result<std::optional<std::string>> KvRows::get(std::string_view key) { return kv_->get(key); }

Result<std::vector<Row>> KvRows::scan(std::string_view prefix, size_t rows_max) {
  std::vector<Row> out;
  std::unique_ptr<KvIterator> it = kv_->iterate();
  for (it->seek(prefix); it->valid() && out.size() < rows_max; it->next()) {
    if (!it->key().starts_with(prefix)) break;
    out.push_back({std::string(it->key()), std::string(it->value())});
  }
  if (Result<void> outcome = it->outcome(); !outcome) return fail(outcome.error());
  return out;
}

Result<std::optional<std::string>> Overlay::get(std::string_view key) {
  auto it = rows_.find(key);
  if (it != rows_.end()) return it->second.value;
  return below_->get(key);
}

Result<std::vector<Row>> Overlay::scan(std::string_view prefix, size_t rows_max) {
  auto own = rows_.lower_bound(prefix);
  size_t own_rows = 0;
  for (auto it = own; it != rows_.end() && it->first.starts_with(prefix); ++it) ++own_rows;
  // Each of our rows hides at most one row below.
  const size_t below_max = rows_max > SIZE_MAX - own_rows ? SIZE_MAX : rows_max + own_rows;
  Result<std::vector<Row>> below = below_->scan(prefix, below_max);
  if (!below || own_rows == 0) return below;

  std::vector<Row> out;
  auto theirs = below->begin();
  while (out.size() < rows_max && (own_rows > 0 || theirs != below->end())) {
    if (own_rows == 0 || (theirs != below->end() && theirs->key < own->first)) {
      out.push_back(std::move(*theirs++));
      continue;
    }
    if (theirs != below->end() && theirs->key == own->first) ++theirs;
    if (own->second.value) out.push_back({own->first, *own->second.value});
    ++own;
    --own_rows;
  }
  return out;
}

void Overlay::put(std::string key, std::string value) { write(std::move(key), std::move(value)); }

void Overlay::remove(std::string key) { write(std::move(key), std::nullopt); }

void Overlay::write(std::string key, std::optional<std::string> value) {
  auto [it, inserted] = rows_.try_emplace(std::move(key));
  if (begun_ && (inserted || it->second.tag != tag_)) {
    if (inserted)
      before_.emplace_back(it, std::nullopt);
    else
      before_.emplace_back(it, std::move(it->second));
    written_.emplace_back(tag_, it->first);
  }
  it->second = {std::move(value), tag_};
}

void Overlay::begin(uint64_t tag) {
  INVARIANT(tag >= tag_, "rows are written in log order");
  tag_ = tag;
  begun_ = true;
  before_.clear();
}

void Overlay::undo() {
  for (auto& [row, before] : before_) {
    if (before)
      row->second = std::move(*before);
    else
      rows_.erase(row);
    written_.pop_back();  // Each of these rows was listed once, behind all that came before.
  }
  before_.clear();
}

void Overlay::retire(uint64_t tag) {
  before_.clear();
  while (!written_.empty() && written_.front().first <= tag) {
    auto it = rows_.find(written_.front().second);
    // A later event wrote the row again: it stays until that one is retired.
    if (it != rows_.end() && it->second.tag <= tag) rows_.erase(it);
    written_.pop_front();
  }
}

void Overlay::clear() {
  rows_.clear();
  written_.clear();
  before_.clear();
  tag_ = 0;
}

void Overlay::move_to(KvBatch& batch) {
  while (!rows_.empty()) {
    auto row = rows_.extract(rows_.begin());
    if (row.mapped().value)
      batch.put(std::move(row.key()), std::move(*row.mapped().value));
    else
      batch.remove(std::move(row.key()));
  }
  clear();
}

}  // namespace kura
