// ForwardingKv: another Kv's outside, for a test that changes or watches some of its calls.

#pragma once

#include <memory>
#include <utility>

#include "base/kv.h"

namespace kura {

class ForwardingKv : public Kv {
 public:
  explicit ForwardingKv(std::unique_ptr<Kv> below) : below_(std::move(below)) {}
  Result<std::optional<std::string>> get(std::string_view key) override { return below_->get(key); }
  Result<void> write(const KvBatch& batch) override { return below_->write(batch); }
  Result<void> flush() override { return below_->flush(); }
  std::unique_ptr<KvIterator> iterate() override { return below_->iterate(); }
  KvRoom room() const override { return below_->room(); }

 private:
  std::unique_ptr<Kv> below_;
};

}  // namespace kura
