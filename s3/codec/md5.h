// MD5 (RFC 1321), which S3 wants for every body as its ETag: streaming, and of several bodies at a
// time. A processor advances 16 or 32 independent digests in the lanes of its vector registers in
// the time of two or three, so digests that wait for each other cost a fraction.
//
// Pure.

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace kura::s3 {

class Md5 {
 public:
  static constexpr size_t kBlockBytes = 64;

  void update(std::string_view bytes);
  std::string finish();  // The 16 raw bytes. Once.

 private:
  friend class Md5Lanes;
  using State = std::array<uint32_t, 4>;

  // Completes the block that was begun; what is left of `bytes` starts a block, or is empty.
  std::string_view complete_block(std::string_view bytes);
  void keep_rest(std::string_view bytes);  // REQUIRES: less than a block, and none begun.

  State state_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  uint64_t size_bytes_ = 0;
  std::array<char, kBlockBytes> rest_;  // The first size_bytes_ % 64 bytes are of a block begun.
};

// `digest` is to go on with `bytes`.
struct Md5Update {
  Md5* digest;
  std::string_view bytes;
};

// As digest->update(bytes) for each. REQUIRES: no digest twice.
void md5_update_all(std::span<const Md5Update> updates);
// How many of them cost no more than a few; 1: each costs the same.
size_t md5_lanes();

}  // namespace kura::s3
