#include "s3/op/digesting_body.h"

#include <utility>

namespace kura::s3 {
namespace {

v1::Checksum finish(Digest& digest, Algorithm algorithm) {
  v1::Checksum checksum;
  checksum.set_algorithm(algorithm);
  checksum.set_type(v1::Checksum::FULL_OBJECT);
  checksum.set_value(digest.finish());
  return checksum;
}

}  // namespace

CopiedBody::CopiedBody(std::unique_ptr<ResponseBody> bytes, uint64_t length_bytes,
                       Algorithm algorithm)
    : bytes_(std::move(bytes)),
      length_bytes_(length_bytes),
      algorithm_(algorithm),
      checksum_digest_(algorithm == v1::Checksum::NONE ? nullptr : make_digest(algorithm)) {}

Task<S3Result<std::string>> CopiedBody::next() {
  if (ended_) co_return std::string();
  Result<std::string> chunk = co_await bytes_->next();
  if (!chunk) co_return s3_fail(chunk.error());
  if (!chunk->empty()) {
    if (checksum_digest_) checksum_digest_->update(*chunk);
    co_await md5_digest_.update(*chunk);
    co_return std::move(*chunk);
  }
  ended_ = true;
  md5_ = md5_digest_.finish();
  if (checksum_digest_) checksum_ = finish(*checksum_digest_, algorithm_);
  co_return std::string();
}

DigestingBody::DigestingBody(VerifiedBody& inner, Algorithm algorithm)
    : inner_(inner), algorithm_(algorithm), digest_(make_digest(algorithm)) {}

Task<S3Result<std::string>> DigestingBody::next() {
  S3Result<std::string> chunk = co_await inner_.next();
  if (!chunk) co_return s3_fail(std::move(chunk.error()));
  if (!chunk->empty()) {
    digest_->update(*chunk);
  } else if (digest_) {
    checksum_ = finish(*std::exchange(digest_, nullptr), algorithm_);
  }
  co_return std::move(*chunk);
}

}  // namespace kura::s3
