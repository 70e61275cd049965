#include "s3/http/chunked.h"

#include <algorithm>

#include "base/limits.h"
#include "base/check.h"
#include "s3/codec/encoding.h"

namespace kura::s3 {
namespace {

constexpr size_t kTrailerFieldsMax = 32;

tl::unexpected<S3Error> malformed() {
  S3Error error = s3_error("BadRequest", "The chunked body is malformed");
  error.close = true;
  return s3_fail(std::move(error));
}

}  // namespace

S3Result<void> ChunkedDecoder::end_line() {
  switch (state_) {
    case State::size_line: {
      if (line_.empty() || line_.size() > 15) return malformed();
      left_ = 0;
      for (char c : line_) {
        const int digit = hex_digit(c);
        if (digit < 0) return malformed();
        left_ = left_ * 16 + static_cast<uint64_t>(digit);
      }
      state_ = left_ == 0 ? State::trailer : State::data;
      return {};
    }
    case State::data_end:
      if (!line_.empty()) return malformed();
      state_ = State::size_line;
      return {};
    case State::trailer: {
      if (line_.empty()) {
        state_ = State::done;
        return {};
      }
      const size_t colon = line_.find(':');
      if (colon == 0 || colon == std::string::npos || trailer_.all().size() >= kTrailerFieldsMax)
        return malformed();
      trailer_.add(lower_case(std::string_view(line_).substr(0, colon)),
                   std::string(trim_spaces(std::string_view(line_).substr(colon + 1))));
      return {};
    }
    default:
      UNREACHABLE("only these states read lines");
  }
}

S3Result<ChunkedDecoder::Step> ChunkedDecoder::feed(std::string_view input) {
  Step step;
  const size_t total = input.size();
  while (!input.empty() && state_ != State::done) {
    if (state_ == State::data) {
      const std::string_view data = input.substr(0, left_);
      step.decoded.append(data);
      left_ -= data.size();
      input.remove_prefix(data.size());
      if (left_ == 0) state_ = State::data_end;
      continue;
    }
    const size_t end = input.find('\n');
    const size_t taken = std::min(end, input.size());
    if (line_.size() + taken > kChunkHeaderBytesMax) return malformed();
    line_.append(input.substr(0, taken));
    if (end == std::string_view::npos) {
      input = {};
      break;
    }
    input.remove_prefix(end + 1);
    if (line_.empty() || line_.back() != '\r') return malformed();
    line_.pop_back();
    auto ended = end_line();
    if (!ended) return s3_fail(ended.error());
    line_.clear();
  }
  step.consumed = total - input.size();
  return step;
}

}  // namespace kura::s3
