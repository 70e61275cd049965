// Bodies in, bytes of member files out: cuts into shards, adds parity and headers. Pure.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/disk/erasure.h"
#include "actors/disk/geometry.h"
#include "actors/disk/packing.h"
#include "actors/disk/stripe.h"
#include "base/aligned_bytes.h"

namespace kura::disk {

// One or more stripes that lie one behind the other: what each member file gets from `offset` on.
// Whole blocks, for direct writes: zeros behind `end` fill the last one, and where the first stripe
// does not begin one, what lies before it does so.
struct CodedRun {
  uint64_t offset = 0;  // A multiple of kBlockBytes.
  uint64_t end = 0;
  AlignedBytes bytes;  // Of all members, one behind the other.

  uint64_t member_bytes() const { return align_up(end, kBlockBytes) - offset; }
  std::string_view member(uint32_t i) const {
    return bytes.view(i * member_bytes(), member_bytes());
  }
  // What lies in the block of `end` before it, by member.
  std::vector<std::string> tails() const;
};

// What headers of one writer share.
struct StripeOwner {
  SetId set;
  WriterId incarnation;
};

// Codes stripes into one run. Each begins at or after the end of the one before it; gaps between
// them become zeros.
class RunCoder {
 public:
  // `code` lives longer. The stripes fill [offset, end) of each member. `before`: tails() of the
  // run that ended at `offset`, if that is inside of a block.
  RunCoder(const Code& code, const StripeOwner& owner, uint64_t offset, uint64_t end,
           const std::vector<std::string>& before = {});

  // All of `plain`, one after the other, as rows of a STRIPED extent from `offset` on.
  void add_striped(ReservationId reservation, uint64_t offset, uint64_t piece_bytes,
                   const std::vector<std::string_view>& plain);
  // One stripe of a packing plan; `bodies` is indexed by PackedSlot::item.
  void add_packed(uint64_t offset, const PackedStripe& stripe,
                  const std::vector<std::shared_ptr<const std::string>>& bodies);
  std::shared_ptr<const CodedRun> finish();

 private:
  StripeHeader header_of(StripeHeader::Layout layout, uint64_t offset, uint64_t shard_bytes) const;
  char* at(uint32_t member, uint64_t offset);
  void close(StripeHeader header);
  void fill_to(uint64_t offset);

  const Code& code_;
  const StripeOwner owner_;
  std::shared_ptr<CodedRun> run_;
  uint64_t filled_;  // Offset up to which all members are complete.
};

}  // namespace kura::disk
