// WrappedViews: the views of other places, each behind a Kv of the test's choice.

#pragma once

#include "node/view_places.h"
#include "tests/base/forwarding_kv.h"

namespace kura::node {

class WrappedViews : public ViewPlaces {
 public:
  explicit WrappedViews(ViewPlaces& below) : below_(below) {}
  bool exists(size_t drive) const override { return below_.exists(drive); }
  Result<std::unique_ptr<Kv>> open(size_t drive) override { return wrapped(below_.open(drive)); }
  Result<std::unique_ptr<Kv>> open_new(size_t drive) override {
    return wrapped(below_.open_new(drive));
  }
  Result<std::unique_ptr<Kv>> open_to_read(size_t drive) override {
    return wrapped(below_.open_to_read(drive));
  }
  uint64_t bytes(size_t drive) const override { return below_.bytes(drive); }
  Result<void> adopt_new(size_t drive) override { return below_.adopt_new(drive); }
  Result<void> remove_new(size_t drive) override { return below_.remove_new(drive); }
  bool holds_any(size_t drive) const override { return below_.holds_any(drive); }
  Result<void> remove(size_t drive) override { return below_.remove(drive); }

 private:
  virtual std::unique_ptr<Kv> wrap(std::unique_ptr<Kv> kv) = 0;
  Result<std::unique_ptr<Kv>> wrapped(Result<std::unique_ptr<Kv>> kv) {
    if (!kv) return kv;
    return wrap(std::move(*kv));
  }

  ViewPlaces& below_;
};

}  // namespace kura::node
