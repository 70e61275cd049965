// MD5 in 2 x 16 lanes. Compiled with -mavx512f.

#if defined(__x86_64__)

#include <immintrin.h>

#include "s3/codec/md5_rounds.h"

namespace kura::s3 {
namespace {

struct Avx512 {
  static constexpr int kLanes = 16;
  using Word = __m512i;

  static Word all(uint32_t x) { return _mm512_set1_epi32(static_cast<int>(x)); }
  static Word add(Word a, Word b) { return _mm512_add_epi32(a, b); }
  // Truth tables: bit 4x + 2y + z is the result for the bits x, y, z.
  static Word choose(Word x, Word y, Word z) { return _mm512_ternarylogic_epi32(x, y, z, 0xca); }
  static Word parity(Word x, Word y, Word z) { return _mm512_ternarylogic_epi32(x, y, z, 0x96); }
  static Word twist(Word x, Word y, Word z) { return _mm512_ternarylogic_epi32(x, y, z, 0x39); }
  template <int kBits>
  static Word rotate(Word x) {
    return _mm512_rol_epi32(x, kBits);
  }

  // One block of each lane, as its 16 words across the lanes.
  static void transpose(const char* const* at, size_t offset, Word* words) {
    Word row[16], pair[16];
    for (int l = 0; l < 16; ++l) row[l] = _mm512_loadu_si512(at[l] + offset);
    for (int i = 0; i < 16; i += 2) {
      pair[i] = _mm512_unpacklo_epi32(row[i], row[i + 1]);
      pair[i + 1] = _mm512_unpackhi_epi32(row[i], row[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
      for (int j = 0; j < 2; ++j) {
        row[i + 2 * j] = _mm512_unpacklo_epi64(pair[i + j], pair[i + 2 + j]);
        row[i + 2 * j + 1] = _mm512_unpackhi_epi64(pair[i + j], pair[i + 2 + j]);
      }
    for (int i = 0; i < 4; ++i) {
      const Word a = _mm512_shuffle_i32x4(row[i], row[4 + i], 0x88);
      const Word b = _mm512_shuffle_i32x4(row[8 + i], row[12 + i], 0x88);
      const Word c = _mm512_shuffle_i32x4(row[i], row[4 + i], 0xdd);
      const Word d = _mm512_shuffle_i32x4(row[8 + i], row[12 + i], 0xdd);
      words[i] = _mm512_shuffle_i32x4(a, b, 0x88);
      words[4 + i] = _mm512_shuffle_i32x4(c, d, 0x88);
      words[8 + i] = _mm512_shuffle_i32x4(a, b, 0xdd);
      words[12 + i] = _mm512_shuffle_i32x4(c, d, 0xdd);
    }
  }
};

}  // namespace

const Md5Kernel kMd5Avx512{2 * Avx512::kLanes, lane_blocks<Avx512>};

}  // namespace kura::s3

#endif
