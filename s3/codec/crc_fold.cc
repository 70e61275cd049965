#include "s3/codec/crc_fold.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#else
#include "base/check.h"
#endif

namespace kura::s3 {

#if defined(__x86_64__)
namespace {

#define KURA_PCLMUL __attribute__((target("pclmul,sse4.1")))

KURA_PCLMUL __m128i load(const char* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

// `value` moved on, plus what stands there.
KURA_PCLMUL __m128i move_on(__m128i value, __m128i constants, __m128i there) {
  const __m128i first = _mm_clmulepi64_si128(value, constants, 0x00);
  const __m128i second = _mm_clmulepi64_si128(value, constants, 0x11);
  return _mm_xor_si128(_mm_xor_si128(first, second), there);
}

}  // namespace

bool can_fold() {
  static const bool can = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  return can;
}

KURA_PCLMUL std::array<char, 16> fold(uint64_t state, std::string_view bytes,
                                      const FoldConstants& constants) {
  const auto pair = [](uint64_t first, uint64_t second) {
    return _mm_set_epi64x(static_cast<int64_t>(second), static_cast<int64_t>(first));
  };
  const __m128i by_512 = pair(constants.by_512_first, constants.by_512_second);
  const __m128i by_128 = pair(constants.by_128_first, constants.by_128_second);
  const char* p = bytes.data();
  size_t left = bytes.size() - 64;
  __m128i a = _mm_xor_si128(load(p), pair(state, 0));
  __m128i b = load(p + 16), c = load(p + 32), d = load(p + 48);
  p += 64;
  for (; left >= 64; left -= 64, p += 64) {
    a = move_on(a, by_512, load(p));
    b = move_on(b, by_512, load(p + 16));
    c = move_on(c, by_512, load(p + 32));
    d = move_on(d, by_512, load(p + 48));
  }
  a = move_on(a, by_128, b);
  a = move_on(a, by_128, c);
  a = move_on(a, by_128, d);
  for (; left >= 16; left -= 16, p += 16) a = move_on(a, by_128, load(p));
  std::array<char, 16> out;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out.data()), a);
  return out;
}

#else

bool can_fold() { return false; }

std::array<char, 16> fold(uint64_t, std::string_view, const FoldConstants&) {
  UNREACHABLE("can_fold() was asked");
}

#endif

}  // namespace kura::s3
