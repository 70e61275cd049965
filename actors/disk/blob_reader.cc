#include "actors/disk/blob_reader.h"

#include <algorithm>

#include "actors/disk/core.h"
#include "actors/disk/set_reader.h"
#include "base/drive_calls.h"

namespace kura::disk {
namespace {

constexpr uint64_t kReadBytes = kMiB;  // About so much at once from the drives, for their sake.

// One piece of a row that a read needs.
struct Piece {
  StripeHeader like;
  uint32_t member = 0;
  uint64_t skip = 0;  // In its payload.
  uint64_t bytes = 0;
  Shard shard;         // As read, or
  std::string mended;  // computed from others.
  std::string_view payload() const {
    return mended.empty() ? shard.payload() : std::string_view(mended);
  }
};

Task<Result<Shard>> read_piece(std::shared_ptr<DiskCore> core, const Piece& piece) {
  return read_shard(std::move(core), piece.like, piece.member);
}

// Fills in pieces that a plain read did not give, row by row.
Task<Result<void>> mend_pieces(std::shared_ptr<DiskCore> core, std::vector<Piece>& pieces,
                               std::vector<size_t> missing) {
  while (!missing.empty()) {
    const StripeHeader like = pieces[missing.front()].like;
    std::vector<size_t> of_row, rest;
    std::vector<uint32_t> want;
    for (size_t i : missing) {
      if (pieces[i].like.offset != like.offset) {
        rest.push_back(i);
        continue;
      }
      of_row.push_back(i);
      want.push_back(pieces[i].member);
    }
    std::vector<Shard> shards = co_await read_stripe(core, like);
    for (const Shard& shard : shards)
      if (shard.state == Shard::State::damaged) {
        core->repairs.add(like.set, like.offset);
        break;
      }
    auto mended = mend(like, shards, want);
    if (!mended) co_return fail(mended.error());
    for (size_t i = 0; i < of_row.size(); ++i) pieces[of_row[i]].mended = std::move((*mended)[i]);
    missing = std::move(rest);
  }
  co_return Result<void>();
}

class SetBlobReader final : public BlobReader {
 public:
  SetBlobReader(std::shared_ptr<DiskCore> core, v1::Body body, ByteRange range,
                std::vector<SetFiles::Pin> pins)
      : core_(std::move(core)),
        body_(std::move(body)),
        pins_(std::move(pins)),
        at_(range.offset_bytes),
        end_(range.offset_bytes + range.length_bytes) {}

  Task<Result<std::string>> next() override {
    std::string out;
    while (at_ < end_) {
      while (at_ >= extent_begin_ + extent().stored_bytes()) {
        extent_begin_ += extent().stored_bytes();
        ++extent_;
      }
      const uint64_t skip = at_ - extent_begin_;
      const uint64_t most = std::min(end_ - at_, extent().stored_bytes() - skip);
      const bool packed = extent().layout() == v1::Extent::PACKED;
      // Small extents share an answer, a large one fills it.
      if (!out.empty() && out.size() + (packed ? most : kReadBytes) > kReadBytes) break;
      Task<Result<std::string>> reading =
          packed ? packed_part(skip, most) : striped_part(skip, most);
      auto bytes = co_await std::move(reading);
      if (!bytes) co_return fail(bytes.error());
      at_ += bytes->size();
      if (out.empty())
        out = std::move(*bytes);
      else
        out += *bytes;
    }
    co_return out;
  }

 private:
  const v1::Extent& extent() const { return body_.extents(extent_); }

  Task<Result<std::string>> packed_part(uint64_t skip, uint64_t bytes) {
    std::string whole;
    if (!try_read_packed(*core_, extent(), &whole)) {
      auto read = co_await read_packed(core_, extent());
      if (!read) co_return fail(read.error());
      whole = std::move(*read);
    }
    if (skip == 0 && bytes == whole.size()) co_return whole;
    co_return whole.substr(skip, bytes);
  }

  Result<std::vector<Piece>> pieces_of(uint64_t skip, uint64_t bytes_max) const {
    const auto state = core_->ledger.state();
    auto known = state->sets.find(SetId(extent().set()));
    if (known == state->sets.end()) return fail(Errc::unavailable, "the set was dropped");
    if (extent().piece_bytes() == 0 || extent().piece_bytes() % kShardAlignBytes != 0)
      return fail(Errc::corrupt, "piece size of an extent");
    const SegmentSet& set = known->second;
    const Striping shape{set.data_shards, extent().piece_bytes(), extent().stored_bytes()};
    std::vector<Piece> pieces;
    uint64_t taken = 0;
    while (taken < bytes_max && (taken < kReadBytes || pieces.empty())) {
      const Striping::Part part = shape.part_at(skip + taken, bytes_max - taken);
      Piece piece{.like = expected_row(set, extent(), part.row)};
      piece.member = part.member;
      piece.skip = part.skip;
      piece.bytes = part.bytes;
      taken += piece.bytes;
      pieces.push_back(std::move(piece));
    }
    return pieces;
  }

