// MD5 in 2 x 8 lanes. Compiled with -mavx2.

#if defined(__x86_64__)

#include <immintrin.h>

#include "s3/codec/md5_rounds.h"

namespace kura::s3 {
namespace {

struct Avx2 {
  static constexpr int kLanes = 8;
  using Word = __m256i;

  static Word all(uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); }
  static Word add(Word a, Word b) { return _mm256_add_epi32(a, b); }
  // x ? y : z, bit by bit.
  static Word choose(Word x, Word y, Word z) {
    return _mm256_xor_si256(z, _mm256_and_si256(x, _mm256_xor_si256(y, z)));
  }
  static Word parity(Word x, Word y, Word z) { return _mm256_xor_si256(x, _mm256_xor_si256(y, z)); }
  static Word twist(Word x, Word y, Word z) {
    return _mm256_xor_si256(y, _mm256_or_si256(x, _mm256_xor_si256(z, _mm256_set1_epi32(-1))));
  }
  template <int kBits>
  static Word rotate(Word x) {
    return _mm256_or_si256(_mm256_slli_epi32(x, kBits), _mm256_srli_epi32(x, 32 - kBits));
  }

  // One block of each lane, as its 16 words across the lanes: two transpositions of 8 x 8 words.
  static void transpose(const char* const* at, size_t offset, Word* words) {
    for (int half = 0; half < 2; ++half) {
      Word row[8], pair[8];
      for (int l = 0; l < 8; ++l)
        row[l] = _mm256_loadu_si256(reinterpret_cast<const Word*>(at[l] + offset + 32 * half));
      for (int i = 0; i < 8; i += 2) {
        pair[i] = _mm256_unpacklo_epi32(row[i], row[i + 1]);
        pair[i + 1] = _mm256_unpackhi_epi32(row[i], row[i + 1]);
      }
      for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; ++j) {
          row[i + 2 * j] = _mm256_unpacklo_epi64(pair[i + j], pair[i + 2 + j]);
          row[i + 2 * j + 1] = _mm256_unpackhi_epi64(pair[i + j], pair[i + 2 + j]);
        }
      for (int i = 0; i < 4; ++i) {
        words[8 * half + i] = _mm256_permute2x128_si256(row[i], row[4 + i], 0x20);
        words[8 * half + 4 + i] = _mm256_permute2x128_si256(row[i], row[4 + i], 0x31);
      }
    }
  }
};

}  // namespace

const Md5Kernel kMd5Avx2{2 * Avx2::kLanes, lane_blocks<Avx2>};

}  // namespace kura::s3

#endif
