#include "net/tcp_stream.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/loop.h"
#include "net/address.h"

namespace kura {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// A peer that always has more to say must let the other sessions of the loop run after this many
// bytes: four chunks of a body (kBodyChunkBytes), about 100 us of copying.
constexpr size_t kDirectBytesMax = 1024 * 1024;
constexpr size_t kPiecesMax = 64;  // Of one sendmsg call; well below IOV_MAX.
constexpr size_t kSmallBytes =
    16 * 1024;  // More is worked on, or sent, at once: it is in the cache.

// Outlives its stream while a read or write waits.
struct Connection {
  Connection(TcpSocket socket_in, std::string peer_in)
      : socket(std::move(socket_in)), peer(std::move(peer_in)) {}
  TcpSocket socket;
  std::string peer;
  bool closed = false;
  bool deaf = false;        // It reads no more.
  bool drained = true;      // The last read got less than it asked for.
  size_t direct_bytes = 0;  // Read without a turn of the loop in between.
};

tl::unexpected<Error> socket_error(const Connection& c, int code, const char* doing) {
  bool gone = c.closed || code == ECONNRESET || code == EPIPE || code == ECANCELED ||
              code == EBADF || code == ENOTCONN;
  return fail(gone ? Errc::closed : Errc::io_error,
              std::string(doing) + " " + c.peer + ": " + std::strerror(code));
}

// Goes on with `value` after everything that is ready now. So a turn of the loop first receives
// what has come for all of its connections, then works on it, then sends the answers of all of
// them: each part finds its code in the processor's caches, the kernel's too, and a client is woken
// once.
template <class T>
void resume_at_turn_end(Resolver<T> resolve, T value) {
  Loop::current()->at_turn_end([resolve, value] { resolve.resume_now(value); });
}

// Where a write stands in its pieces.
struct Cursor {
  size_t piece = 0;
  size_t offset_bytes = 0;
};

void advance(const std::vector<std::string_view>& pieces, size_t sent_bytes, Cursor& at) {
  while (at.piece < pieces.size()) {
    size_t left = pieces[at.piece].size() - at.offset_bytes;
    if (sent_bytes < left) {
      at.offset_bytes += sent_bytes;
      return;
    }
    sent_bytes -= left;
    ++at.piece;
    at.offset_bytes = 0;
  }
}

// Sends until everything is gone (0) or the socket says no (errno).
int send_now(int fd, const std::vector<std::string_view>& pieces, Cursor& at) {
  std::array<iovec, kPiecesMax> vectors;
  for (;;) {
    size_t count = 0;
    for (size_t i = at.piece; i < pieces.size() && count < kPiecesMax; ++i) {
      std::string_view rest = pieces[i].substr(i == at.piece ? at.offset_bytes : 0);
      if (rest.empty()) continue;
      vectors[count++] = {const_cast<char*>(rest.data()), rest.size()};
    }
    if (count == 0) return 0;
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      advance(pieces, static_cast<size_t>(sent), at);
    } else if (errno != EINTR) {
      return errno;
    }
  }
}

class TcpStream final : public Stream {
 public:
  TcpStream(TcpSocket socket, std::string peer)
      : connection_(std::make_shared<Connection>(std::move(socket), std::move(peer))) {}
  ~TcpStream() override { close(); }

  Task<Result<size_t>> read_some(char* out, size_t size_bytes) override {
    return read(connection_, out, size_bytes);
  }
  Task<Result<void>> write(std::vector<std::string_view> pieces) override {
    return write_all(connection_, std::move(pieces));
  }
  void stop_reading() override {
    if (connection_->closed || std::exchange(connection_->deaf, true)) return;
    boost::system::error_code ignored;
    connection_->socket.cancel(ignored);  // Also a wait of a write, which waits again.
  }
  void close() override {
    if (std::exchange(connection_->closed, true)) return;
    boost::system::error_code ignored;
    connection_->socket.shutdown(tcp::socket::shutdown_both, ignored);
    connection_->socket.close(ignored);
  }
  std::string peer() const override { return connection_->peer; }
  bool encrypted() const override { return false; }

 private:
  static Task<Result<size_t>> read(std::shared_ptr<Connection> c, char* out, size_t size_bytes);
  static Task<Result<void>> write_all(std::shared_ptr<Connection> c,
                                      std::vector<std::string_view> pieces);

  std::shared_ptr<Connection> connection_;
};

Task<Result<size_t>> TcpStream::read(std::shared_ptr<Connection> c, char* out, size_t size_bytes) {
  INVARIANT(size_bytes > 0, "a read of nothing cannot tell the end from success");
  if (c->closed) co_return socket_error(*c, ECANCELED, "read from");
  if (c->deaf) co_return size_t{0};
  // Asio makes the first attempt itself, but hands the bytes over one turn later; while a body
  // streams in, more of it is usually there already.
  if (!c->drained && c->direct_bytes < kDirectBytesMax) {
    ssize_t got = recv(c->socket.native_handle(), out, size_bytes, MSG_DONTWAIT);
    if (got >= 0) {
      c->drained = static_cast<size_t>(got) < size_bytes;
      c->direct_bytes += static_cast<size_t>(got);
      co_return static_cast<size_t>(got);
    }
    if (errno != EAGAIN && errno != EINTR) co_return socket_error(*c, errno, "read from");
  }
  c->direct_bytes = 0;
  int code = 0;
  size_t got = co_await suspend<size_t>([&](Resolver<size_t> resolve) {
    c->socket.async_read_some(asio::buffer(out, size_bytes),
                              [&code, resolve](boost::system::error_code error, size_t n) {
                                if (error == asio::error::eof) {
                                  n = 0;
                                } else if (error) {
                                  code = error.value();
                                }
                                if (n < kSmallBytes)
                                  resume_at_turn_end(resolve, n);
                                else
                                  resolve.resume_now(n);
                              });
  });
  if (c->deaf && !c->closed) co_return size_t{0};
  if (code != 0) co_return socket_error(*c, code, "read from");
  c->drained = got < size_bytes;
  co_return got;
}

Task<Result<void>> TcpStream::write_all(std::shared_ptr<Connection> c,
                                        std::vector<std::string_view> pieces) {
  size_t size_bytes = 0;
  for (std::string_view piece : pieces) size_bytes += piece.size();
  if (size_bytes < kSmallBytes)
    co_await suspend<Done>([](Resolver<Done> resolve) { resume_at_turn_end(resolve, Done{}); });
  Cursor at;
  for (;;) {
    if (c->closed) co_return socket_error(*c, ECANCELED, "write to");
    int code = send_now(c->socket.native_handle(), pieces, at);
    if (code == 0) co_return Result<void>();
    if (code != EAGAIN) co_return socket_error(*c, code, "write to");
    co_await suspend<Done>([&](Resolver<Done> resolve) {
      // An error shows in the next attempt.
      c->socket.async_wait(tcp::socket::wait_write,
                           [resolve](boost::system::error_code) { resolve.resume_now(Done{}); });
    });
  }
}

}  // namespace

std::string describe(tcp::endpoint endpoint) {
  asio::ip::address ip = endpoint.address();
  if (ip.is_v6() && ip.to_v6().is_v4_mapped())
    ip = asio::ip::make_address_v4(asio::ip::v4_mapped, ip.to_v6());
  return to_string(Address{.host = ip.to_string(), .port = endpoint.port()});
}

std::unique_ptr<Stream> make_tcp_stream(TcpSocket socket, std::string peer) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  return std::make_unique<TcpStream>(std::move(socket), std::move(peer));
}

}  // namespace kura
