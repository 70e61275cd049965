#include "node/end_signals.h"

#include <time.h>

namespace kura::node {

EndSignals::EndSignals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

void EndSignals::wait() const {
  int signal = 0;
  ::sigwait(&signals_, &signal);
}

bool EndSignals::within(int64_t timeout_ns) const {
  constexpr int64_t kSecondNs = 1'000'000'000;
  const timespec timeout{.tv_sec = timeout_ns / kSecondNs, .tv_nsec = timeout_ns % kSecondNs};
  return ::sigtimedwait(&signals_, nullptr, &timeout) > 0;
}

}  // namespace kura::node
