// The fold of one partition's head: which records count (journal/PROTOCOL.md, section 2).
//
// Pure and the same for every reader. Without any one of these rules there are histories in which a
// write is lost or counts twice.

#pragma once

#include <cstdint>

#include "base/ids.h"
#include "journal/record.h"

namespace kura::journal {

// Who owns a partition and what the next owner must assume. Starts dead at epoch 0.
struct PartitionHead {
  Epoch epoch;
  WriterId writer;
  uint64_t next_seq = 1;
  bool dead = true;       // The epoch has ended: only a claim counts.
  uint32_t lease_ms = 0;  // Of the claim of this epoch.
  bool opened = false;    // The writer has shown that its wait is over.
  uint32_t wait_ms = 0;   // How long the next claimant must stay silent.
  Offset visible;         // An open owner has folded everything up to here (section 8).

  bool operator==(const PartitionHead&) const = default;
};

enum class Verdict : uint8_t {
  effective = 1,    // It counts: apply it. Final when first given.
  void_record = 2,  // It never counts.
  repeat = 3,       // A second copy of a record that was judged before: dropped.
};

// Judges the next record of the partition, in log order, and moves the head. Records of other
// partitions must not be given. A repeat whose bytes differ from the first copy is for the caller
// to alarm about; it is dropped all the same.
Verdict fold_head(PartitionHead& head, const Record& record);

}  // namespace kura::journal
