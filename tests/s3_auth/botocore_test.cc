// An independent signer agrees: requests as botocore signs and sends them (botocore_vectors.py).

#include <gtest/gtest.h>

#include <fstream>

#include "s3/auth/authenticator.h"
#include "s3/codec/encoding.h"
#include "s3/codec/time.h"

namespace kura::s3 {
namespace {

struct Then : Clock {
  int64_t wall_ms() const override { return *parse_amz_date("20260102T030405Z"); }
  int64_t monotonic_ns() const override { return 0; }
};

struct BotocoreKey : KeyLookup {
  std::optional<KeyRecord> find(std::string_view access_key) const override {
    return KeyRecord{"SECRET+EXAMPLE/KEY", Identity{std::string(access_key), false, true, {}}};
  }
};

std::vector<RequestHead> read_vectors() {
  std::ifstream in(std::string(KURA_TEST_DATA) + "/botocore_vectors.txt");
  std::vector<RequestHead> heads;
  std::string method, target, line;
  while (std::getline(in, method) && std::getline(in, target)) {
    RequestHead head;
    head.method = method;
    const size_t question = target.find('?');
    head.path = target.substr(0, question);
    if (question != std::string::npos) head.query = target.substr(question + 1);
    while (std::getline(in, line) && !line.empty()) {
      const size_t colon = line.find(':');
      head.headers.add(line.substr(0, colon), line.substr(colon + 1));
    }
    heads.push_back(std::move(head));
  }
  return heads;
}

TEST(Botocore, EveryRequestVerifies) {
  Then clock;
  BotocoreKey keys;
  Authenticator authenticator(keys, clock, {"eu-central-1", true});
  const std::vector<RequestHead> heads = read_vectors();
  ASSERT_EQ(heads.size(), 200u);
  for (const RequestHead& head : heads) {
    const auto verified = authenticator.verify(head);
    EXPECT_TRUE(verified.has_value()) << head.method << " " << head.path << "?" << head.query << " "
                                      << verified.error().code << " " << verified.error().message;
    RequestHead other = head;
    other.headers = {};
    for (const auto& [name, value] : head.headers.all())
      other.headers.add(name, name == "host" ? value + "x" : value);
    EXPECT_FALSE(authenticator.verify(other).has_value());
  }
}

}  // namespace
}  // namespace kura::s3
