#include "journal/fold.h"

#include <algorithm>

namespace kura::journal {
namespace {

Verdict fold_claim(PartitionHead& head, const Record& claim) {
  if (claim.epoch <= head.epoch) return Verdict::void_record;
  if (claim.writer != head.writer) head.opened = false;
  head.epoch = claim.epoch;
  head.writer = claim.writer;
  head.lease_ms = claim.lease_ms;
  head.next_seq = 1;
  head.dead = false;
  // The owner before may not have waited for the lease of the owner before it.
  head.wait_ms = std::max(head.wait_ms, claim.lease_ms);
  return Verdict::effective;
}

}  // namespace

Verdict fold_head(PartitionHead& head, const Record& record) {
  if (record.kind == RecordKind::claim) return fold_claim(head, record);
  if (record.epoch != head.epoch || record.writer != head.writer || head.dead) {
    return Verdict::void_record;
  }
  if (record.seq < head.next_seq) return Verdict::repeat;
  if (record.seq > head.next_seq) {
    // Voiding this one alone would let the missing record land later and a second copy of this one
    // count behind it.
    head.dead = true;
    return Verdict::void_record;
  }
  ++head.next_seq;
  if (record.open) {
    head.opened = true;
    head.wait_ms = head.lease_ms;
    head.visible = std::max(head.visible, record.seen);
  }
  if (record.kind == RecordKind::release) {
    head.dead = true;
    if (head.opened) head.wait_ms = 0;
  }
  return Verdict::effective;
}

}  // namespace kura::journal
