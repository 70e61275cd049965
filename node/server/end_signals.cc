#include "node/server/end_signals.h"

#include <time.h>

#include <atomic>

namespace kura::node {

namespace {
std::atomic<bool> asked{false};
}

bool asked_to_end() { return asked; }

sigset_t end_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

EndSignals::EndSignals() { ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr); }

void EndSignals::wait() const {
  int signal = 0;
  ::sigwait(&signals_, &signal);
  asked = true;
}

bool EndSignals::within(int64_t timeout_ns) const {
  constexpr int64_t kSecondNs = 1'000'000'000;
  const timespec timeout{.tv_sec = timeout_ns / kSecondNs, .tv_nsec = timeout_ns % kSecondNs};
  if (::sigtimedwait(&signals_, nullptr, &timeout) <= 0) return false;
  asked = true;
  return true;
}

}  // namespace kura::node
