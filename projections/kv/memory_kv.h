// MemoryKv: a Kv in memory, for the simulator and for tests. Deterministic, and honest about
// crashes: what was not flushed can be lost.

#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "base/kv.h"

namespace kura {

class MemoryKv : public Kv {
 public:
  MemoryKv();
  ~MemoryKv() override;

  Result<std::optional<std::string>> get(std::string_view key) override;
  Result<void> write(const KvBatch& batch) override;
  Result<void> flush() override;
  std::unique_ptr<KvIterator> iterate() override;

  // Back to the last flush, then the first `batches_kept` of the batches since (at most
  // unflushed_batches(): a real store may have flushed on its own). Open iterators keep their view.
  void crash(size_t batches_kept = 0);
  size_t unflushed_batches() const;
  // Empties it, as a replaced drive would.
  void wipe();

  struct Node;  // Of the ordered tree (memory_kv.cc).
  using Tree = std::shared_ptr<Node>;

 private:
  void apply(const KvBatch& batch);

  mutable std::mutex mutex_;
  Tree root_, flushed_;
  std::vector<KvBatch> unflushed_;
};

}  // namespace kura
