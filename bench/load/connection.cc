#include "bench/load/connection.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

namespace kura::bench {
namespace {

constexpr size_t kScratchBytes = 1 << 20, kHeadBytesMax = 1 << 16;

char* scratch() {
  static std::vector<char> bytes(kScratchBytes);  // One thread.
  return bytes.data();
}

// The value of content-length, 0 where there is none (204).
uint64_t content_length(std::string_view head) {
  static constexpr std::string_view kName = "\r\ncontent-length:";
  auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  auto at = std::search(head.begin(), head.end(), kName.begin(), kName.end(), same);
  if (at == head.end()) return 0;
  at += kName.size();
  while (at != head.end() && *at == ' ') ++at;
  uint64_t value = 0;
  std::from_chars(&*at, head.data() + head.size(), value);
  return value;
}

}  // namespace

Connection::Connection(uint16_t port) {
  descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    fail(std::string("cannot connect: ") + std::strerror(errno));
    return;
  }
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Connection::~Connection() { ::close(descriptor_); }

Connection::State Connection::fail(std::string why) {
  error_ = std::move(why);
  return State::broken;
}

Connection::State Connection::begin(std::string head, std::string_view body, bool head_only,
                                    bool keep_body) {
  head_ = std::move(head);
  body_ = body;
  head_only_ = head_only;
  keep_body_ = keep_body;
  in_body_ = false;
  sent_ = 0;
  received_.clear();
  answer_ = {};
  return on_writable();
}

Connection::State Connection::on_writable() {
  while (sent_ < head_.size() + body_.size()) {
    std::array<iovec, 2> parts{};
    const size_t from_head = std::min(sent_, head_.size()), from_body = sent_ - from_head;
    parts[0] = {head_.data() + from_head, head_.size() - from_head};
    parts[1] = {const_cast<char*>(body_.data()) + from_body, body_.size() - from_body};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t count = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return State::sending;
    if (count < 0) return fail(std::string("cannot send: ") + std::strerror(errno));
    sent_ += static_cast<size_t>(count);
  }
  return State::waiting;
}

Connection::State Connection::on_readable() {
  const ssize_t count = ::recv(descriptor_, scratch(), kScratchBytes, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return State::waiting;
  if (count <= 0) return fail("the server closed a connection");
  const std::string_view bytes(scratch(), static_cast<size_t>(count));
  return in_body_ ? take_body(bytes) : take_head(bytes);
}

Connection::State Connection::take_head(std::string_view bytes) {
  received_ += bytes;
  const size_t end = received_.find("\r\n\r\n");
  if (end == std::string::npos)
    return received_.size() > kHeadBytesMax ? fail("an endless head") : State::waiting;
  const std::string_view head(received_.data(), end + 2);
  if (!head.starts_with("HTTP/1.1 ") || head.size() < 12) return fail("not HTTP/1.1");
  std::from_chars(head.data() + 9, head.data() + 12, answer_.status);
  answer_.body_bytes = content_length(head);
  left_ = head_only_ ? 0 : answer_.body_bytes;
  in_body_ = true;
  keep_body_ = keep_body_ || answer_.status >= 300;  // To show what the server says.
  return take_body(std::string_view(received_).substr(end + 4));
}

Connection::State Connection::take_body(std::string_view bytes) {
  if (bytes.size() > left_) return fail("more bytes than content-length says");
  left_ -= bytes.size();
  if (keep_body_) answer_.body += bytes;
  return left_ == 0 ? State::answered : State::waiting;
}

}  // namespace kura::bench
