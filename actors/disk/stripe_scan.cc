// Finding stripes in member files without any index: by the headers, wherever one is readable.

#include <algorithm>

#include "actors/disk/core.h"
#include "actors/disk/set_reader.h"
#include "base/drive_calls.h"

namespace kura::disk {
namespace {

constexpr uint64_t kHeaderReadBytes = 512;  // Most headers; longer ones are read again.
constexpr uint64_t kWindowBytes = 256 * kKiB;

struct Walk {
  std::shared_ptr<DiskCore> core;
  SegmentSet set;
};

// The header at `offset` of one member; none when there is no valid one.
Task<Result<std::optional<StripeHeader>>> header_at(const Walk& walk, uint32_t member,
                                                    uint64_t offset) {
  const SetId id = walk.set.id;
  auto bytes = co_await read_member(walk.core, id, member, offset, kHeaderReadBytes);
  if (!bytes) co_return fail(bytes.error());
  if (bytes->size() < kShardAlignBytes) co_return std::optional<StripeHeader>();
  const uint64_t length = stripe_header_length(*bytes);
  if (length > bytes->size()) {
    bytes = co_await read_member(walk.core, id, member, offset, length);
    if (!bytes) co_return fail(bytes.error());
  }
  auto header = decode_stripe(*bytes);
  if (!header && header.error().code == Errc::unsupported) co_return fail(header.error());
  const bool right = header && header->set == id && header->member == member &&
                     header->offset == offset && header->data_shards == walk.set.data_shards &&
                     header->parity_shards == walk.set.parity_shards &&
                     is_of(*header, walk.set.incarnation);
  co_return right ? std::optional<StripeHeader>(*header) : std::nullopt;
}

// As header_at, of the first member that has one. Errors: when no member could be read.
Task<Result<std::optional<StripeHeader>>> any_header_at(const Walk& walk, uint64_t offset) {
  std::optional<Error> error;
  bool readable = false;
  for (uint32_t i = 0; i < walk.set.members.size(); ++i) {
    auto header = co_await header_at(walk, i, offset);
    if (header && *header) co_return header;
    if (!header && header.error().code == Errc::unsupported) co_return header;
    readable = readable || header.has_value();
    if (!header) error = header.error();
  }
  if (!readable && error) co_return fail(Errc::unavailable, error->detail);
  co_return std::optional<StripeHeader>();
}

// The first valid header that begins in [from, to).
Task<Result<std::optional<StripeHeader>>> search(const Walk& walk, uint64_t from, uint64_t to) {
  std::set<uint64_t> places;
  for (uint32_t i = 0; i < walk.set.members.size(); ++i) {
    auto bytes = co_await read_member(walk.core, walk.set.id, i, from, to - from);
    if (!bytes) continue;
    for (uint64_t at = 0; at + kShardAlignBytes <= bytes->size(); at += kShardAlignBytes)
      if (looks_like_stripe(std::string_view(*bytes).substr(at, kShardAlignBytes)))
        places.insert(from + at);
  }
  for (uint64_t place : places) {
    auto header = co_await any_header_at(walk, place);
    if (!header || *header) co_return header;
  }
  co_return std::optional<StripeHeader>();
}

}  // namespace

Task<Result<std::optional<StripeHeader>>> find_stripe(std::shared_ptr<DiskCore> core, SetId set,
                                                      uint64_t from, uint64_t until) {
  const auto state = core->ledger.state();
  auto known = state->sets.find(set);
  if (known == state->sets.end()) co_return fail(Errc::not_found, "no such set");
  const Walk walk{core, known->second};
  // Behind a stripe comes the next of the same body, or another body at the next block.
  uint64_t at = from;
  if (at < until) {
    auto header = co_await any_header_at(walk, at);
    if (!header || *header) co_return header;
    at = align_up(at, kBlockBytes);
    if (at != from && at < until) {
      header = co_await any_header_at(walk, at);
      if (!header || *header) co_return header;
    }
  }
  // A hole of an aborted body, or headers that are damaged in every member.
  for (at = from; at < until; at += kWindowBytes) {
    auto header = co_await search(walk, at, std::min(at + kWindowBytes, until));
    if (!header || *header) co_return header;
  }
  co_return std::optional<StripeHeader>();
}

Task<Result<std::optional<StripeHeader>>> locate_stripe(std::shared_ptr<DiskCore> core, SetId set,
                                                        uint64_t offset) {
  uint64_t at = kFirstStripeOffset;
  while (at <= offset) {
    auto header = co_await find_stripe(core, set, at, offset + 1);
    if (!header || !*header || (*header)->end() > offset) co_return header;
    at = (*header)->end();
  }
  co_return std::optional<StripeHeader>();
}

}  // namespace kura::disk
