#include "sim/sim_view.h"

namespace kura::sim {

class SimView::Handle final : public Kv {
 public:
  explicit Handle(SimView& view) : view_(view) {}
  Result<std::optional<std::string>> get(std::string_view key) override {
    if (!usable()) return gone();
    return view_.map_->get(key);
  }
  Result<void> write(const KvBatch& batch) override {
    if (!usable()) return gone();
    return view_.map_->write(batch);
  }
  Result<void> flush() override {
    if (!usable()) return gone();
    return view_.map_->flush();
  }
  std::unique_ptr<KvIterator> iterate() override { return view_.map_->iterate(); }

 private:
  bool usable() const { return view_.exists(); }
  static tl::unexpected<Error> gone() { return fail(Errc::io_error, "simulated view is gone"); }
  SimView& view_;
};

Result<std::unique_ptr<Kv>> SimView::open(bool fresh) {
  if (disk_.dead()) return fail(Errc::io_error, "simulated drive is dead");
  if (fresh || !exists()) map_->wipe();
  device_ = disk_.device();
  exists_ = true;
  return std::make_unique<Handle>(*this);
}

void SimView::crash(Unsynced policy, SimRandom& random) {
  const size_t unflushed = map_->unflushed_batches();
  size_t kept = unflushed;
  if (policy == Unsynced::dropped) kept = 0;
  if (policy == Unsynced::torn || policy == Unsynced::mixed) kept = random.pick(unflushed + 1);
  map_->crash(kept);
}

}  // namespace kura::sim
