// Plain bytes, what a client sees, and stored bytes, what the store keeps: how one becomes the
// other, and which stored bytes a range of plain bytes needs. Pure.
//
// Everything that reads or writes a body goes through here, so a transform that changes the length
// (encryption) needs no change elsewhere. TEST_PADDING proves it: after every 64 KiB of plain
// bytes, and after a shorter last block, it writes 16 bytes that reading verifies.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/blob_store.h"
#include "base/result.h"
#include "object.pb.h"

namespace kura::s3 {

inline constexpr uint64_t kTransformBlockBytes = 64 * 1024;
inline constexpr uint64_t kTransformPadBytes = 16;

// Errors: unsupported for a transform that this build does not know.
Result<void> check_transform(const v1::Envelope& envelope);

uint64_t stored_bytes(v1::Envelope::Transform transform, uint64_t plain_bytes);

// The stored bytes that reading `plain` needs: whole blocks where the transform has blocks.
// REQUIRES: `plain` lies within `plain_bytes`.
ByteRange stored_range(v1::Envelope::Transform transform, uint64_t plain_bytes, ByteRange plain);

// Makes stored bytes from plain ones, front to back.
class Encoder {
 public:
  explicit Encoder(v1::Envelope::Transform transform) : transform_(transform) {}
  std::string feed(std::string plain);
  std::string finish();  // What is still to come after the last plain byte.

 private:
  v1::Envelope::Transform transform_;
  uint64_t plain_bytes_ = 0;  // Taken so far.
};

// Makes the plain bytes of `plain` from the bytes of stored_range(transform, plain_bytes, plain).
class Decoder {
 public:
  Decoder(v1::Envelope::Transform transform, uint64_t plain_bytes, ByteRange plain);
  // Errors: corrupt.
  Result<std::string> feed(std::string stored);
  // After the last stored byte. Errors: corrupt when bytes are missing.
  Result<void> finish() const;

 private:
  Result<void> take_pad(std::string_view& stored);

  v1::Envelope::Transform transform_;
  uint64_t plain_bytes_;
  uint64_t position_;     // Plain offset of the next plain byte that arrives.
  uint64_t begin_, end_;  // Of the range asked for.
  bool in_pad_ = false;   // The block before position_ is complete, its pad is not.
  std::string pad_;       // Pad bytes of the current block that have arrived.
};

}  // namespace kura::s3
