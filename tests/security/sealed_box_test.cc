#include "security/sealed_box.h"

#include <gtest/gtest.h>

namespace kura {
namespace {

class CountingRandom : public Random {
 public:
  void fill(std::span<uint8_t> out) override {
    for (uint8_t& b : out) b = next_++;
  }

 private:
  uint8_t next_ = 0;
};

TEST(SealedBox, OpensWhatItSealed) {
  CountingRandom random;
  SealedBox box("root secret", "keys");
  for (const std::string plain : {"", "s", "a secret of forty characters, more or less"}) {
    const std::string sealed = box.seal(plain, "AKIA1", random);
    EXPECT_EQ(sealed.find("secret"), std::string::npos);
    EXPECT_EQ(box.open(sealed, "AKIA1").value(), plain);
  }
}

TEST(SealedBox, NoncesDiffer) {
  CountingRandom random;
  SealedBox box("root secret", "keys");
  EXPECT_NE(box.seal("same", "c", random), box.seal("same", "c", random));
}

TEST(SealedBox, RefusesAnotherRootPurposeContextOrByte) {
  CountingRandom random;
  SealedBox box("root secret", "keys");
  const std::string sealed = box.seal("plain", "AKIA1", random);
  EXPECT_EQ(SealedBox("other", "keys").open(sealed, "AKIA1").error().code, Errc::corrupt);
  EXPECT_EQ(SealedBox("root secret", "other").open(sealed, "AKIA1").error().code, Errc::corrupt);
  EXPECT_EQ(box.open(sealed, "AKIA2").error().code, Errc::corrupt);
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string damaged = sealed;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(box.open(damaged, "AKIA1").has_value()) << i;
  }
  for (size_t n = 0; n < sealed.size(); ++n)
    EXPECT_FALSE(box.open(sealed.substr(0, n), "AKIA1").has_value()) << n;
}

}  // namespace
}  // namespace kura
