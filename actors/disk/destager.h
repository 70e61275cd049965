// Destaging: small bodies leave the journal for stripes, so that its oldest segments can be freed.

#pragma once

#include <memory>

#include "actors/disk/body_mover.h"
#include "actors/disk/live_bodies.h"
#include "journal/journal.h"

namespace kura::disk {

// Moves the live inline bodies of records in [from, below), reading about `bytes_max` of journal.
// Returns the offset below which no body is left in the journal, at most `below`.
// REQUIRES: every record below `below` is folded. On the pool's loop; the journal is read on
// `journal_loop`. Errors: those of the journal,
// of writing and of the moves; unsupported (an event that this build does not know). Nothing is
// lost by an error: call again.
Task<Result<Offset>> destage(std::shared_ptr<DiskCore> core, const LiveBodies& live,
                             BucketWriter& buckets, journal::Journal& journal, Loop& journal_loop,
                             Offset from, Offset below, uint64_t bytes_max);

}  // namespace kura::disk
