#include "s3/http/chunked.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/limits.h"
#include "s3/codec/encoding.h"

namespace kura::s3 {
namespace {

constexpr size_t kSizeDigitsMax = 15;  // Far above any body, and no overflow.

tl::unexpected<S3Error> malformed() {
  S3Error error = s3_error("BadRequest", "The chunked body is malformed");
  error.close = true;
  return s3_fail(std::move(error));
}

}  // namespace

S3Result<ChunkedDecoder::Step> ChunkedDecoder::decode(char* data, size_t size_bytes) {
  Step step;
  while (step.consumed < size_bytes && state_ != State::done) {
    char* const from = data + step.consumed;
    const size_t rest = size_bytes - step.consumed;
    if (state_ == State::data) {
      const size_t n = static_cast<size_t>(std::min<uint64_t>(left_, rest));
      std::memmove(data + step.produced, from, n);
      step.produced += n;
      step.consumed += n;
      left_ -= n;
      if (left_ == 0) state_ = State::data_end;
      continue;
    }
    const auto* feed = static_cast<const char*>(std::memchr(from, '\n', rest));
    const size_t taken = feed ? static_cast<size_t>(feed - from) : rest;
    if (line_.size() + taken > kChunkHeaderBytesMax) return malformed();
    line_.append(from, taken);
    step.consumed += taken;
    if (!feed) break;
    ++step.consumed;
    if (!line_.ends_with('\r')) return malformed();
    line_.pop_back();
    if (auto good = take_line(); !good) return s3_fail(std::move(good.error()));
    line_.clear();
  }
  return step;
}

S3Result<void> ChunkedDecoder::take_line() {
  switch (state_) {
    case State::size_line:
      if (line_.empty() || line_.size() > kSizeDigitsMax) return malformed();
      for (char c : line_) {
        const int digit = hex_digit(c);
        if (digit < 0) return malformed();
        left_ = left_ << 4 | static_cast<uint64_t>(digit);
      }
      state_ = left_ == 0 ? State::trailer : State::data;
      return {};
    case State::data_end:
      if (!line_.empty()) return malformed();
      state_ = State::size_line;
      return {};
    case State::trailer:
      if (!line_.empty()) return take_trailer_field();
      state_ = State::done;
      return {};
    default:
      UNREACHABLE("only these states read lines");
  }
}

S3Result<void> ChunkedDecoder::take_trailer_field() {
  trailer_bytes_ += line_.size();
  const size_t colon = line_.find(':');
  const bool token = colon != std::string::npos && colon > 0 &&
                     std::none_of(line_.begin(), line_.begin() + static_cast<ptrdiff_t>(colon),
                                  [](char c) { return c <= ' ' || c == 0x7f; });
  if (!token || trailer_bytes_ > kChunkHeaderBytesMax) return malformed();
  trailer_.add(lower_case(std::string_view(line_).substr(0, colon)),
               std::string(trim_spaces(std::string_view(line_).substr(colon + 1))));
  return {};
}

}  // namespace kura::s3
