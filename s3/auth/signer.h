// The client's side of Signature Version 4: for the command line, the simulator's clients and
// tests.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "s3/auth/sigv4.h"

namespace kura::s3 {

class Signer {
 public:
  Signer(std::string access_key, std::string secret, std::string region = "us-east-1");

  // Adds x-amz-date, x-amz-content-sha256 and authorization. REQUIRES: `head` has its final method,
  // path, query and headers, "host" among them. `payload_hash`: hex digest of the body,
  // kUnsignedPayload, or a streaming form. Signs host and every x-amz-* and content-* header.
  // Returns the seed for the chunks of a streaming body.
  ChunkSigner sign(RequestHead* head, std::string_view payload_hash, int64_t now_ms) const;
  // Adds the query parameters of a presigned request. Signs every header that `head` has.
  void presign(RequestHead* head, int64_t now_ms, int64_t expires_s) const;

 private:
  SignatureClaim claim_at(int64_t now_ms) const;

  std::string access_key_;
  std::string secret_;
  std::string region_;
};

// Hex SHA-256, as x-amz-content-sha256 wants it.
std::string payload_hash_of(std::string_view body);

// A whole body in aws-chunked form. With `signer`: signed chunks. `trailer`: fields after the last
// chunk ("x-amz-checksum-crc32", base64); with a signer they are signed too when not empty.
std::string encode_aws_chunked(std::string_view body, size_t chunk_bytes, ChunkSigner* signer,
                               const std::vector<Headers::Field>& trailer);

}  // namespace kura::s3
