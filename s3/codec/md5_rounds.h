// The 64 steps of MD5 (RFC 1321, section 3.4) over vectors of lanes. Only for the md5_*.cc files
// that are compiled for one kind of vector: what they instantiate must not be shared.

#pragma once

#include <cstring>

#include "s3/codec/md5_blocks.h"

namespace kura::s3 {
namespace {

constexpr uint32_t kSines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
constexpr int kShifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
constexpr int kFirstWord[4] = {0, 1, 5, 0}, kWordStride[4] = {1, 5, 3, 7};

// V is one kind of vector: V::Word holds the same word of V::kLanes lanes.
template <class V>
using Words = typename V::Word[4];

#define KURA_INLINE inline __attribute__((always_inline))

template <class V, int kStep>
KURA_INLINE void step(typename V::Word& a, typename V::Word b, typename V::Word c,
                      typename V::Word d, const typename V::Word* block) {
  constexpr int kRound = kStep / 16, kInRound = kStep % 16;
  constexpr int kWord = (kFirstWord[kRound] + kWordStride[kRound] * kInRound) % 16;
  typename V::Word f;
  if constexpr (kRound == 0) f = V::choose(b, c, d);
  if constexpr (kRound == 1) f = V::choose(d, b, c);
  if constexpr (kRound == 2) f = V::parity(b, c, d);
  if constexpr (kRound == 3) f = V::twist(b, c, d);
  a = V::add(V::add(a, f), V::add(block[kWord], V::all(kSines[kStep])));
  a = V::add(b, V::template rotate<kShifts[kRound][kInRound % 4]>(a));
}

// Two groups of lanes side by side: each step waits for the one before, so one alone would idle.
template <class V, int kStep>
KURA_INLINE void steps(Words<V>* s, const typename V::Word (*block)[16]) {
  if constexpr (kStep < 64) {
    for (int g = 0; g < 2; ++g) step<V, kStep>(s[g][0], s[g][1], s[g][2], s[g][3], block[g]);
    for (int g = 0; g < 2; ++g) step<V, kStep + 1>(s[g][3], s[g][0], s[g][1], s[g][2], block[g]);
    for (int g = 0; g < 2; ++g) step<V, kStep + 2>(s[g][2], s[g][3], s[g][0], s[g][1], block[g]);
    for (int g = 0; g < 2; ++g) step<V, kStep + 3>(s[g][1], s[g][2], s[g][3], s[g][0], block[g]);
    steps<V, kStep + 4>(s, block);
  }
}

template <class V>
void lane_blocks(Md5LaneStates* states, const char* const* at, size_t count) {
  typename V::Word state[2][4];
  for (int g = 0; g < 2; ++g)
    for (int w = 0; w < 4; ++w)
      std::memcpy(&state[g][w], states->word[w] + g * V::kLanes, sizeof state[g][w]);
  for (size_t n = 0; n < count; ++n) {
    typename V::Word block[2][16], s[2][4];
    for (int g = 0; g < 2; ++g) {
      V::transpose(at + g * V::kLanes, n * 64, block[g]);
      for (int w = 0; w < 4; ++w) s[g][w] = state[g][w];
    }
    steps<V, 0>(s, block);
    for (int g = 0; g < 2; ++g)
      for (int w = 0; w < 4; ++w) state[g][w] = V::add(state[g][w], s[g][w]);
  }
  for (int g = 0; g < 2; ++g)
    for (int w = 0; w < 4; ++w)
      std::memcpy(states->word[w] + g * V::kLanes, &state[g][w], sizeof state[g][w]);
}

}  // namespace
}  // namespace kura::s3
