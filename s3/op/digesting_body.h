// Bodies whose digests are computed here: the source of a copy, and a part whose upload asks for a
// checksum that the client did not send.

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "s3/auth/md5_turn.h"
#include "s3/codec/checksum.h"
#include "s3/http/message.h"

namespace kura::s3 {

// Stored bytes as a request body. Its MD5, and a checksum if `algorithm` is not NONE.
class CopiedBody : public VerifiedBody {
 public:
  CopiedBody(std::unique_ptr<ResponseBody> bytes, uint64_t length_bytes, Algorithm algorithm);
  Task<S3Result<std::string>> next() override;
  std::optional<uint64_t> length_bytes() const override { return length_bytes_; }
  const Headers& trailer() const override { return trailer_; }
  const std::string& md5() const override { return md5_; }
  Algorithm checksum_algorithm() const override { return algorithm_; }
  const v1::Checksum& checksum() const override { return checksum_; }

 private:
  std::unique_ptr<ResponseBody> bytes_;
  uint64_t length_bytes_;
  Algorithm algorithm_;
  BodyMd5 md5_digest_;
  std::unique_ptr<Digest> checksum_digest_;
  bool ended_ = false;
  std::string md5_;
  v1::Checksum checksum_;
  Headers trailer_;
};

// `inner` with one more digest; what else it knows is passed on.
class DigestingBody : public VerifiedBody {
 public:
  // REQUIRES: `algorithm` is not NONE; `inner` outlives this.
  DigestingBody(VerifiedBody& inner, Algorithm algorithm);
  Task<S3Result<std::string>> next() override;
  std::optional<uint64_t> length_bytes() const override { return inner_.length_bytes(); }
  const Headers& trailer() const override { return inner_.trailer(); }
  const std::string& md5() const override { return inner_.md5(); }
  Algorithm checksum_algorithm() const override { return algorithm_; }
  const v1::Checksum& checksum() const override { return checksum_; }

 private:
  VerifiedBody& inner_;
  Algorithm algorithm_;
  std::unique_ptr<Digest> digest_;
  v1::Checksum checksum_;
};

}  // namespace kura::s3
