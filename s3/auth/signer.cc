#include "s3/auth/signer.h"

#include <algorithm>

#include "base/check.h"
#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "s3/codec/time.h"
#include "s3/codec/uri.h"

namespace kura::s3 {
namespace {

// "host;x-amz-date"
std::string signed_headers_of(const RequestHead& head, bool all) {
  std::vector<std::string> names;
  for (const auto& [name, value] : head.headers.all()) {
    const bool content = name == "content-type" || name == "content-md5";
    if (all || name == "host" || name.starts_with("x-amz-") || content) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string out;
  for (const std::string& name : names) out += out.empty() ? name : ";" + name;
  return out;
}

std::string hex_size(size_t n) {
  std::string out;
  do {
    out.insert(out.begin(), "0123456789abcdef"[n & 15]);
  } while (n >>= 4);
  return out;
}

}  // namespace

Signer::Signer(std::string access_key, std::string secret, std::string region)
    : access_key_(std::move(access_key)), secret_(std::move(secret)), region_(std::move(region)) {}

SignatureClaim Signer::claim_at(int64_t now_ms) const {
  SignatureClaim claim;
  claim.access_key = access_key_;
  claim.timestamp = amz_date(now_ms);
  claim.time_ms = now_ms;
  claim.scope = {claim.timestamp.substr(0, 8), region_, "s3"};
  return claim;
}

ChunkSigner Signer::sign(RequestHead* head, std::string_view payload_hash, int64_t now_ms) const {
  SignatureClaim claim = claim_at(now_ms);
  claim.payload_hash = payload_hash;
  head->headers.add("x-amz-date", claim.timestamp);
  head->headers.add("x-amz-content-sha256", claim.payload_hash);
  claim.signed_headers = signed_headers_of(*head, false);
  const S3Result<std::string> canonical = canonical_request(*head, claim);
  INVARIANT(canonical.has_value(), "a client signs a well-formed target");
  const SigningKey key = derive_signing_key(secret_, claim.scope);
  const std::string signature =
      signature_of(key, string_to_sign(claim.timestamp, claim.scope, *canonical));
  head->headers.add("authorization", std::string(kSigV4Algorithm) + " Credential=" + access_key_ +
                                         "/" + claim.scope.text() + ",SignedHeaders=" +
                                         claim.signed_headers + ",Signature=" + signature);
  return ChunkSigner{key, claim.timestamp, claim.scope, signature};
}

void Signer::presign(RequestHead* head, int64_t now_ms, int64_t expires_s) const {
  SignatureClaim claim = claim_at(now_ms);
  claim.payload_hash = kUnsignedPayload;
  claim.signed_headers = signed_headers_of(*head, true);
  if (!head->query.empty()) head->query += '&';
  head->query += "X-Amz-Algorithm=" + std::string(kSigV4Algorithm) + "&X-Amz-Credential=" +
                 percent_encode(access_key_ + "/" + claim.scope.text(), false) +
                 "&X-Amz-Date=" + claim.timestamp + "&X-Amz-Expires=" + std::to_string(expires_s) +
                 "&X-Amz-SignedHeaders=" + percent_encode(claim.signed_headers, false);
  const S3Result<std::string> canonical = canonical_request(*head, claim);
  INVARIANT(canonical.has_value(), "a client signs a well-formed target");
  head->query +=
      "&X-Amz-Signature=" + signature_of(derive_signing_key(secret_, claim.scope),
                                         string_to_sign(claim.timestamp, claim.scope, *canonical));
}

std::string payload_hash_of(std::string_view body) { return hex_encode(sha256_of(body)); }

std::string encode_aws_chunked(std::string_view body, size_t chunk_bytes, ChunkSigner* signer,
                               const std::vector<Headers::Field>& trailer) {
  INVARIANT(chunk_bytes > 0, "a chunk has bytes");
  std::string out;
  const auto chunk_head = [&](std::string_view bytes) {
    out += hex_size(bytes.size());
    if (signer) out += ";chunk-signature=" + signer->chunk(sha256_of(bytes));
    out += "\r\n";
  };
  while (!body.empty()) {
    const std::string_view bytes = body.substr(0, chunk_bytes);
    body.remove_prefix(bytes.size());
    chunk_head(bytes);
    out += bytes;
    out += "\r\n";
  }
  chunk_head({});
  std::string signed_fields;
  for (const auto& [name, value] : trailer) {
    out += name + ":" + value + "\r\n";
    signed_fields += name + ":" + value + "\n";
  }
  if (signer && !trailer.empty())
    out += "x-amz-trailer-signature:" + signer->trailer(signed_fields) + "\r\n";
  return out + "\r\n";
}

}  // namespace kura::s3
