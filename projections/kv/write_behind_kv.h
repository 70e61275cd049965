// WriteBehindKv: a Kv that gathers changes in memory and passes many batches on as one.
//
// A row costs thousands of instructions in a memtable, and of the four to five rows of an event all
// but two (counts, heads, the position) are overwritten by the next ones: gathered, they cost a
// hash look-up each, and the map below gets the last of them only.
//
// Batches go down whole and in order: what is gathered is one batch below, which the map below has
// all of or nothing. So it always holds the state after some batch, the row of the view's position
// agrees with the rows beside it, and a crash costs a somewhat longer tail of the journal.
//
// An error below is that of the write, flush or iterator that had to pass the changes on first.
// They stay gathered, are still read, and go down with the next attempt, before any later change.
// A write that fails has gathered nothing of its batch. Until rows_max or bytes_max is reached,
// writes succeed without asking the map below, so its errors show that much later.
//
// A map below that lacks room is no error but of a flush: changes are gathered on, whatever the
// limits, and iterators see them over what it holds. Whoever writes asks room() before.

#pragma once

#include <cstddef>
#include <memory>

#include "base/kv.h"

namespace kura {

// What may be gathered before it goes down; the batch that exceeds it is gathered still.
struct WriteBehindLimits {
  // Whoever writes waits while they go down, some 3 ms; 2,000 cost a tenth less by the row.
  size_t rows_max = 1000;
  size_t bytes_max = 1 << 20;        // Of keys and values, with what it costs to hold them.
  size_t kept_bytes_max = 64 << 20;  // While the map below lacks room; more: KvRoom::none.
};

// Only for a map that is written through the result alone. Its iterators and flushes pass on what
// is gathered; its end does not.
std::unique_ptr<Kv> make_write_behind_kv(std::unique_ptr<Kv> below,
                                         WriteBehindLimits limits = WriteBehindLimits());

}  // namespace kura
