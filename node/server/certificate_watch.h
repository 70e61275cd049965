// The certificate of a server that runs: taken anew when its files change, and a word in time
// before clients refuse it.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/task.h"
#include "net/tls.h"

namespace kura::node {

inline constexpr int64_t kCertificateNoticeS = 14 * 86'400;

// For the operator; empty: it is valid for longer than kCertificateNoticeS. Times are Unix times.
std::string certificate_warning(int64_t ends_s, int64_t now_s);

// Never ends.
Task<void> watch_certificate(std::shared_ptr<TlsServerContext> tls, Clock& clock,
                             std::function<void(const std::string&)> log);

}  // namespace kura::node
