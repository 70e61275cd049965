#include <boost/asio/connect.hpp>

#include "net/asio_loop_impl.h"
#include "net/tcp.h"
#include "net/tcp_stream.h"

namespace kura {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

using HostResolver = asio::ip::basic_resolver<tcp, asio::io_context::executor_type>;

// What the time limit ends.
struct Attempt {
  explicit Attempt(AsioLoop& loop)
      : resolver(loop.impl().context.get_executor()), socket(loop.impl().context) {}
  HostResolver resolver;
  TcpSocket socket;
  bool timed_out = false;
};

tl::unexpected<Error> connect_error(const Address& address, const Attempt& attempt,
                                    const boost::system::error_code& error) {
  std::string where = to_string(address);
  if (attempt.timed_out) return fail(Errc::timed_out, where + " does not answer");
  if (error.category() == asio::error::get_netdb_category() ||
      error.category() == asio::error::get_addrinfo_category())
    return fail(Errc::not_found, "cannot resolve '" + address.host + "': " + error.message());
  return fail(Errc::unavailable, "cannot connect to " + where + ": " + error.message());
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> tcp_connect(AsioLoop& loop, Address address,
                                                  int64_t timeout_ns) {
  INVARIANT(loop.is_current(), "a connection belongs to the loop that makes it");
  auto attempt = std::make_shared<Attempt>(loop);
  Timer::Id limit = loop.timer().after(timeout_ns, [attempt] {
    attempt->timed_out = true;
    attempt->resolver.cancel();
    boost::system::error_code ignored;
    attempt->socket.close(ignored);
  });
  boost::system::error_code error;
  HostResolver::results_type found;
  std::string host = address.host.empty() ? "localhost" : address.host;
  std::string port = std::to_string(address.port);
  co_await suspend<Done>([&](Resolver<Done> resolve) {
    attempt->resolver.async_resolve(
        host, port, [&, resolve](boost::system::error_code e, HostResolver::results_type r) {
          error = e;
          found = std::move(r);
          resolve.resume_now(Done{});
        });
  });
  if (!error && !attempt->timed_out) {
    co_await suspend<Done>([&](Resolver<Done> resolve) {
      asio::async_connect(attempt->socket, found,
                          [&, resolve](boost::system::error_code e, const tcp::endpoint&) {
                            error = e;
                            resolve.resume_now(Done{});
                          });
    });
  }
  loop.timer().cancel(limit);
  if (error || attempt->timed_out) co_return connect_error(address, *attempt, error);
  tcp::endpoint peer = attempt->socket.remote_endpoint(error);
  if (error) co_return connect_error(address, *attempt, error);
  std::string name = describe(peer);
  co_return make_tcp_stream(std::move(attempt->socket), std::move(name));
}

}  // namespace kura
