// MD5's compression function: over the blocks of one digest, and over those of many, one a lane.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace kura::s3 {

inline constexpr size_t kMd5LanesMax = 32;

// Word w of the state of lane l is [w][l].
struct alignas(64) Md5LaneStates {
  uint32_t word[4][kMd5LanesMax];
};

// Advances every lane l by `count` blocks of 64 bytes from at[l] on.
using Md5LaneBlocks = void (*)(Md5LaneStates* states, const char* const* at, size_t count);

struct Md5Kernel {
  size_t lanes;
  Md5LaneBlocks blocks;
};

// REQUIRES: the processor has AVX2, AVX-512F.
extern const Md5Kernel kMd5Avx2, kMd5Avx512;

// The best that this processor has; null: none, and one digest after the other is best.
const Md5Kernel* md5_kernel();

struct Md5Update;
void md5_update_in_lanes(std::span<const Md5Update> updates, const Md5Kernel& kernel);

// One digest by `count` blocks.
void md5_blocks(std::array<uint32_t, 4>* state, const char* blocks, size_t count);

}  // namespace kura::s3
