#include "s3/http/chunked.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace kura::s3 {
namespace {

std::string encode(std::string_view body, size_t chunk) {
  std::string out;
  char size[32];
  while (!body.empty()) {
    const std::string_view bytes = body.substr(0, chunk);
    body.remove_prefix(bytes.size());
    std::snprintf(size, sizeof size, "%zX\r\n", bytes.size());
    out += size + std::string(bytes) + "\r\n";
  }
  return out + "0\r\n\r\n";
}

// "ok:payload|rest", an error's code, or "unfinished".
std::string decode(std::string_view wire, size_t piece) {
  ChunkedDecoder decoder;
  std::string out;
  while (!wire.empty() && !decoder.done()) {
    std::string bytes(wire.substr(0, piece));
    const auto step = decoder.decode(bytes.data(), bytes.size());
    if (!step) return step.error().code;
    if (!decoder.done()) {
      EXPECT_EQ(step->consumed, bytes.size());
    }
    wire.remove_prefix(step->consumed);
    out += bytes.substr(0, step->produced);
  }
  return decoder.done() ? "ok:" + out + "|" + std::string(wire) : "unfinished";
}

TEST(Chunked, SurvivesAnyCutAndLeavesTheRest) {
  EXPECT_TRUE(rc::check([](const std::string& body, const std::string& rest) {
    const auto chunk = *rc::gen::inRange<size_t>(1, 40);
    const auto piece = *rc::gen::inRange<size_t>(1, 100);
    RC_ASSERT(decode(encode(body, chunk) + rest, piece) == "ok:" + body + "|" + rest);
  }));
}

TEST(Chunked, OnlyTheGrammarPasses) {
  for (const char* bad :
       {"\r\n", "x\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "1 \r\n", "1;ext\r\na\r\n",
        "1;a=b\r\na\r\n", "1\na\n0\n\n", "1\r\nab\r\n", "1\r\na0\r\n\r\n", "10000000000000000\r\n",
        "ffffffffffffffff\r\n", "0\r\nno colon\r\n\r\n", "0\r\n: b\r\n\r\n", "0\r\na : b\r\n\r\n",
        "0\r\n a: b\r\n\r\n"})
    for (size_t piece : {1, 3, 1000}) EXPECT_EQ(decode(bad, piece), "BadRequest") << bad;
}

TEST(Chunked, TrailersAreRead) {
  ChunkedDecoder decoder;
  std::string bytes = "0\r\nX-A: b\r\n\r\n";
  ASSERT_TRUE(decoder.decode(bytes.data(), bytes.size()));
  EXPECT_TRUE(decoder.done());
  EXPECT_EQ(decoder.trailer().get("x-a"), "b");
}

TEST(Chunked, LinesAndTrailersAreBounded) {
  EXPECT_EQ(decode(std::string(100'000, '0'), 1000), "BadRequest");
  EXPECT_EQ(decode("0\r\n" + std::string(100'000, 'a'), 1000), "BadRequest");
  std::string many = "0\r\n";
  for (int i = 0; i < 10'000; ++i) many += "a: b\r\n";
  EXPECT_EQ(decode(many, 1000), "BadRequest");
}

}  // namespace
}  // namespace kura::s3
