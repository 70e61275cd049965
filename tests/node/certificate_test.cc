// When an operator hears of a certificate that ends.

#include <gtest/gtest.h>

#include "node/server/certificate_watch.h"

namespace kura::node {
namespace {

constexpr int64_t kEndS = 1'800'000'000;

TEST(CertificateWarning, IsInTimeAndSaysWhenItIsTooLate) {
  EXPECT_EQ(certificate_warning(kEndS, kEndS - kCertificateNoticeS - 1), "");
  EXPECT_EQ(certificate_warning(kEndS, kEndS - kCertificateNoticeS),
            "the certificate ends on 2027-01-15T08:00:00.000Z");
  EXPECT_EQ(certificate_warning(kEndS, kEndS),
            "clients refuse the certificate: it ended on 2027-01-15T08:00:00.000Z");
}

}  // namespace
}  // namespace kura::node
