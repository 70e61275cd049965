#include "node/server/certificate_watch.h"

#include "base/loop.h"
#include "s3/codec/time.h"

namespace kura::node {
namespace {

constexpr int64_t kLookNs = 5'000'000'000;

}  // namespace

std::string certificate_warning(int64_t ends_s, int64_t now_s) {
  if (now_s + kCertificateNoticeS < ends_s) return {};
  return (now_s < ends_s ? "the certificate ends on "
                         : "clients refuse the certificate: it ended on ") +
         s3::iso8601(ends_s * 1000);
}

Task<void> watch_certificate(std::shared_ptr<TlsServerContext> tls, Clock& clock,
                             std::function<void(const std::string&)> log) {
  std::string told;
  for (;;) {
    std::string warning = certificate_warning(tls->ends_s(), clock.wall_ms() / 1000);
    if (!warning.empty() && warning != told) log(warning);
    told = std::move(warning);
    co_await sleep_for(kLookNs);
    auto changed = tls->reload();
    if (!changed)
      log("the certificate cannot be used: " + changed.error().detail);
    else if (*changed)
      log("new certificate in use");
  }
}

}  // namespace kura::node
