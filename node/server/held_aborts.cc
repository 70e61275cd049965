#include "node/server/held_aborts.h"

#include <signal.h>
#include <unistd.h>

namespace kura::node {

void hold_aborts() {
  struct sigaction action {};
  action.sa_handler = [](int) {
    for (;;) ::pause();
  };
  ::sigaction(SIGABRT, &action, nullptr);
}

}  // namespace kura::node
