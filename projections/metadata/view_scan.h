// Passes over many rows of the view, in pieces: between two of them the loop that runs the pass
// does other work. A pass sees the view as it was when it began, whatever is written meanwhile.

#pragma once

#include <memory>

#include "base/kv.h"
#include "projections/metadata/row_hash.h"
#include "projections/metadata/view.h"

namespace kura {

// The counters of all buckets together: one ordered pass over the rows of that kind.
class CounterScan {
 public:
  explicit CounterScan(Kv& kv);  // `kv` outlives it.
  // Adds up at most `rows_max` more rows; true: that was the last. Errors: those of the view.
  Result<bool> step(size_t rows_max);
  const BucketCounters& total() const { return total_; }

 private:
  std::unique_ptr<KvIterator> it_;
  BucketCounters total_;
};

// MetadataView::digest() in pieces.
class DigestScan {
 public:
  explicit DigestScan(Kv& kv);  // `kv` outlives it.
  // Hashes at most `rows_max` more rows; true: that was the last. Errors: those of the view.
  Result<bool> step(size_t rows_max);
  ViewDigest digest() const;  // REQUIRES: step() returned true.

 private:
  std::unique_ptr<KvIterator> it_;
  RowHash hash_;
  ViewDigest digest_;
};

}  // namespace kura
