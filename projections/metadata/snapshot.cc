#include "projections/metadata/snapshot.h"

#include <xxhash.h>

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"
#include "projections/metadata/rows.h"

namespace kura {
namespace {

constexpr std::string_view kMagic = "KURASNAP";
constexpr uint16_t kFormat = 1;     // Of what this build writes.
constexpr uint16_t kMinReader = 1;  // Least format that a reader must know.
constexpr size_t kHeaderBytes = 8 + 2 + 2 + 8 + 8 + 8;
constexpr size_t kChunkHeadBytes = 1 + 4;
constexpr size_t kChecksumBytes = 8;
constexpr size_t kChunkBytesMax = 4 * kMiB;
constexpr char kRowsChunk = 'R';
constexpr char kEndChunk = 'E';

std::string number(uint64_t value, size_t bytes) {
  return row::encode_u64(value).substr(8 - bytes);
}

uint64_t parse_number(std::string_view bytes) {
  uint64_t out = 0;
  for (char c : bytes) out = out << 8 | static_cast<uint8_t>(c);
  return out;
}

std::string checksummed(std::string bytes) {
  return bytes += number(XXH3_64bits(bytes.data(), bytes.size()), kChecksumBytes);
}

// Whether the last 8 bytes are the checksum of those before.
bool is_checksummed(std::string_view bytes) {
  const size_t size = bytes.size() - kChecksumBytes;
  return parse_number(bytes.substr(size)) == XXH3_64bits(bytes.data(), size);
}

std::string chunk(char kind, const std::string& payload) {
  return checksummed(std::string(1, kind) + number(payload.size(), 4) + payload);
}

}  // namespace

Result<SnapshotWriter> SnapshotWriter::open(Kv& kv, uint64_t chunk_bytes) {
  SnapshotWriter out;
  out.chunk_bytes_ = std::min(chunk_bytes, kSnapshotChunkBytes);
  out.it_ = kv.iterate();
  out.it_->seek(row::position_key());
  if (!out.it_->valid() || out.it_->key() != row::position_key()) {
    if (Result<void> outcome = out.it_->outcome(); !outcome) return fail(outcome.error());
    return fail(Errc::not_found, "a view without a position");
  }
  Result<ViewPosition> position = decode_position(out.it_->value());
  if (!position) return fail(position.error());
  out.position_ = *position;
  out.it_->seek("");
  return out;
}

Result<std::string> SnapshotWriter::next() {
  if (state_ == State::end) return std::string();
  if (state_ == State::header) {
    state_ = State::rows;
    return checksummed(std::string(kMagic) + number(kFormat, 2) + number(kMinReader, 2) +
                       number(position_.offset.value, 8) + number(position_.end.value, 8));
  }
  std::string payload;
  for (; it_->valid() && payload.size() < chunk_bytes_; it_->next()) {
    payload += number(it_->key().size(), 4);
    payload += it_->key();
    payload += number(it_->value().size(), 4);
    payload += it_->value();
    ++rows_;
  }
  if (Result<void> outcome = it_->outcome(); !outcome) return fail(outcome.error());
  INVARIANT(payload.size() <= kChunkBytesMax, "a row is smaller than a record");
  hash_.add(payload);
  if (!payload.empty()) return chunk(kRowsChunk, payload);
  state_ = State::end;
  return chunk(kEndChunk, number(rows_, 8) + hash_.digest());
}

SnapshotInfo SnapshotWriter::info() const {
  INVARIANT(state_ == State::end, "the digest is known at the end");
  return {position_, rows_, hash_.digest()};
}

Result<KvBatch> SnapshotReader::add(std::string_view bytes) {
  pending_ += bytes;
  KvBatch out;
  for (;;) {
    Result<bool> taken = started_ ? take_chunk(out) : take_header();
    if (!taken) return fail(taken.error());
    if (!*taken) return out;
  }
}

Result<bool> SnapshotReader::take_header() {
  if (pending_.size() < kHeaderBytes) return false;
  const std::string_view header = std::string_view(pending_).substr(0, kHeaderBytes);
  if (!header.starts_with(kMagic)) return fail(Errc::corrupt, "no snapshot");
  if (!is_checksummed(header)) return fail(Errc::corrupt, "snapshot header");
  if (parse_number(header.substr(10, 2)) > kFormat)
    return fail(Errc::unsupported, "a snapshot of a newer build");
  info_.position = {Offset{parse_number(header.substr(12, 8))},
                    Offset{parse_number(header.substr(20, 8))}};
  pending_.erase(0, kHeaderBytes);
  started_ = true;
  return true;
}

Result<bool> SnapshotReader::take_chunk(KvBatch& out) {
  if (ended_ && !pending_.empty()) return fail(Errc::corrupt, "bytes behind a snapshot's end");
  if (pending_.size() < kChunkHeadBytes) return false;
  const uint64_t payload_bytes = parse_number(std::string_view(pending_).substr(1, 4));
  if (payload_bytes > kChunkBytesMax) return fail(Errc::corrupt, "snapshot chunk length");
  const size_t chunk_bytes = kChunkHeadBytes + payload_bytes + kChecksumBytes;
  if (pending_.size() < chunk_bytes) return false;
  const std::string_view whole = std::string_view(pending_).substr(0, chunk_bytes);
  if (!is_checksummed(whole)) return fail(Errc::corrupt, "snapshot chunk");

  const std::string_view payload = whole.substr(kChunkHeadBytes, payload_bytes);
  if (whole[0] == kRowsChunk) {
    hash_.add(payload);
    if (Result<void> ok = take_rows(payload, out); !ok) return fail(ok.error());
  } else if (whole[0] == kEndChunk && payload.size() == 24) {
    if (parse_number(payload.substr(0, 8)) != info_.rows || payload.substr(8) != hash_.digest())
      return fail(Errc::corrupt, "snapshot digest");
    ended_ = true;
  } else {
    return fail(Errc::corrupt, "snapshot chunk kind");
  }
  pending_.erase(0, chunk_bytes);
  return true;
}

Result<void> SnapshotReader::take_rows(std::string_view payload, KvBatch& out) {
  auto take = [&payload]() -> std::optional<std::string> {
    if (payload.size() < 4) return std::nullopt;
    const uint64_t size = parse_number(payload.substr(0, 4));
    if (payload.size() - 4 < size) return std::nullopt;
    std::string bytes(payload.substr(4, size));
    payload.remove_prefix(4 + size);
    return bytes;
  };
  while (!payload.empty()) {
    std::optional<std::string> key = take(), value = take();
    if (!key || !value || key->empty() || *key <= last_key_)
      return fail(Errc::corrupt, "snapshot row");
    last_key_ = *key;
    out.put(std::move(*key), std::move(*value));
    ++info_.rows;
  }
  return {};
}

Result<SnapshotInfo> SnapshotReader::finish() {
  if (!ended_) return fail(Errc::corrupt, "a snapshot without its end");
  info_.digest = hash_.digest();
  return info_;
}

}  // namespace kura
