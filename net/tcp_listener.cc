#include <sys/socket.h>

#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <cstring>
#include <deque>
#include <optional>

#include "net/asio_loop_impl.h"
#include "net/tcp.h"
#include "net/tcp_stream.h"

namespace kura {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ListenSocket = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;

constexpr int kBacklog = 4096;          // The kernel caps it at net.core.somaxconn.
constexpr size_t kHandedOverMax = 128;  // Connections that wait for one loop's accept().
constexpr int kAcceptsPerTurn = 64;
constexpr int64_t kRetryNs = 50'000'000;  // Out of descriptors, or every loop is behind.

// What one loop's Acceptor sees. On that loop's thread, but for the atomics.
struct Lane {
  explicit Lane(AsioLoop& loop_in) : loop(loop_in) {}
  AsioLoop& loop;
  std::atomic<bool> closed{false};
  std::atomic<size_t> handed_over{0};
  std::deque<std::unique_ptr<Stream>> ready;
  std::optional<Resolver<Done>> waiter;

  void wake() {
    if (!waiter) return;
    Resolver<Done> resolve = *waiter;
    waiter.reset();
    resolve(Done{});
  }
};

// The listening socket. On the first loop's thread.
struct Listening : std::enable_shared_from_this<Listening> {
  Listening(const std::vector<AsioLoop*>& loops)
      : home(*loops.front()), socket(home.impl().context) {
    for (AsioLoop* loop : loops) lanes.push_back(std::make_shared<Lane>(*loop));
  }

  void wait() {
    if (!socket.is_open() || paused) return;
    socket.async_wait(ListenSocket::wait_read,
                      [weak = weak_from_this()](boost::system::error_code error) {
                        auto self = weak.lock();
                        if (self && error != asio::error::operation_aborted) self->accept_ready();
                      });
  }

  void accept_ready() {
    for (int i = 0; i < kAcceptsPerTurn && !paused; ++i) {
      std::shared_ptr<Lane> lane = next_lane();
      if (!lane) return retry_later();
      sockaddr_storage from{};
      socklen_t length = sizeof from;
      int fd = accept4(socket.native_handle(), reinterpret_cast<sockaddr*>(&from), &length,
                       SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        ++next;
        hand_over(std::move(lane), fd, from, length);
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        return retry_later();
      } else if (errno == EAGAIN) {
        break;
      }  // Anything else is the fault of that one connection (accept(2)).
    }
    wait();
  }

  void retry_later() {
    home.timer().after(kRetryNs, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->wait();
    });
  }

  // The open lane whose turn it is; null when all are behind.
  std::shared_ptr<Lane> next_lane() {
    for (size_t i = 0; i < lanes.size(); ++i) {
      const std::shared_ptr<Lane>& lane = lanes[next % lanes.size()];
      if (!lane->closed && lane->handed_over < kHandedOverMax) return lane;
      ++next;
    }
    return nullptr;
  }

  static void hand_over(std::shared_ptr<Lane> lane, int fd, const sockaddr_storage& from,
                        socklen_t length) {
    tcp::endpoint peer;
    if (length > peer.capacity()) {
      ::close(fd);
      return;
    }
    std::memcpy(peer.data(), &from, length);
    peer.resize(length);
    TcpSocket connected(lane->loop.impl().context);
    boost::system::error_code error;
    connected.assign(peer.protocol(), fd, error);
    if (error) {
      ::close(fd);
      return;
    }
    ++lane->handed_over;
    // A std::function is copyable, so the stream travels in a shared box.
    auto box = std::make_shared<std::unique_ptr<Stream>>(
        make_tcp_stream(std::move(connected), describe(peer)));
    AsioLoop& loop = lane->loop;
    loop.post([lane = std::move(lane), box] {
      if (lane->closed) return;
      lane->ready.push_back(std::move(*box));
      lane->wake();
    });
  }

  void close_if_unused() {
    for (auto& lane : lanes)
      if (!lane->closed) return;
    boost::system::error_code ignored;
    socket.close(ignored);
  }

  AsioLoop& home;
  ListenSocket socket;
  std::vector<std::shared_ptr<Lane>> lanes;
  size_t next = 0;
  bool paused = false;
};

class TcpAcceptor final : public Acceptor {
 public:
  TcpAcceptor(std::shared_ptr<Listening> listening, std::shared_ptr<Lane> lane)
      : listening_(std::move(listening)), lane_(std::move(lane)) {}
  ~TcpAcceptor() override { close(); }

  Task<Result<std::unique_ptr<Stream>>> accept() override { return accept_on(lane_); }

  void close() override {
    if (lane_->closed.exchange(true)) return;
    lane_->ready.clear();
    lane_->wake();
    listening_->home.post([listening = listening_] { listening->close_if_unused(); });
  }

