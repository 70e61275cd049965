#include "s3/auth/body.h"

#include "s3/auth/aws_chunked.h"
#include "s3/auth/hmac.h"
#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"

namespace kura::s3 {
namespace {

// What the head says about the body.
struct Announced {
  std::optional<std::string> sha256;  // Hex, of the whole body.
  std::optional<std::string> md5;     // Raw.
  AnnouncedChecksum checksum;
  std::optional<uint64_t> decoded_bytes;
  bool aws_chunked = false;
  bool signed_chunks = false;
  bool with_trailer = false;
};

class CheckedBody final : public VerifiedBody {
 public:
  CheckedBody(BodySource& raw, Announced announced, const VerifiedRequest& request)
      : raw_(raw), announced_(std::move(announced)), md5_digest_(make_md5()) {
    if (announced_.aws_chunked) {
      std::optional<ChunkSigner> signer;
      if (announced_.signed_chunks) signer = request.chunks;
      decoder_.emplace(std::move(signer), announced_.with_trailer);
    }
    if (announced_.sha256) sha256_digest_ = make_digest(v1::Checksum::SHA256);
    if (announced_.checksum.algorithm != v1::Checksum::NONE)
      checksum_digest_ = make_digest(announced_.checksum.algorithm);
  }

  Task<S3Result<std::string>> next() override {
    if (ended_) co_return std::string();
    for (;;) {
      S3Result<std::string> bytes = co_await raw_.next();
      if (!bytes) co_return bytes;
      if (bytes->empty()) {
        S3Result<void> good = finish();
        if (!good) co_return s3_fail(good.error());
        ended_ = true;
        co_return std::string();
      }
      if (decoder_) {
        S3Result<std::string> decoded = decoder_->feed(*bytes);
        if (!decoded) co_return s3_fail(decoded.error());
        *bytes = std::move(*decoded);
        if (bytes->empty()) continue;
      }
      S3Result<void> taken = take(*bytes);
      if (!taken) co_return s3_fail(taken.error());
      co_return bytes;
    }
  }

  std::optional<uint64_t> length_bytes() const override {
    return announced_.aws_chunked ? announced_.decoded_bytes : raw_.length_bytes();
  }
  const Headers& trailer() const override { return decoder_ ? decoder_->trailer() : raw_.trailer(); }
  const std::string& md5() const override { return md5_; }
  Algorithm checksum_algorithm() const override { return announced_.checksum.algorithm; }
  const v1::Checksum& checksum() const override { return checksum_; }

 private:
  S3Result<void> take(std::string_view bytes) {
    size_ += bytes.size();
    if (announced_.decoded_bytes && size_ > *announced_.decoded_bytes)
      return s3_fail("IncompleteBody", "The body is longer than x-amz-decoded-content-length");
    md5_digest_->update(bytes);
    if (sha256_digest_) sha256_digest_->update(bytes);
    if (checksum_digest_) checksum_digest_->update(bytes);
    return {};
  }

  S3Result<void> finish() {
    if (decoder_ && !decoder_->done()) return s3_fail("IncompleteBody");
    if (announced_.decoded_bytes && size_ != *announced_.decoded_bytes)
      return s3_fail("IncompleteBody");
    if (sha256_digest_ && hex_encode(sha256_digest_->finish()) != *announced_.sha256)
      return s3_fail("XAmzContentSHA256Mismatch");
    md5_ = md5_digest_->finish();
    if (announced_.md5 && md5_ != *announced_.md5) return s3_fail("BadDigest");
    return finish_checksum();
  }

  S3Result<void> finish_checksum() {
    const AnnouncedChecksum& announced = announced_.checksum;
    if (decoder_) {
      for (const auto& [name, value] : decoder_->trailer().all())
        if (algorithm_from_header(name) &&
            !(announced.trailer && name == checksum_header(announced.algorithm)))
          return s3_fail("MalformedTrailerError", "A trailer was not announced");
    }
    if (!checksum_digest_) return {};
    std::string expected = announced.value;
    if (announced.trailer) {
      const auto name = checksum_header(announced.algorithm);
      if (!trailer().has(name))
        return s3_fail("MalformedTrailerError", "The announced trailer is missing");
      auto value = parse_checksum(announced.algorithm, trailer().get(name));
      if (!value)
        return s3_fail("InvalidRequest", "Value for " + std::string(name) + " trailing header is invalid.");
      expected = *value;
    }
    const std::string computed = checksum_digest_->finish();
    if (computed != expected) {
      return s3_fail("BadDigest", "The " + std::string(algorithm_name(announced.algorithm)) +
                                      " you specified did not match the calculated checksum.");
    }
    checksum_.set_algorithm(announced.algorithm);
    checksum_.set_type(v1::Checksum::FULL_OBJECT);
    checksum_.set_value(computed);
    return {};
  }

  BodySource& raw_;
  const Announced announced_;
  std::optional<AwsChunkedDecoder> decoder_;
  std::unique_ptr<Digest> md5_digest_, sha256_digest_, checksum_digest_;
  uint64_t size_ = 0;
  bool ended_ = false;
  std::string md5_;
  v1::Checksum checksum_;
};

bool is_hex_sha256(std::string_view text) { return text.size() == 64 && hex_decode(text); }

S3Result<void> payload_form(const RequestHead& head, std::string_view hash, Announced& out) {
  if (hash == kStreamingSigned || hash == kStreamingSignedTrailer ||
      hash == kStreamingUnsignedTrailer) {
    out.aws_chunked = true;
    out.signed_chunks = hash != kStreamingUnsignedTrailer;
    out.with_trailer = hash != kStreamingSigned;
    if (!head.headers.has("x-amz-decoded-content-length")) return s3_fail("MissingContentLength");
    out.decoded_bytes = parse_decimal(head.headers.get("x-amz-decoded-content-length"));
    if (!out.decoded_bytes)
      return s3_fail("InvalidArgument", "x-amz-decoded-content-length is not a number");
    return {};
  }
  if (hash == kUnsignedPayload) return {};
  if (!is_hex_sha256(hash))
    return s3_fail("InvalidArgument",
                   "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a streaming form or a SHA-256");
  out.sha256 = lower_case(hash);
  return {};
}

}  // namespace

S3Result<std::unique_ptr<VerifiedBody>> make_verified_body(BodySource& raw,
                                                           const RequestHead& head,
                                                           const VerifiedRequest& request) {
  Announced announced;
  auto form = payload_form(head, request.payload_hash, announced);
  if (!form) return s3_fail(form.error());
  if (head.headers.has("content-md5")) {
    announced.md5 = base64_decode(head.headers.get("content-md5"));
    if (!announced.md5 || announced.md5->size() != 16) return s3_fail("InvalidDigest");
  }
  auto checksum = announced_checksum(head.headers);
  if (!checksum) return s3_fail(checksum.error());
  announced.checksum = std::move(*checksum);
  if (announced.checksum.trailer && !announced.with_trailer)
    return s3_fail("InvalidRequest", "x-amz-trailer needs a streaming payload with a trailer");
  return std::unique_ptr<VerifiedBody>(
      std::make_unique<CheckedBody>(raw, std::move(announced), request));
}

}  // namespace kura::s3
