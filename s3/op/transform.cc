#include "s3/op/transform.h"

#include <algorithm>

#include "base/check.h"

namespace kura::s3 {
namespace {

constexpr v1::Envelope::Transform kIdentity = v1::Envelope::IDENTITY;

uint64_t blocks_of(uint64_t plain_bytes) {
  return (plain_bytes + kTransformBlockBytes - 1) / kTransformBlockBytes;
}

// Differs from block to block, so that a pad in the wrong place is noticed.
std::string pad_of(uint64_t block) {
  std::string pad = "pad of ";
  for (int shift = 64; shift > 0; shift -= 8) pad += static_cast<char>(block >> (shift - 8));
  pad += '.';
  return pad;
}

}  // namespace

Result<void> check_transform(const v1::Envelope& envelope) {
  if (envelope.transform() == kIdentity || envelope.transform() == v1::Envelope::TEST_PADDING) {
    return {};
  }
  return fail(Errc::unsupported, "transform " + std::to_string(envelope.transform()));
}

uint64_t stored_bytes(v1::Envelope::Transform transform, uint64_t plain_bytes) {
  if (transform == kIdentity) return plain_bytes;
  return plain_bytes + blocks_of(plain_bytes) * kTransformPadBytes;
}

ByteRange stored_range(v1::Envelope::Transform transform, uint64_t plain_bytes, ByteRange plain) {
  INVARIANT(
      plain.offset_bytes <= plain_bytes && plain.length_bytes <= plain_bytes - plain.offset_bytes,
      "a range lies within its object");
  if (plain.length_bytes == 0) return {0, 0};
  if (transform == kIdentity) return plain;
  uint64_t first = plain.offset_bytes / kTransformBlockBytes;
  uint64_t behind = blocks_of(plain.offset_bytes + plain.length_bytes);
  uint64_t begin = first * (kTransformBlockBytes + kTransformPadBytes);
  uint64_t end = std::min(behind * (kTransformBlockBytes + kTransformPadBytes),
                          stored_bytes(transform, plain_bytes));
  return {begin, end - begin};
}

std::string Encoder::feed(std::string plain) {
  if (transform_ == kIdentity) return plain;
  std::string stored;
  stored.reserve(plain.size() + kTransformPadBytes * (plain.size() / kTransformBlockBytes + 1));
  std::string_view rest = plain;
  while (!rest.empty()) {
    uint64_t left = kTransformBlockBytes - plain_bytes_ % kTransformBlockBytes;
    std::string_view piece = rest.substr(0, left);
    stored += piece;
    plain_bytes_ += piece.size();
    rest.remove_prefix(piece.size());
    if (piece.size() == left) stored += pad_of(plain_bytes_ / kTransformBlockBytes - 1);
  }
  return stored;
}

std::string Encoder::finish() {
  if (transform_ == kIdentity || plain_bytes_ % kTransformBlockBytes == 0) return {};
  return pad_of(plain_bytes_ / kTransformBlockBytes);
}

Decoder::Decoder(v1::Envelope::Transform transform, uint64_t plain_bytes, ByteRange plain)
    : transform_(transform),
      plain_bytes_(plain_bytes),
      position_(plain.offset_bytes),
      begin_(plain.offset_bytes),
      end_(plain.offset_bytes + plain.length_bytes) {
  if (transform != kIdentity) position_ -= position_ % kTransformBlockBytes;
}

// Takes bytes of the pad that follows the block before position_.
Result<void> Decoder::take_pad(std::string_view& stored) {
  size_t size = std::min<size_t>(kTransformPadBytes - pad_.size(), stored.size());
  pad_ += stored.substr(0, size);
  stored.remove_prefix(size);
  if (pad_.size() < kTransformPadBytes) return {};
  if (pad_ != pad_of((position_ - 1) / kTransformBlockBytes)) {
    return fail(Errc::corrupt, "wrong padding before plain byte " + std::to_string(position_));
  }
  pad_.clear();
  in_pad_ = false;
  return {};
}

Result<std::string> Decoder::feed(std::string stored) {
  if (transform_ == kIdentity) {
    position_ += stored.size();
    if (position_ > end_) return fail(Errc::corrupt, "more stored bytes than asked for");
    return stored;
  }
  std::string plain;
  plain.reserve(stored.size());
  std::string_view rest = stored;
  while (!rest.empty()) {
    if (in_pad_) {
      if (auto taken = take_pad(rest); !taken) return fail(taken.error());
      continue;
    }
    uint64_t block_end =
        std::min((position_ / kTransformBlockBytes + 1) * kTransformBlockBytes, plain_bytes_);
    if (position_ >= plain_bytes_) return fail(Errc::corrupt, "stored bytes behind the end");
    std::string_view piece = rest.substr(0, block_end - position_);
    rest.remove_prefix(piece.size());
    uint64_t from = std::max(begin_, position_);
    uint64_t to = std::min(end_, position_ + piece.size());
    if (from < to) plain += piece.substr(from - position_, to - from);
    position_ += piece.size();
    in_pad_ = position_ == block_end;
  }
  return plain;
}

Result<void> Decoder::finish() const {
  if (position_ < end_ || in_pad_) return fail(Errc::corrupt, "stored bytes are missing");
  return {};
}

}  // namespace kura::s3
