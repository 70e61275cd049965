#include "s3/auth/aws_chunked.h"

#include "base/limits.h"
#include "s3/auth/hmac.h"
#include "s3/codec/encoding.h"

namespace kura::s3 {
namespace {

constexpr std::string_view kSignatureField = "chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";
constexpr size_t kSizeDigitsMax = 15;  // Far above any body.
constexpr size_t kTrailerFieldsMax = 16;

std::optional<uint64_t> parse_size(std::string_view text) {
  if (text.empty() || text.size() > kSizeDigitsMax) return std::nullopt;
  uint64_t size = 0;
  for (char c : text) {
    const int digit = hex_digit(c);
    if (digit < 0) return std::nullopt;
    size = size * 16 + static_cast<uint64_t>(digit);
  }
  return size;
}

}  // namespace

AwsChunkedDecoder::AwsChunkedDecoder(std::optional<ChunkSigner> signer, bool with_trailer)
    : signer_(std::move(signer)), with_trailer_(with_trailer) {}

// True when line_ holds a whole line.
S3Result<bool> AwsChunkedDecoder::take_line(std::string_view& bytes) {
  const size_t end = bytes.find('\n');
  const size_t taken = end == std::string_view::npos ? bytes.size() : end;
  if (line_.size() + taken > kChunkHeaderBytesMax)
    return s3_fail("InvalidChunkSizeError", "A line of the chunked body is too long");
  line_.append(bytes.substr(0, taken));
  if (end == std::string_view::npos) {
    bytes = {};
    return false;
  }
  bytes.remove_prefix(end + 1);
  if (line_.empty() || line_.back() != '\r')
    return s3_fail("InvalidChunkSizeError", "A line of the chunked body does not end with CRLF");
  line_.pop_back();
  return true;
}

S3Result<void> AwsChunkedDecoder::begin_chunk() {
  std::string_view line = line_;
  const size_t semicolon = line.find(';');
  auto size = parse_size(line.substr(0, semicolon));
  if (!size) return s3_fail("InvalidChunkSizeError");
  if (signer_) {
    std::string_view field =
        semicolon == std::string_view::npos ? std::string_view() : line.substr(semicolon + 1);
    if (field.substr(0, kSignatureField.size()) != kSignatureField)
      return s3_fail("SignatureDoesNotMatch");
    signature_ = field.substr(kSignatureField.size());
  } else if (semicolon != std::string_view::npos) {
    return s3_fail("InvalidChunkSizeError", "The body is not one of signed chunks");
  }
  left_ = *size;
  if (signer_) digest_ = make_digest(v1::Checksum::SHA256);
  if (left_ > 0) {
    state_ = State::data;
    return {};
  }
  auto last = end_chunk();
  if (!last) return last;
  state_ = State::trailer;
  return {};
}

S3Result<void> AwsChunkedDecoder::end_chunk() {
  if (!signer_) return {};
  if (!equal_in_constant_time(signer_->chunk(digest_->finish()), signature_))
    return s3_fail("SignatureDoesNotMatch");
  return {};
}

S3Result<void> AwsChunkedDecoder::trailer_line() {
  const size_t colon = line_.find(':');
  if (!with_trailer_ || colon == 0 || colon == std::string::npos ||
      trailer_.all().size() >= kTrailerFieldsMax)
    return s3_fail("MalformedTrailerError");
  std::string name = lower_case(trim_spaces(std::string_view(line_).substr(0, colon)));
  std::string value(trim_spaces(std::string_view(line_).substr(colon + 1)));
  if (name == kTrailerSignature) {
    if (!signer_ || !trailer_signature_.empty()) return s3_fail("MalformedTrailerError");
    trailer_signature_ = value;
    return {};
  }
  if (!trailer_signature_.empty() || trailer_.has(name)) return s3_fail("MalformedTrailerError");
  signed_trailer_ += name + ":" + value + "\n";
  trailer_.add(std::move(name), std::move(value));
  return {};
}

S3Result<void> AwsChunkedDecoder::end_trailer() {
  state_ = State::done;
  if (!signer_ || !with_trailer_ || signed_trailer_.empty()) return {};
  if (!equal_in_constant_time(signer_->trailer(signed_trailer_), trailer_signature_))
    return s3_fail("SignatureDoesNotMatch");
  return {};
}

S3Result<std::string> AwsChunkedDecoder::feed(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    if (state_ == State::done)
      return s3_fail("InvalidRequest", "There are bytes behind the last chunk");
    if (state_ == State::data) {
      const std::string_view data = bytes.substr(0, left_);
      if (digest_) digest_->update(data);
      out.append(data);
      left_ -= data.size();
      bytes.remove_prefix(data.size());
      if (left_ == 0) state_ = State::data_end;
      continue;
    }
    auto whole = take_line(bytes);
    if (!whole) return s3_fail(whole.error());
    if (!*whole) break;
    S3Result<void> taken;
    if (state_ == State::size_line) {
      taken = begin_chunk();
    } else if (state_ == State::data_end) {
      if (!line_.empty()) return s3_fail("InvalidChunkSizeError");
      state_ = State::size_line;
      taken = end_chunk();
    } else {
      taken = line_.empty() ? end_trailer() : trailer_line();
    }
    line_.clear();
    if (!taken) return s3_fail(taken.error());
  }
  return out;
}

}  // namespace kura::s3
