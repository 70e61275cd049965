// Heads of S3 requests, signed with SigV4 in the header (AWS General Reference, "Signature Version
// 4"), the payload unsigned.
//
// The key of the day and the two halves of its HMAC are kept, so that a signature costs three
// compressions and not twenty: the client has to be cheaper than the server it loads.

#pragma once

#include <openssl/evp.h>

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace kura::bench {

struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Digest = std::unique_ptr<EVP_MD_CTX, FreeDigest>;

struct Target {
  std::string method, path, query;  // As sent: keys here need no escapes. The query is sorted.
  std::optional<uint64_t> body_bytes;
};

// One thread.
class Signer {
 public:
  Signer(std::string host, std::string access_key, std::string secret_key);

  // The head with the empty line that ends it.
  std::string head(const Target& target);

 private:
  void stamp(std::time_t now);
  std::string signature(std::string_view text);

  std::string host_, access_key_, secret_key_;
  std::time_t second_ = 0;
  std::string time_, day_, scope_;  // "20260102T030405Z", "20260102", "20260102/us-east-1/..."
  Digest inner_, outer_, work_;     // SHA-256 after the padded key of the day.
};

}  // namespace kura::bench
