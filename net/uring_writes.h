// UringWrites: the DirectWrites of an AsioLoop, by io_uring(7).

#pragma once

#include <memory>

#include "base/direct_writes.h"

namespace boost::asio {
class io_context;
}

namespace kura {

class UringWrites : public DirectWrites {
 public:
  // For the loop that `context` runs; on its thread. Null where the kernel has no io_uring for this
  // process (containers often forbid it).
  static std::unique_ptr<UringWrites> make(boost::asio::io_context& context);
  // Waits for the writes that are under way: their bytes are not free before. On the same thread,
  // after the context has stopped; nobody hears of them.
  ~UringWrites() override = default;

  // Whether any loop of the process waits for a write for so long: its thread could not end before
  // it.
  static bool any_waits_for(int64_t ns);

  // REQUIRES: held while the loop runs.
  class Active : private DirectWrites::Running {
   public:
    explicit Active(UringWrites* writes) : Running(writes) {}
  };
};

}  // namespace kura
