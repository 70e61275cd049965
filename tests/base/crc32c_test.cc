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

TEST(Crc32c, BothWaysAgreeAndExtendIsConcatenation) {
  bool ok = rc::check([](uint64_t seed) {
    // Lengths around the lane sizes and unaligned starts.
    size_t size = *rc::gen::element<size_t>(0, 7, 100, 767, 768, 769, 5000, 12287, 12288, 40000);
    size += *rc::gen::inRange<size_t>(0, 20);
    std::string data(size, '\0');
    uint64_t x = seed | 1;
    for (char& c : data) {
      x = x * 6364136223846793005u + 1442695040888963407u;
      c = static_cast<char>(x >> 56);
    }
    size_t cut = *rc::gen::inRange<size_t>(0, size + 1);
    std::string_view all = data, head = all.substr(0, cut), tail = all.substr(cut);
    uint32_t whole = detail::crc32c_extend_tables(0, all);
    RC_ASSERT(crc32c(all) == whole);
    RC_ASSERT(crc32c_extend(crc32c(head), tail) == whole);
    RC_ASSERT(crc32c(tail, crc32c(head)) == whole);
    RC_ASSERT(detail::crc32c_extend_tables(crc32c(head), tail) == whole);
    if (__builtin_cpu_supports("sse4.2")) RC_ASSERT(detail::crc32c_extend_sse42(0, all) == whole);
  });
  EXPECT_TRUE(ok);
}

}  // namespace
}  // namespace kura