  Task<Result<std::string>> striped_part(uint64_t skip, uint64_t bytes_max) {
    auto pieces = pieces_of(skip, bytes_max);
    if (!pieces) co_return fail(pieces.error());
    std::string warm = warm_part(*pieces);
    if (!warm.empty()) co_return warm;
    std::vector<Task<Result<Shard>>> calls;
    for (const Piece& piece : *pieces) calls.push_back(read_piece(core_, piece));
    auto shards = co_await all_within<Shard>(std::move(calls), 2 * core_->options.drive_timeout_ns);
    std::vector<size_t> missing;
    for (size_t i = 0; i < pieces->size(); ++i) {
      if (shards[i] && shards[i]->state == Shard::State::good)
        (*pieces)[i].shard = std::move(*shards[i]);
      else
        missing.push_back(i);
    }
    Result<void> mended = co_await mend_pieces(core_, *pieces, std::move(missing));
    if (!mended) co_return fail(mended.error());
    std::string out;
    out.reserve(bytes_of(*pieces));
    for (const Piece& piece : *pieces) out += piece.payload().substr(piece.skip, piece.bytes);
    co_return out;
  }

  // What of the front of `pieces` needs no waiting; at most kAnswerChunkBytes. Nothing unless the
  // files of all are open: a body that cannot be read is refused before its answer has begun.
  std::string warm_part(const std::vector<Piece>& pieces) const {
    std::string out;
    for (const Piece& piece : pieces)
      if (!core_->files.opened(piece.like.set, piece.member)) return out;
    out.reserve(std::min(bytes_of(pieces), kAnswerChunkBytes));
    for (const Piece& piece : pieces) {
      const size_t at = out.size();
      if (at + piece.bytes > kAnswerChunkBytes) break;
      if (piece.bytes == piece.like.shard_bytes) {
        out.resize(at + piece.bytes);
        if (try_read_payload(*core_, piece.like, piece.member, out.data() + at)) continue;
        out.resize(at);
        break;
      }
      Shard shard;
      if (!try_read_shard(*core_, piece.like, piece.member, &shard)) break;
      out += shard.payload().substr(piece.skip, piece.bytes);
    }
    return out;
  }

  static uint64_t bytes_of(const std::vector<Piece>& pieces) {
    uint64_t bytes = 0;
    for (const Piece& piece : pieces) bytes += piece.bytes;
    return bytes;
  }

  const std::shared_ptr<DiskCore> core_;
  const v1::Body body_;
  const std::vector<SetFiles::Pin> pins_;
  uint64_t at_;  // In the body.
  const uint64_t end_;
  int extent_ = 0;
  uint64_t extent_begin_ = 0;
};

}  // namespace

Result<std::unique_ptr<BlobReader>> make_blob_reader(std::shared_ptr<DiskCore> core,
                                                     const v1::Body& body, ByteRange range) {
  uint64_t stored = 0;
  std::vector<SetFiles::Pin> pins;
  std::set<SetId> sets;
  for (const v1::Extent& extent : body.extents()) {
    stored += extent.stored_bytes();
    sets.insert(SetId(extent.set()));
  }
  if (body.has_journal()) return fail(Errc::invalid_argument, "this body is in the journal");
  if (range.offset_bytes > stored || range.length_bytes > stored - range.offset_bytes)
    return fail(Errc::invalid_argument, "range outside of the body");
  // Pinned first: a set that is known after that stays.
  pins.reserve(sets.size());
  for (SetId set : sets) pins.push_back(core->files.pin(set));
  const auto state = core->ledger.state();
  size_t pinned = 0;
  for (SetId set : sets)
    if (!pins[pinned++] || !state->sets.contains(set))
      return fail(Errc::not_found, "the set was dropped");
  return std::make_unique<SetBlobReader>(std::move(core), body, range, std::move(pins));
}

Task<Result<std::string>> read_range(std::shared_ptr<DiskCore> core, v1::Body body,
                                     ByteRange range) {
  auto reader = make_blob_reader(core, body, range);
  if (!reader) co_return fail(reader.error());
  std::string out;
  out.reserve(range.length_bytes);
  for (;;) {
    if (core->stopping) co_return fail(Errc::unavailable, "stopping");
    auto some = co_await (*reader)->next();
    if (!some) co_return some;
    if (some->empty()) co_return out;
    out += *some;
  }
}

}  // namespace kura::disk
