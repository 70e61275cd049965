#include "actors/disk/set_reader.h"

#include <array>
#include <span>

#include "actors/disk/core.h"
#include "base/crc32c.h"
#include "base/drive_calls.h"

namespace kura::disk {
namespace {

// Whether a header that was read is the one at its place: all that the caller can know.
bool expects_same(const StripeHeader& like, uint32_t member, const StripeHeader& read) {
  return read.layout == like.layout && read.set == like.set && read.member == member &&
         read.data_shards == like.data_shards && read.parity_shards == like.parity_shards &&
         read.offset == like.offset && read.shard_bytes == like.shard_bytes &&
         is_of(read, like.incarnation) && read.reservations.size() == like.reservations.size();
}

uint64_t stored_length(const StripeHeader& like) {
  return stripe_header_bytes(like.reservations.size()) + like.shard_bytes;
}

// The header of a shard with this payload; none when either is not what is wanted.
std::optional<StripeHeader> verified(std::string_view header_bytes, std::string_view payload,
                                     const StripeHeader& like, uint32_t member) {
  auto header = decode_stripe(header_bytes);
  if (!header || !expects_same(like, member, *header)) return std::nullopt;
  if (crc32c(payload) != header->payload_crc32c) return std::nullopt;
  return std::move(*header);
}

Shard shard_of(std::string bytes, const StripeHeader& like, uint32_t member) {
  Shard shard{.state = Shard::State::damaged};
  const uint64_t header_bytes = stripe_header_bytes(like.reservations.size());
  if (bytes.size() != header_bytes + like.shard_bytes) return shard;
  shard.bytes = std::move(bytes);
  shard.payload_at = header_bytes;
  auto header = verified(std::string_view(shard.bytes).substr(0, header_bytes), shard.payload(),
                         like, member);
  if (!header) return shard;
  shard.state = Shard::State::good;
  shard.header = std::move(*header);
  return shard;
}

Task<Result<std::string>> read_file_range(std::shared_ptr<File> file, uint64_t offset,
                                          uint64_t bytes) {
  co_return co_await file->read(offset, bytes);
}

}  // namespace

Task<Result<std::string>> read_member(std::shared_ptr<DiskCore> core, SetId set, uint32_t member,
                                      uint64_t offset, uint64_t bytes) {
  auto file = co_await core->files.open(set, member);
  std::string out;
  if (file && (*file)->try_read(offset, bytes, &out)) co_return out;
  Result<std::string> read = file ? Result<std::string>() : fail(file.error());
  if (file) {
    Task<Result<std::string>> reading = read_file_range(*file, offset, bytes);
    read = co_await within<std::string>(std::move(reading), core->options.drive_timeout_ns);
  }
  if (!read && read.error().code == Errc::timed_out) {
    const auto state = core->ledger.state();
    auto known = state->sets.find(set);
    if (known != state->sets.end()) core->drive_failed(known->second.members[member], read.error());
  }
  co_return read;
}

Task<Result<Shard>> read_shard(std::shared_ptr<DiskCore> core, StripeHeader like, uint32_t member) {
  auto bytes = co_await read_member(core, like.set, member, like.offset, stored_length(like));
  if (bytes) co_return shard_of(std::move(*bytes), like, member);
  const Errc code = bytes.error().code;
  const bool here = code == Errc::io_error || code == Errc::corrupt;
  co_return Shard{.state = here ? Shard::State::damaged : Shard::State::offline};
}

bool try_read_shard(DiskCore& core, const StripeHeader& like, uint32_t member, Shard* out) {
  auto file = core.files.opened(like.set, member);
  std::string bytes;
  if (!file || !file->try_read(like.offset, stored_length(like), &bytes)) return false;
  *out = shard_of(std::move(bytes), like, member);
  return out->state == Shard::State::good;
}

bool try_read_payload(DiskCore& core, const StripeHeader& like, uint32_t member, char* out) {
  auto file = core.files.opened(like.set, member);
  if (!file) return false;
  std::string header(stripe_header_bytes(like.reservations.size()), '\0');
  const std::array<std::span<char>, 2> parts{header, std::span(out, like.shard_bytes)};
  return file->try_read_into(like.offset, parts) &&
         verified(header, {out, like.shard_bytes}, like, member);
}

Task<std::vector<Shard>> read_stripe(std::shared_ptr<DiskCore> core, StripeHeader like) {
  std::vector<Task<Result<Shard>>> calls;
  const uint32_t members = like.data_shards + like.parity_shards;
  for (uint32_t i = 0; i < members; ++i) calls.push_back(read_shard(core, like, i));
  // Opening a file may hang, too, hence twice the time of a read.
  auto results = co_await all_within<Shard>(std::move(calls), 2 * core->options.drive_timeout_ns);
  std::vector<Shard> shards(members);
  for (uint32_t i = 0; i < members; ++i)
    if (results[i]) shards[i] = std::move(*results[i]);
  co_return shards;
}

Result<std::vector<std::string>> mend(const StripeHeader& like, const std::vector<Shard>& shards,
                                      const std::vector<uint32_t>& want) {
  const uint32_t k = like.data_shards;
  std::vector<uint32_t> have;
  std::vector<const char*> sources;
  uint32_t offline = 0;
  for (uint32_t i = 0; i < shards.size(); ++i) {
    if (shards[i].state == Shard::State::offline) ++offline;
    if (shards[i].state != Shard::State::good || have.size() == k) continue;
    have.push_back(i);
    sources.push_back(shards[i].payload().data());
  }
  if (have.size() < k) {
    const std::string what = "set " + std::to_string(like.set.value) + " offset " +
                             std::to_string(like.offset) + ": " + std::to_string(have.size()) +
                             " of " + std::to_string(k) + " shards";
    return have.size() + offline >= k ? fail(Errc::unavailable, what) : fail(Errc::corrupt, what);
  }
  std::vector<std::string> out(want.size());
  std::vector<char*> targets;
  for (std::string& payload : out) {
    payload.resize(like.shard_bytes);
    targets.push_back(payload.data());
  }
  const Code code(k, like.parity_shards);
  code.reconstruct(have, sources, want, targets, like.shard_bytes);
  return out;
}

SetFileHeader expected_file_header(const ClusterId& cluster, const SegmentSet& set,
                                   uint32_t member) {
  return {cluster,
          set.id,
          static_cast<uint8_t>(member),
          static_cast<uint8_t>(set.data_shards),
          static_cast<uint8_t>(set.parity_shards),
          set.member_bytes};
}

StripeHeader expected_row(const SegmentSet& set, const v1::Extent& extent, uint64_t row) {
  const Striping shape{set.data_shards, extent.piece_bytes(), extent.stored_bytes()};
  StripeHeader like;
  like.layout = StripeHeader::Layout::striped;
  like.set = set.id;
  like.data_shards = static_cast<uint8_t>(set.data_shards);
  like.parity_shards = static_cast<uint8_t>(set.parity_shards);
  like.offset = extent.offset() + shape.row_offset(row);
  like.shard_bytes = static_cast<uint32_t>(shape.shard_bytes(row));
  like.used_bytes = static_cast<uint32_t>(shape.row_length(row));
  like.incarnation = set.incarnation;
  like.reservations.resize(1);  // Only their number counts here.
  return like;
}

}  // namespace kura::disk
