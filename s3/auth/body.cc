#include "s3/auth/body.h"

#include "s3/auth/aws_chunked.h"
#include "s3/auth/hmac.h"
#include "s3/auth/md5_turn.h"
#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"

namespace kura::s3 {
namespace {

// What the head says about the body.
struct Announced {
  std::optional<std::string> sha256;  // Raw, as the next one.
  std::optional<std::string> md5;
  AnnouncedChecksum checksum;
  std::optional<AwsChunkedDecoder::Options> chunks;  // None: no aws-chunked framing.
};

class CheckedBody final : public VerifiedBody {
 public:
  CheckedBody(BodySource& raw, Announced announced)
      : raw_(raw), announced_(std::move(announced)), length_bytes_(raw.length_bytes()) {
    if (!announced_.chunks) return;
    length_bytes_ = announced_.chunks->decoded_bytes;
    decoder_.emplace(std::move(*announced_.chunks));
  }

  Task<S3Result<std::string>> next() override {
    if (ended_) co_return std::string();
    begin();
    while (true) {
      S3Result<std::string> bytes = co_await raw_.next();
      if (!bytes) co_return bytes;
      if (bytes->empty()) {
        S3Result<void> good = finish();
        if (!good) co_return s3_fail(std::move(good.error()));
        ended_ = true;
        co_return std::string();
      }
      if (decoder_) {
        S3Result<void> decoded = decoder_->decode(&*bytes);
        if (!decoded) co_return s3_fail(std::move(decoded.error()));
        if (bytes->empty()) continue;
      }
      if (sha256_digest_) sha256_digest_->update(*bytes);
      if (checksum_digest_) checksum_digest_->update(*bytes);
      co_await md5_digest_.update(*bytes);
      co_return bytes;
    }
  }

  std::optional<uint64_t> length_bytes() const override { return length_bytes_; }
  const Headers& trailer() const override {
    return decoder_ ? decoder_->trailer() : raw_.trailer();
  }
  const std::string& md5() const override { return md5_; }
  Algorithm checksum_algorithm() const override { return announced_.checksum.algorithm; }
  const v1::Checksum& checksum() const override { return checksum_; }

 private:
  // Digests are made when the body is read: most requests have none.
  void begin() {
    if (std::exchange(begun_, true)) return;
    const Algorithm algorithm = announced_.checksum.algorithm;
    if (announced_.sha256) sha256_digest_ = make_digest(v1::Checksum::SHA256);
    if (algorithm != v1::Checksum::NONE && !shares_sha256())
      checksum_digest_ = make_digest(algorithm);
  }

  bool shares_sha256() const {
    return announced_.sha256 && announced_.checksum.algorithm == v1::Checksum::SHA256;
  }

  S3Result<void> finish() {
    if (decoder_ && !decoder_->done()) return s3_fail("IncompleteBody");
    const std::string sha256 = sha256_digest_ ? sha256_digest_->finish() : std::string();
    if (announced_.sha256 && !equal_in_constant_time(*announced_.sha256, sha256))
      return s3_fail("XAmzContentSHA256Mismatch");
    md5_ = md5_digest_.finish();
    if (announced_.md5 && *announced_.md5 != md5_) return s3_fail("BadDigest");
    if (announced_.checksum.algorithm == v1::Checksum::NONE) return {};
    return finish_checksum(shares_sha256() ? sha256 : checksum_digest_->finish());
  }

  S3Result<void> finish_checksum(std::string computed) {
    AnnouncedChecksum& announced = announced_.checksum;
    const std::string_view header = checksum_header(announced.algorithm);
    if (announced.trailer) {
      std::optional<std::string> raw = parse_checksum(announced.algorithm, trailer().get(header));
      if (!raw)
        return s3_fail("InvalidRequest",
                       "Value for " + std::string(header) + " trailing header is invalid.");
      announced.value = std::move(*raw);
    }
    if (announced.value != computed)
      return s3_fail("BadDigest", "The " + std::string(algorithm_name(announced.algorithm)) +
                                      " you specified did not match the calculated checksum.");
    checksum_.set_algorithm(announced.algorithm);
    checksum_.set_type(v1::Checksum::FULL_OBJECT);
    checksum_.set_value(std::move(computed));
    return {};
  }

  BodySource& raw_;
  Announced announced_;
  std::optional<AwsChunkedDecoder> decoder_;
  std::optional<uint64_t> length_bytes_;
  BodyMd5 md5_digest_;
  std::unique_ptr<Digest> sha256_digest_, checksum_digest_;
  std::string md5_;
  v1::Checksum checksum_;
  bool begun_ = false, ended_ = false;
};

S3Result<AwsChunkedDecoder::Options> chunk_options(const RequestHead& head,
                                                   const VerifiedRequest& request) {
  constexpr std::string_view kLength = "x-amz-decoded-content-length";
  if (!head.headers.has(kLength)) return s3_fail("MissingContentLength");
  const std::optional<uint64_t> decoded = parse_decimal(head.headers.get(kLength));
  if (!decoded || head.headers.count(kLength) > 1)
    return s3_fail("InvalidArgument", "x-amz-decoded-content-length is not a number of bytes.");
  AwsChunkedDecoder::Options options;
  options.decoded_bytes = *decoded;
  if (request.payload_hash != kStreamingUnsignedTrailer) options.signer = request.chunks;
  options.trailer = request.payload_hash != kStreamingSigned;
  options.trailer_name = lower_case(trim_spaces(head.headers.get("x-amz-trailer")));
  return options;
}

S3Result<void> read_payload_form(const RequestHead& head, const VerifiedRequest& request,
                                 Announced* out) {
  const std::string& hash = request.payload_hash;
  if (hash == kUnsignedPayload) return {};
  if (hash == kStreamingSigned || hash == kStreamingSignedTrailer ||
      hash == kStreamingUnsignedTrailer) {
    S3Result<AwsChunkedDecoder::Options> options = chunk_options(head, request);
    if (!options) return s3_fail(std::move(options.error()));
    out->chunks = std::move(*options);
    return {};
  }
  if (hash.starts_with("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"))
    return s3_fail("NotImplemented", "Signature Version 4A is not implemented.");
  if (hash.size() == 64) out->sha256 = hex_decode(hash);
  if (!out->sha256)
    return s3_fail("InvalidArgument",
                   "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
                   "STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
                   "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.");
  return {};
}

}  // namespace

S3Result<std::unique_ptr<VerifiedBody>> make_verified_body(BodySource& raw, const RequestHead& head,
                                                           const VerifiedRequest& request) {
  Announced announced;
  if (auto form = read_payload_form(head, request, &announced); !form)
    return s3_fail(std::move(form.error()));
  if (head.headers.has("content-md5")) {
    announced.md5 = base64_decode(head.headers.get("content-md5"));
    if (!announced.md5 || announced.md5->size() != 16 || head.headers.count("content-md5") > 1)
      return s3_fail("InvalidDigest");
  }
  S3Result<AnnouncedChecksum> checksum = announced_checksum(head.headers);
  if (!checksum) return s3_fail(std::move(checksum.error()));
  announced.checksum = std::move(*checksum);
  const bool may_have_trailer = announced.chunks && announced.chunks->trailer;
  if (head.headers.has("x-amz-trailer") && !may_have_trailer)
    return s3_fail("InvalidRequest",
                   "x-amz-trailer needs a STREAMING-...-TRAILER form of x-amz-content-sha256.");
  return std::make_unique<CheckedBody>(raw, std::move(announced));
}

}  // namespace kura::s3
