#include "projections/kv/overlaid_iterator.h"

#include <algorithm>

namespace kura {
namespace {

class OverlaidIterator final : public KvIterator {
 public:
  OverlaidIterator(std::unique_ptr<KvIterator> below, KvBatch changes)
      : below_(std::move(below)), changes_(std::move(changes)), at_(changes_.changes().size()) {}

  void seek(std::string_view key) override {
    const auto& all = changes_.changes();
    const auto found = std::lower_bound(
        all.begin(), all.end(), key,
        [](const KvBatch::Change& change, std::string_view k) { return change.key < k; });
    at_ = static_cast<size_t>(found - all.begin());
    below_->seek(key);
    skip_removed();
  }

  void next() override {
    if (!on_change()) {
      below_->next();
    } else {
      step_over_change();
    }
    skip_removed();
  }

  bool valid() const override { return on_change() || below_->valid(); }
  std::string_view key() const override { return on_change() ? change().key : below_->key(); }
  std::string_view value() const override {
    return on_change() ? std::string_view(*change().value) : below_->value();
  }
  // Of the map: behind an error of it, what would come next is not known.
  Result<void> status() const override { return below_->status(); }

 private:
  bool has_change() const { return at_ < changes_.changes().size(); }
  const KvBatch::Change& change() const { return changes_.changes()[at_]; }

  // Whether the next entry is a change rather than one of the map.
  bool on_change() const {
    if (!has_change()) return false;
    if (below_->valid()) return change().key <= below_->key();
    return below_->status().has_value();
  }

  // And over the entry that it replaces or removes.
  void step_over_change() {
    if (below_->valid() && below_->key() == change().key) below_->next();
    ++at_;
  }

  void skip_removed() {
    while (on_change() && !change().value) step_over_change();
  }

  const std::unique_ptr<KvIterator> below_;
  const KvBatch changes_;
  size_t at_;
};

}  // namespace

std::unique_ptr<KvIterator> make_overlaid_iterator(std::unique_ptr<KvIterator> below,
                                                   KvBatch changes) {
  return std::make_unique<OverlaidIterator>(std::move(below), std::move(changes));
}

}  // namespace kura
