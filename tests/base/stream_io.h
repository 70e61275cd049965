// Whole texts over a Stream, for tests.

#pragma once

#include <string>
#include <vector>

#include "base/stream.h"

namespace kura::testing {

// Reads until `size_bytes` or the end.
inline Task<Result<std::string>> read_exactly(Stream& stream, size_t size_bytes) {
  std::string out(size_bytes, '\0');
  size_t at = 0;
  while (at < size_bytes) {
    Result<size_t> n = co_await stream.read_some(out.data() + at, size_bytes - at);
    if (!n) co_return fail(n.error());
    if (*n == 0) break;
    at += *n;
  }
  out.resize(at);
  co_return out;
}

inline Task<Result<void>> write_text(Stream& stream, std::string text) {
  std::vector<std::string_view> pieces{text};
  co_return co_await stream.write(std::move(pieces));
}

}  // namespace kura::testing
