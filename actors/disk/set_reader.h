// Reading from segment sets: every byte verified, damage and missing drives mended from any k good
// members. Runs on the caller's loop.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/disk/geometry.h"
#include "actors/disk/stripe.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"
#include "projections/control/control_state.h"

namespace kura::disk {

struct DiskCore;

// One member's part of a stripe, as a read found it.
struct Shard {
  enum class State {
    good,     // Header and payload verified.
    damaged,  // Read, but wrong; or the drive says it cannot read it.
    offline,  // Its drive or file is not there now.
  };
  State state = State::offline;
  StripeHeader header;
  std::string bytes;      // Header and payload as read.
  size_t payload_at = 0;  // In `bytes`.
  std::string_view payload() const { return std::string_view(bytes).substr(payload_at); }
};

// Bytes of one member file, not verified. A drive that does not answer in time goes offline.
// Errors: unavailable, not_found, io_error, timed_out.
Task<Result<std::string>> read_member(std::shared_ptr<DiskCore> core, SetId set, uint32_t member,
                                      uint64_t offset, uint64_t bytes);

// The shard of `member` at `like.offset`, which must be as `like` says: set, geometry, layout,
// place and length.
Task<Result<Shard>> read_shard(std::shared_ptr<DiskCore> core, StripeHeader like, uint32_t member);
// As read_shard when it needs no waiting and is good.
bool try_read_shard(DiskCore& core, const StripeHeader& like, uint32_t member, Shard* out);
// The same with the payload, of like.shard_bytes, into memory of the caller; void when false.
bool try_read_payload(DiskCore& core, const StripeHeader& like, uint32_t member, char* out);

// All members of the stripe, by index.
Task<std::vector<Shard>> read_stripe(std::shared_ptr<DiskCore> core, StripeHeader like);

// Payloads of the members in `want`, from any k good shards. Errors: unavailable (offline members
// could still help), corrupt.
Result<std::vector<std::string>> mend(const StripeHeader& like, const std::vector<Shard>& shards,
                                      const std::vector<uint32_t>& want);

// What the header of a member's file must be.
SetFileHeader expected_file_header(const ClusterId& cluster, const SegmentSet& set,
                                   uint32_t member);
// What a stripe of a STRIPED extent must look like.
StripeHeader expected_row(const SegmentSet& set, const v1::Extent& extent, uint64_t row);

// The bytes of a whole PACKED extent. Errors: unavailable, corrupt.
Task<Result<std::string>> read_packed(std::shared_ptr<DiskCore> core, v1::Extent extent);

bool try_read_packed(DiskCore& core, const v1::Extent& extent, std::string* out);

// The first stripe at or behind `from` and before `until`, in any member: its header, as some
// member has it. None: there is none. Errors: unavailable (no member could be read).
Task<Result<std::optional<StripeHeader>>> find_stripe(std::shared_ptr<DiskCore> core, SetId set,
                                                      uint64_t from, uint64_t until);
// The stripe that holds byte `offset`.
Task<Result<std::optional<StripeHeader>>> locate_stripe(std::shared_ptr<DiskCore> core, SetId set,
                                                        uint64_t offset);

}  // namespace kura::disk
