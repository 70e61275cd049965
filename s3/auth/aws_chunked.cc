#include "s3/auth/aws_chunked.h"

#include <algorithm>

#include "base/limits.h"
#include "s3/auth/hmac.h"
#include "s3/codec/encoding.h"

namespace kura::s3 {
namespace {

constexpr size_t kSizeDigitsMax = 16;  // 64 bits.

tl::unexpected<S3Error> malformed() {
  return s3_fail("InvalidRequest", "The aws-chunked body is not well-formed.");
}

tl::unexpected<S3Error> wrong_length() {
  return s3_fail("IncompleteBody",
                 "You did not provide the number of bytes specified by the "
                 "x-amz-decoded-content-length HTTP header");
}

std::optional<uint64_t> parse_hex(std::string_view text) {
  if (text.empty() || text.size() > kSizeDigitsMax) return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    const int digit = hex_digit(c);
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<uint64_t>(digit);
  }
  return value;
}

}  // namespace

AwsChunkedDecoder::AwsChunkedDecoder(Options options) : options_(std::move(options)) {}

S3Result<void> AwsChunkedDecoder::decode(std::string* bytes) {
  size_t in = 0, out = 0;
  while (in < bytes->size()) {
    if (state_ == State::done) return malformed();
    if (state_ == State::data) {
      const size_t n = static_cast<size_t>(std::min<uint64_t>(chunk_left_, bytes->size() - in));
      if (chunk_hash_) chunk_hash_->update(std::string_view(*bytes).substr(in, n));
      if (in != out) std::copy_n(bytes->data() + in, n, bytes->data() + out);
      in += n;
      out += n;
      chunk_left_ -= n;
      if (chunk_left_ == 0) state_ = State::data_end;
      continue;
    }
    // A line: everything up to the next line feed, which may come in a later call.
    const size_t feed = bytes->find('\n', in), end = std::min(feed, bytes->size());
    if (line_.size() + (end - in) > kChunkHeaderBytesMax) return malformed();
    line_.append(*bytes, in, end - in);
    in = end;
    if (feed == std::string::npos) break;
    ++in;
    if (auto taken = take_line(); !taken) return taken;
  }
  bytes->resize(out);
  return {};
}

S3Result<void> AwsChunkedDecoder::take_line() {
  // AWS's own example ends a trailer field with "\n\r\n": the first line feed is not the line's
  // end.
  if (!line_.ends_with('\r')) {
    if (state_ != State::trailer_line || line_.empty()) return malformed();
    line_ += '\n';
    return {};
  }
  std::string line = std::move(line_);
  line_.clear();
  line.pop_back();
  switch (state_) {
    case State::size_line:
      return take_size(line);
    case State::data_end:
      if (!line.empty()) return malformed();
      return end_chunk();
    case State::trailer_line:
      return take_trailer_line(line);
    default:
      return malformed();
  }
}

S3Result<void> AwsChunkedDecoder::take_size(std::string_view line) {
  const size_t semicolon = std::min(line.find(';'), line.size());
  const std::optional<uint64_t> size = parse_hex(line.substr(0, semicolon));
  if (!size) return malformed();
  std::string_view extension = line.substr(semicolon);
  if (options_.signer) {
    constexpr std::string_view kName = ";chunk-signature=";
    if (!extension.starts_with(kName)) return s3_fail("SignatureDoesNotMatch");
    chunk_signature_ = extension.substr(kName.size());
    chunk_hash_ = make_digest(v1::Checksum::SHA256);
  } else if (!extension.empty()) {
    return malformed();
  }
  if (*size > options_.decoded_bytes - decoded_) return wrong_length();
  decoded_ += *size;
  chunk_left_ = *size;
  last_ = *size == 0;
  if (!last_) {
    state_ = State::data;
    return {};
  }
  if (decoded_ != options_.decoded_bytes) return wrong_length();
  state_ = State::trailer_line;
  return end_chunk();
}

S3Result<void> AwsChunkedDecoder::end_chunk() {
  if (!last_) state_ = State::size_line;
  if (!options_.signer) return {};
  const std::string computed = options_.signer->chunk(chunk_hash_->finish());
  chunk_hash_.reset();
  return check_signature(computed, chunk_signature_);
}

S3Result<void> AwsChunkedDecoder::take_trailer_line(std::string_view line) {
  if (line.empty()) return end_trailer();
  trailer_bytes_ += line.size();
  const size_t colon = line.find(':');
  if (!options_.trailer || trailer_bytes_ > kChunkHeaderBytesMax || colon == 0 ||
      colon == std::string_view::npos || !trailer_signature_.empty())
    return s3_fail("MalformedTrailerError");
  const std::string name = lower_case(line.substr(0, colon));
  const std::string_view value = trim_spaces(line.substr(colon + 1));
  if (name == "x-amz-trailer-signature" && options_.signer && !value.empty()) {
    trailer_signature_ = value;
    return {};
  }
  if (name != options_.trailer_name || trailer_.has(name)) return s3_fail("MalformedTrailerError");
  trailer_.add(name, std::string(value));
  return {};
}

S3Result<void> AwsChunkedDecoder::end_trailer() {
  if (!options_.trailer_name.empty() && !trailer_.has(options_.trailer_name))
    return s3_fail("MalformedTrailerError");
  state_ = State::done;
  if (!options_.signer || !options_.trailer) return {};
  // Without fields there is nothing to sign, and clients differ in whether they do.
  if (trailer_.all().empty() && trailer_signature_.empty()) return {};
  std::string fields;
  for (const auto& [name, value] : trailer_.all()) fields += name + ":" + value + "\n";
  if (trailer_signature_.empty()) return s3_fail("MalformedTrailerError");
  return check_signature(options_.signer->trailer(fields), trailer_signature_);
}

S3Result<void> AwsChunkedDecoder::check_signature(std::string_view computed,
                                                  std::string_view given) const {
  if (!equal_in_constant_time(computed, given)) return s3_fail("SignatureDoesNotMatch");
  return {};
}

}  // namespace kura::s3
