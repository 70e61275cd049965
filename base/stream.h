// Stream and Acceptor: byte connections. HTTP sessions see nothing else of the network.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"

namespace kura {

class Stream {
 public:
  virtual ~Stream() = default;  // Closes.
  // At least one byte; 0 when the peer has sent everything. Errors: closed, io_error.
  virtual Task<Result<size_t>> read_some(char* out, size_t size_bytes) = 0;
  // Everything. The pieces must live until it returns. Errors: closed, io_error.
  virtual Task<Result<void>> write(std::vector<std::string_view> pieces) = 0;
  // A waiting read ends, with 0 or with closed, and so does each one that follows; writes go on.
  virtual void stop_reading() = 0;
  // Ends both directions; a waiting read or write fails with closed. May be called at any time.
  virtual void close() = 0;
  virtual std::string peer() const = 0;  // "127.0.0.1:40123".
  virtual bool encrypted() const = 0;
};

class Acceptor {
 public:
  virtual ~Acceptor() = default;
  virtual Task<Result<std::unique_ptr<Stream>>> accept() = 0;  // closed after close().
  virtual void close() = 0;
};

}  // namespace kura
