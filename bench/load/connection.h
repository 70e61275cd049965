// One keep-alive connection to the server, without blocking, with one request in flight.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kura::bench {

// A complete answer. `body` is kept only where it was asked for.
struct Answer {
  int status = 0;
  uint64_t body_bytes = 0;
  std::string body;
};

class Connection {
 public:
  enum class State { sending, waiting, answered, broken };

  // Connects (this blocks) to 127.0.0.1. `error()` says what went wrong, empty if nothing did.
  explicit Connection(uint16_t port);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // `body` stays alive until the answer. `head_only`: the answer to HEAD has no body.
  State begin(std::string head, std::string_view body, bool head_only, bool keep_body);
  State on_writable();
  // Takes what has arrived.
  State on_readable();

  int descriptor() const { return descriptor_; }
  const Answer& answer() const { return answer_; }
  const std::string& error() const { return error_; }

 private:
  State fail(std::string why);
  State take_head(std::string_view bytes);
  State take_body(std::string_view bytes);

  int descriptor_ = -1;
  std::string head_, error_;
  std::string_view body_;
  size_t sent_ = 0;
  bool head_only_ = false, keep_body_ = false, in_body_ = false;
  std::string received_;  // Of a head that is not complete yet.
  uint64_t left_ = 0;     // Of the body.
  Answer answer_;
};

}  // namespace kura::bench