 private:
  static Task<Result<std::unique_ptr<Stream>>> accept_on(std::shared_ptr<Lane> lane) {
    while (lane->ready.empty() && !lane->closed) {
      INVARIANT(!lane->waiter, "one accept() at a time");
      co_await suspend<Done>([&](Resolver<Done> resolve) { lane->waiter = resolve; });
    }
    if (lane->closed) co_return fail(Errc::closed, "the listener was closed");
    std::unique_ptr<Stream> stream = std::move(lane->ready.front());
    lane->ready.pop_front();
    --lane->handed_over;
    co_return stream;
  }

  std::shared_ptr<Listening> listening_;
  std::shared_ptr<Lane> lane_;
};

tl::unexpected<Error> listen_error(const Address& address, const boost::system::error_code& error) {
  std::string where = to_string(address);
  if (error == asio::error::address_in_use)
    return fail(Errc::exists, where + " is in use by another program: stop it or listen elsewhere");
  if (error == asio::error::access_denied)
    return fail(Errc::access_denied, where + ": ports below 1024 need root");
  if (error == boost::system::errc::address_not_available)
    return fail(Errc::invalid_argument, where + " is not an address of this machine");
  return fail(Errc::io_error, "cannot listen on " + where + ": " + error.message());
}

boost::system::error_code open_and_listen(ListenSocket& socket, const tcp::endpoint& endpoint) {
  boost::system::error_code error;
  socket.open(endpoint.protocol(), error);
  if (error) return error;
  socket.set_option(ListenSocket::reuse_address(true), error);
  // "[::]" also takes IPv4 connections.
  if (endpoint.address().is_v6() && endpoint.address().is_unspecified())
    socket.set_option(asio::ip::v6_only(false), error);
  socket.bind(endpoint, error);
  if (error) return error;
  socket.listen(kBacklog, error);
  if (error) return error;
  socket.native_non_blocking(true, error);
  return error;
}

// False: it is something else, and not touched.
bool take_over(ListenSocket& socket, int descriptor) {
  if (!is_listening(descriptor)) return false;
  sockaddr_storage own{};
  socklen_t length = sizeof own;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &length) != 0) return false;
  if (own.ss_family != AF_INET && own.ss_family != AF_INET6) return false;
  boost::system::error_code error;
  socket.assign(own.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), descriptor, error);
  return !error;
}

Result<void> open_first(ListenSocket& socket, const std::vector<tcp::endpoint>& endpoints,
                        const Address& address) {
  boost::system::error_code error = asio::error::host_not_found;
  for (const tcp::endpoint& endpoint : endpoints) {
    boost::system::error_code ignored;
    socket.close(ignored);
    error = open_and_listen(socket, endpoint);
    // A kernel without IPv6 gets the next try with IPv4; a taken port is the answer.
    if (!error || error == asio::error::address_in_use) break;
  }
  if (error) return listen_error(address, error);
  return {};
}

Result<std::vector<tcp::endpoint>> resolve_local(AsioLoop& loop, const Address& address) {
  if (address.host.empty())
    return std::vector{tcp::endpoint(tcp::v6(), address.port),
                       tcp::endpoint(tcp::v4(), address.port)};
  boost::system::error_code error;
  tcp::resolver resolver(loop.impl().context);
  auto found =
      resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::passive, error);
  if (error)
    return fail(Errc::invalid_argument,
                "cannot resolve '" + address.host + "': " + error.message());
  std::vector<tcp::endpoint> endpoints;
  for (auto& entry : found) endpoints.push_back(entry.endpoint());
  return endpoints;
}

}  // namespace

bool is_listening(int descriptor) {
  int listens = 0;
  socklen_t length = sizeof listens;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 &&
         listens != 0;
}

Result<TcpListener> tcp_listen(const Address& address, const std::vector<AsioLoop*>& loops,
                               int inherited) {
  INVARIANT(!loops.empty(), "connections need a loop");
  auto listening = std::make_shared<Listening>(loops);
  if (!take_over(listening->socket, inherited)) {
    auto endpoints = resolve_local(*loops.front(), address);
    if (!endpoints) return fail(endpoints.error());
    Result<void> opened = open_first(listening->socket, *endpoints, address);
    if (!opened) return fail(opened.error());
  }
  TcpListener listener;
  listener.port = listening->socket.local_endpoint().port();
  listener.socket = listening->socket.native_handle();
  listener.pause = [&home = *loops.front(), weak = std::weak_ptr(listening)] {
    home.post([weak] {
      if (auto self = weak.lock()) self->paused = true;
    });
  };
  for (auto& lane : listening->lanes)
    listener.acceptors.push_back(std::make_unique<TcpAcceptor>(listening, lane));
  loops.front()->post([weak = std::weak_ptr(listening)] {
    if (auto self = weak.lock()) self->wait();
  });
  return listener;
}

}  // namespace kura
