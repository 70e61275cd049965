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

namespace kura::disk {

// One or more stripes that lie one behind the other: what each member file gets from `offset` to
// `end`. Owns or keeps alive everything that its pieces point at.
struct CodedRun {
  uint64_t offset = 0;
  uint64_t end = 0;
  std::vector<std::vector<std::string_view>> members;  // Pieces to write, by member index.
  std::vector<std::shared_ptr<const void>> owned;
};

// What headers of one writer share.
struct StripeOwner {
  SetId set;
  WriterId incarnation;
};

// All of `plain` as rows of a STRIPED extent from `offset` on.
std::shared_ptr<const CodedRun> code_striped(const Code& code, const StripeOwner& owner,
                                             uint64_t reservation, uint64_t offset,
                                             uint64_t piece_bytes,
                                             std::shared_ptr<const std::string> plain);

// One stripe of a packing plan; `bodies` is indexed by PackedSlot::item.
std::shared_ptr<const CodedRun> code_packed(
    const Code& code, const StripeOwner& owner, uint64_t offset, const PackedStripe& stripe,
    const std::vector<std::shared_ptr<const std::string>>& bodies);

// Several runs, ascending and not overlapping, as one: gaps between them become zeros.
// REQUIRES: gaps below kBlockBytes.
std::shared_ptr<const CodedRun> join(const std::vector<std::shared_ptr<const CodedRun>>& runs);

}  // namespace kura::disk
