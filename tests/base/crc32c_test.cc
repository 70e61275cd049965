#include "base/crc32c.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

namespace kura {
namespace {

std::string counting(int first, int step) {
  std::string s;
  for (int i = 0; i < 32; ++i) s += static_cast<char>(first + i * step);
  return s;
}

// RFC 3720, B.4.
TEST(Crc32c, Rfc3720) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c(counting(0, 1)), 0x46dd794eu);
  EXPECT_EQ(crc32c(counting(31, -1)), 0x113fdb5cu);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(""), 0u);
}

// Bit by bit, as the RFC defines it.
uint32_t by_bits(std::string_view data) {
  uint32_t state = 0xffffffff;
  for (char c : data) {
    state ^= static_cast<uint8_t>(c);
    for (int i = 0; i < 8; ++i) state = state & 1 ? state >> 1 ^ 0x82f63b78 : state >> 1;
  }
  return ~state;
}

TEST(Crc32c, AnyLengthAndStartAndExtendIsConcatenation) {
  bool ok = rc::check([](uint64_t seed) {
    size_t size = *rc::gen::element<size_t>(0, 7, 100, 255, 511, 768, 2047, 5000, 12287, 40000);
    size += *rc::gen::inRange<size_t>(0, 20);
    std::string data(size, '\0');
    uint64_t x = seed | 1;
    for (char& c : data) {
      x = x * 6364136223846793005u + 1442695040888963407u;
      c = static_cast<char>(x >> 56);
    }
    size_t cut = *rc::gen::inRange<size_t>(0, size + 1);
    std::string_view all = data, head = all.substr(0, cut), tail = all.substr(cut);
    RC_ASSERT(crc32c(all) == by_bits(all));
    RC_ASSERT(crc32c(tail) == by_bits(tail));
    RC_ASSERT(crc32c_extend(crc32c(head), tail) == by_bits(all));
  });
  EXPECT_TRUE(ok);
}

}  // namespace
}  // namespace kura
