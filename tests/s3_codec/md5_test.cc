#include "s3/codec/md5.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>

#include "s3/codec/checksum.h"
#include "s3/codec/md5_blocks.h"

namespace kura::s3 {
namespace {

// The kernels that this processor runs; "alone" is one digest after the other.
std::vector<std::pair<std::string, std::function<void(std::span<const Md5Update>)>>> ways() {
  std::vector<std::pair<std::string, std::function<void(std::span<const Md5Update>)>>> out;
  out.emplace_back("chosen", [](auto updates) { md5_update_all(updates); });
#if defined(__x86_64__)
  auto in_lanes = [](const Md5Kernel& kernel) {
    return [&kernel](std::span<const Md5Update> updates) { md5_update_in_lanes(updates, kernel); };
  };
  if (__builtin_cpu_supports("avx2")) out.emplace_back("AVX2", in_lanes(kMd5Avx2));
  if (__builtin_cpu_supports("avx512f")) out.emplace_back("AVX-512", in_lanes(kMd5Avx512));
#endif
  return out;
}

std::string bytes_of(size_t size, unsigned seed) {
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(seed = seed * 1664525 + 1013904223, seed >> 24);
  return out;
}

TEST(Md5, ExamplesOfTheRfc) {
  for (auto [text, hex] : {std::pair{"", "\xd4\x1d\x8c\xd9"},
                           {"abc", "\x90\x01\x50\x98"},
                           {"message digest", "\xf9\x6b\x69\x7d"}}) {
    Md5 digest;
    digest.update(text);
    EXPECT_EQ(digest.finish().substr(0, 4), hex) << text;
  }
}

TEST(Md5, EveryLengthAndSplit) {
  for (size_t size = 0; size < 200; ++size) {
    const std::string bytes = bytes_of(size, static_cast<unsigned>(size));
    for (size_t split = 0; split <= size; split += 7) {
      Md5 digest;
      digest.update(std::string_view(bytes).substr(0, split));
      digest.update(std::string_view(bytes).substr(split));
      ASSERT_EQ(digest.finish(), md5_of(bytes)) << size << " at " << split;
    }
  }
}

// Any number of digests, fed any pieces in any company, end as they would alone.
TEST(Md5, CompanyChangesNothing) {
  EXPECT_TRUE(rc::check([](const std::vector<std::vector<std::string>>& pieces) {
    for (const auto& [name, update_all] : ways()) {
      std::vector<Md5> digests(pieces.size());
      std::vector<std::string> fed(pieces.size());
      for (size_t round = 0; round < 100; ++round) {
        std::vector<Md5Update> updates;
        for (size_t i = 0; i < pieces.size(); ++i) {
          if (round >= pieces[i].size()) continue;
          updates.push_back({&digests[i], pieces[i][round]});
          fed[i] += pieces[i][round];
        }
        update_all(updates);
      }
      for (size_t i = 0; i < pieces.size(); ++i) RC_ASSERT(digests[i].finish() == md5_of(fed[i]));
    }
  }));
}

// More digests than lanes, of lengths that end at different blocks.
TEST(Md5, LanesAreFilledAgain) {
  for (const auto& [name, update_all] : ways()) {
    std::vector<std::string> bodies;
    for (unsigned i = 0; i < 100; ++i) bodies.push_back(bytes_of(i * 97 % 1000 + i, i));
    std::vector<Md5> digests(bodies.size());
    std::vector<Md5Update> updates;
    for (size_t i = 0; i < bodies.size(); ++i) updates.push_back({&digests[i], bodies[i]});
    update_all(updates);
    for (size_t i = 0; i < bodies.size(); ++i)
      EXPECT_EQ(digests[i].finish(), md5_of(bodies[i])) << name << " " << i;
  }
}

}  // namespace
}  // namespace kura::s3
