#include "node/server/held_aborts.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <cstdlib>

#include "net/asio_loop.h"
#include "net/kernel.h"

namespace kura::node {
namespace {

TEST(HeldAborts, AThreadThatAbortsLeavesTheOthersGoingOn) {
  EXPECT_EXIT(
      {
        SystemClock clock;
        AsioLoop loop(clock);
        loop.start("aborts");
        hold_aborts();
        loop.post([] { std::abort(); });
        ::poll(nullptr, 0, 200);
        ::_exit(7);
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace kura::node
