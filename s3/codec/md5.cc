#include "s3/codec/md5.h"

// MD5's compression function alone is only in OpenSSL's older interface, where the state is open.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "s3/codec/md5_blocks.h"

namespace kura::s3 {

void md5_blocks(std::array<uint32_t, 4>* state, const char* blocks, size_t count) {
  MD5_CTX context{};
  context.A = (*state)[0];
  context.B = (*state)[1];
  context.C = (*state)[2];
  context.D = (*state)[3];
  INVARIANT(MD5_Update(&context, blocks, count * Md5::kBlockBytes) == 1, "whole blocks");
  *state = {context.A, context.B, context.C, context.D};
}

std::string_view Md5::complete_block(std::string_view bytes) {
  const size_t begun = size_bytes_ % kBlockBytes;
  if (begun == 0) return bytes;
  const size_t taken = std::min(kBlockBytes - begun, bytes.size());
  std::memcpy(rest_.data() + begun, bytes.data(), taken);
  size_bytes_ += taken;
  if (begun + taken == kBlockBytes) md5_blocks(&state_, rest_.data(), 1);
  return bytes.substr(taken);
}

void Md5::keep_rest(std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(rest_.data(), bytes.data(), bytes.size());
  size_bytes_ += bytes.size();
}

void Md5::update(std::string_view bytes) {
  bytes = complete_block(bytes);
  const size_t blocks = bytes.size() / kBlockBytes;
  if (blocks > 0) md5_blocks(&state_, bytes.data(), blocks);
  size_bytes_ += blocks * kBlockBytes;
  keep_rest(bytes.substr(blocks * kBlockBytes));
}

std::string Md5::finish() {
  const uint64_t size_bits = size_bytes_ * 8;
  const size_t begun = size_bytes_ % kBlockBytes;
  std::array<char, 2 * kBlockBytes> last{};
  std::memcpy(last.data(), rest_.data(), begun);
  last[begun] = static_cast<char>(0x80);
  const size_t blocks = begun < kBlockBytes - 8 ? 1 : 2;
  for (size_t i = 0; i < 8; ++i)
    last[blocks * kBlockBytes - 8 + i] = static_cast<char>(size_bits >> 8 * i);
  md5_blocks(&state_, last.data(), blocks);
  std::string out(16, '\0');
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(state_[i / 4] >> i % 4 * 8);
  return out;
}

}  // namespace kura::s3
