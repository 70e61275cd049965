// Destaging: small bodies leave the journal for stripes, so that its oldest segments can be freed.

#pragma once

#include <memory>

#include "actors/bucket/bucket_writer.h"
#include "actors/disk/live_bodies.h"
#include "base/loop.h"
#include "journal/journal.h"

namespace kura::disk {

struct DiskCore;

// Archives the pieces of the log in [from, below) that are mostly live bodies, and moves the live
// bodies of the others, reading about `bytes_max` of journal. Returns the offset below which the
// log is needed for no body, at most `below`. REQUIRES: every record below `below` is folded. On
// the pool's loop; the journal is read on `journal_loop`. Errors: those of the journal, of writing,
// of the moves and the ledger; unsupported (an event that this build does not know). Nothing is
// lost by an error: call again.
Task<Result<Offset>> destage(std::shared_ptr<DiskCore> core, const LiveBodies& live,
                             BucketWriter& buckets, journal::Journal& journal, Loop& journal_loop,
                             Offset from, Offset below, uint64_t bytes_max);

}  // namespace kura::disk
