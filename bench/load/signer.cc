#include "bench/load/signer.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace kura::bench {
namespace {

constexpr std::string_view kPayload = "UNSIGNED-PAYLOAD";
constexpr std::string_view kSignedNames = "host;x-amz-content-sha256;x-amz-date";
constexpr size_t kBlockBytes = 64, kDigestBytes = 32;

void check(bool ok) {
  if (ok) return;
  std::fputs("kura_load: OpenSSL refuses SHA-256\n", stderr);
  std::abort();
}

std::string finish(EVP_MD_CTX* context) {
  std::string digest(kDigestBytes, '\0');
  unsigned int size = 0;
  check(EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(digest.data()), &size) == 1);
  return digest;
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (unsigned char byte : bytes) text += {kDigits[byte >> 4], kDigits[byte & 15]};
  return text;
}

// SHA-256 that has taken the key, padded and masked: RFC 2104.
Digest keyed(std::string_view key, unsigned char mask) {
  std::array<unsigned char, kBlockBytes> block;
  for (size_t i = 0; i < kBlockBytes; ++i)
    block[i] = static_cast<unsigned char>((i < key.size() ? key[i] : 0) ^ mask);
  Digest digest(EVP_MD_CTX_new());
  check(EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1);
  check(EVP_DigestUpdate(digest.get(), block.data(), block.size()) == 1);
  return digest;
}

std::string after(EVP_MD_CTX* work, const Digest& begun, std::string_view text) {
  check(EVP_MD_CTX_copy_ex(work, begun.get()) == 1);
  check(EVP_DigestUpdate(work, text.data(), text.size()) == 1);
  return finish(work);
}

std::string hmac(EVP_MD_CTX* work, std::string_view key, std::string_view text) {
  return after(work, keyed(key, 0x5c), after(work, keyed(key, 0x36), text));
}

std::string sha256_hex(std::string_view bytes) {
  static thread_local const Digest begun = [] {
    Digest digest(EVP_MD_CTX_new());
    check(EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1);
    return digest;
  }();
  static thread_local const Digest work(EVP_MD_CTX_new());
  return hex(after(work.get(), begun, bytes));
}

}  // namespace

Signer::Signer(std::string host, std::string access_key, std::string secret_key)
    : host_(std::move(host)),
      access_key_(std::move(access_key)),
      secret_key_(std::move(secret_key)),
      work_(EVP_MD_CTX_new()) {}

void Signer::stamp(std::time_t now) {
  second_ = now;
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> text;
  time_.assign(text.data(), std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc));
  if (time_.compare(0, 8, day_) == 0) return;
  day_ = time_.substr(0, 8);
  scope_ = day_ + "/us-east-1/s3/aws4_request";
  std::string key = "AWS4" + secret_key_;
  for (std::string_view part : {std::string_view(day_), std::string_view("us-east-1"),
                                std::string_view("s3"), std::string_view("aws4_request")})
    key = hmac(work_.get(), key, part);
  inner_ = keyed(key, 0x36);
  outer_ = keyed(key, 0x5c);
}

std::string Signer::signature(std::string_view text) {
  return hex(after(work_.get(), outer_, after(work_.get(), inner_, text)));
}

std::string Signer::head(const Target& t) {
  if (const std::time_t now = std::time(nullptr); now != second_) stamp(now);
  std::string canonical;
  canonical.reserve(512);
  canonical.append(t.method).append("\n").append(t.path).append("\n").append(t.query);
  canonical.append("\nhost:").append(host_).append("\nx-amz-content-sha256:").append(kPayload);
  canonical.append("\nx-amz-date:").append(time_).append("\n\n").append(kSignedNames);
  canonical.append("\n").append(kPayload);
  const std::string text =
      "AWS4-HMAC-SHA256\n" + time_ + "\n" + scope_ + "\n" + sha256_hex(canonical);
  std::string head;
  head.reserve(640);
  head.append(t.method).append(" ").append(t.path).append(t.query.empty() ? "" : "?");
  head.append(t.query).append(" HTTP/1.1\r\nhost: ").append(host_);
  head.append("\r\nx-amz-content-sha256: ").append(kPayload);
  head.append("\r\nx-amz-date: ").append(time_);
  if (t.body_bytes) head.append("\r\ncontent-length: ").append(std::to_string(*t.body_bytes));
  head.append("\r\nauthorization: AWS4-HMAC-SHA256 Credential=").append(access_key_);
  head.append("/").append(scope_).append(", SignedHeaders=").append(kSignedNames);
  head.append(", Signature=").append(signature(text)).append("\r\n\r\n");
  return head;
}

}  // namespace kura::bench
