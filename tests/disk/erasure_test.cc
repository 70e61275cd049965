#include "actors/disk/erasure.h"

#include <gtest/gtest.h>

#include "sim/sim_random.h"

namespace kura::disk {
namespace {

struct Shards {
  std::vector<std::string> all;
  std::vector<const char*> data;
};

Shards coded(const Code& code, size_t bytes, uint64_t seed) {
  sim::SimRandom random(seed);
  Shards out;
  for (uint32_t i = 0; i < code.members(); ++i) {
    out.all.emplace_back(bytes, '\0');
    if (i < code.data_shards()) random.fill({reinterpret_cast<uint8_t*>(out.all[i].data()), bytes});
  }
  for (uint32_t i = 0; i < code.data_shards(); ++i) out.data.push_back(out.all[i].data());
  std::vector<char*> parity;
  for (uint32_t i = code.data_shards(); i < code.members(); ++i)
    parity.push_back(out.all[i].data());
  code.encode(out.data, parity, bytes);
  return out;
}

void expect_recovers(const Code& code, const Shards& shards, uint32_t lost_mask, size_t from,
                     size_t bytes) {
  std::vector<uint32_t> have, want;
  std::vector<const char*> sources;
  for (uint32_t i = 0; i < code.members(); ++i) {
    if (lost_mask >> i & 1)
      want.push_back(i);
    else if (have.size() < code.data_shards()) {
      have.push_back(i);
      sources.push_back(shards.all[i].data() + from);
    }
  }
  std::vector<std::string> out(want.size(), std::string(bytes, '?'));
  std::vector<char*> targets;
  for (std::string& shard : out) targets.push_back(shard.data());
  code.reconstruct(have, sources, want, targets, bytes);
  for (size_t i = 0; i < want.size(); ++i)
    ASSERT_TRUE(out[i] == shards.all[want[i]].substr(from, bytes))
        << code.data_shards() << "+" << code.parity_shards() << " lost " << lost_mask;
}

TEST(Erasure, EveryGeometrySurvivesEveryLossOfUpToParity) {
  for (uint32_t m = 0; m <= kParityShardsMax; ++m) {
    for (uint32_t k = 1; k + m <= kMembersMax; ++k) {
      const Code code(k, m);
      const Shards shards = coded(code, 192, k * 100 + m);
      for (uint32_t mask = 0; mask < 1U << (k + m); ++mask)
        if (__builtin_popcount(mask) <= static_cast<int>(m))
          expect_recovers(code, shards, mask, 0, 192);
    }
  }
}

TEST(Erasure, AnySubRangeOfColumnsIsCodedAlone) {
  const Code code(4, 2);
  const Shards shards = coded(code, 4096, 9);
  sim::SimRandom random(4);
  for (int i = 0; i < 500; ++i) {
    const size_t from = random.pick(4096);
    expect_recovers(code, shards, 1U << random.pick(6) | 1U << random.pick(6), from,
                    1 + random.pick(4096 - from));
  }
}

TEST(Erasure, ParityIsTheDocumentedCauchyCode) {
  // GF(2^8) with 0x11d, bit by bit.
  auto multiply = [](uint8_t a, uint8_t b) {
    unsigned product = 0, x = a;
    for (; b; b >>= 1, x = x << 1 ^ (x & 0x80 ? 0x11d : 0))
      if (b & 1) product ^= x;
    return static_cast<uint8_t>(product);
  };
  auto inverse = [&](uint8_t a) {
    for (unsigned b = 1; b < 256; ++b)
      if (multiply(a, static_cast<uint8_t>(b)) == 1) return static_cast<uint8_t>(b);
    return uint8_t{0};
  };
  const Code code(5, 3);
  const Shards shards = coded(code, 64, 3);
  for (uint32_t i = 0; i < 3; ++i)
    for (size_t x = 0; x < 64; ++x) {
      uint8_t sum = 0;
      for (uint32_t j = 0; j < 5; ++j)
        sum ^= multiply(inverse(static_cast<uint8_t>((5 + i) ^ j)),
                        static_cast<uint8_t>(shards.all[j][x]));
      ASSERT_EQ(sum, static_cast<uint8_t>(shards.all[5 + i][x]));
    }
}

}  // namespace
}  // namespace kura::disk
