// TCP: the real Stream and Acceptor.
//
// One socket listens, on the first loop, and hands its connections to the loops in turn. Listening
// on each loop with SO_REUSEPORT would save the hand-over, but the kernel then chooses by hash, and
// a few busy connections (the usual S3 client) land on one loop while others idle.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/stream.h"
#include "net/address.h"
#include "net/asio_loop.h"

namespace kura {

struct TcpListener {
  // One for each loop, in the order of the loops: its streams belong to that loop, and only there
  // may it and they be used. The socket closes when the last of them is closed or destroyed.
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  uint16_t port = 0;  // The one in use, when 0 was asked for.
  int socket = -1;    // What listens; the acceptors own it.
  // Whoever connects from now on waits in the kernel, for the next process that accepts on the
  // socket. From any thread.
  std::function<void()> pause;
};

// Whether `descriptor` is a socket that listens.
bool is_listening(int descriptor);

// REQUIRES: at least one loop; the loops outlive the acceptors. Errors: exists (the port is taken),
// access_denied (a privileged port), invalid_argument (not an address of this machine), io_error.
// Blocks while a host name is resolved. `inherited`: a socket that the process before this one
// listened with on `address`, which is taken over, so that nobody is refused between the two; what
// does not listen is left alone.
Result<TcpListener> tcp_listen(const Address& address, const std::vector<AsioLoop*>& loops,
                               int inherited = -1);

// Connects on `loop`, which must be the current one. Tries each address of the host. A resolver of
// the system that does not answer is waited for as long as that one waits, whatever `timeout_ns`.
// Errors: timed_out, not_found (no such host), unavailable (refused or unreachable).
Task<Result<std::unique_ptr<Stream>>> tcp_connect(AsioLoop& loop, Address address,
                                                  int64_t timeout_ns);

}  // namespace kura
