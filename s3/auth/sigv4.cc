#include "s3/auth/sigv4.h"

#include <algorithm>

#include "s3/auth/hmac.h"
#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "s3/codec/uri.h"

namespace kura::s3 {
namespace {

// SHA-256 of nothing, in the string to sign of every chunk.
constexpr std::string_view kEmptyHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// Trimmed, with each run of spaces and tabs as one space.
void append_folded(std::string* out, std::string_view value) {
  value = trim_spaces(value);
  if (value.find("  ") == value.npos && value.find('\t') == value.npos) {
    out->append(value);
    return;
  }
  bool space = false;
  for (char c : value) {
    if (c == ' ' || c == '\t') {
      space = true;
      continue;
    }
    if (space) *out += ' ';
    space = false;
    *out += c;
  }
}

// Fields of one name stay in the order sent.
std::vector<const Headers::Field*> by_name(const Headers& headers) {
  std::vector<const Headers::Field*> fields;
  fields.reserve(headers.all().size());
  for (const Headers::Field& field : headers.all()) fields.push_back(&field);
  std::stable_sort(fields.begin(), fields.end(),
                   [](const auto* a, const auto* b) { return a->first < b->first; });
  return fields;
}

S3Result<std::string> canonical_query(std::string_view raw, RepeatedParams order) {
  S3Result<QueryParams> params = parse_query(raw);
  if (!params) return s3_fail(std::move(params.error()));
  std::vector<std::pair<std::string, std::string>> encoded;
  for (const auto& [name, value] : *params)
    if (name != "X-Amz-Signature")
      encoded.emplace_back(percent_encode(name, false), percent_encode(value, false));
  if (order == RepeatedParams::by_value)
    std::sort(encoded.begin(), encoded.end());
  else
    std::stable_sort(encoded.begin(), encoded.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string out;
  for (const auto& [name, value] : encoded) {
    if (!out.empty()) out += '&';
    out += name;
    out += '=';
    out += value;
  }
  return out;
}

}  // namespace

SignatureClaim::SignatureClaim() = default;
SignatureClaim::SignatureClaim(const SignatureClaim&) = default;
SignatureClaim::SignatureClaim(SignatureClaim&&) noexcept = default;
SignatureClaim& SignatureClaim::operator=(const SignatureClaim&) = default;
SignatureClaim& SignatureClaim::operator=(SignatureClaim&&) noexcept = default;
SignatureClaim::~SignatureClaim() = default;

std::string Scope::text() const {
  std::string out;
  out.reserve(date.size() + region.size() + service.size() + 16);
  out.append(date).append("/").append(region).append("/").append(service).append("/aws4_request");
  return out;
}

std::vector<std::string_view> SignatureClaim::signed_header_names() const {
  std::vector<std::string_view> names;
  names.reserve(8);
  std::string_view rest = signed_headers;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(';'), rest.size());
    names.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return names;
}

S3Result<std::string> canonical_request(const RequestHead& head, const SignatureClaim& claim,
                                        RepeatedParams order) {
  const std::optional<std::string> path = percent_decode(head.path, false);
  if (!path) return s3_fail("InvalidURI");
  S3Result<std::string> query = canonical_query(head.query, order);
  if (!query) return query;

  std::string out;
  out.reserve(1024);
  out += head.method;
  out += '\n';
  out += percent_encode(*path, true);
  out += '\n';
  out += *query;
  out += '\n';
  const std::vector<const Headers::Field*> fields = by_name(head.headers);
  for (std::string_view name : claim.signed_header_names()) {
    out += name;
    out += ':';
    auto field = std::lower_bound(fields.begin(), fields.end(), name,
                                  [](const auto* f, std::string_view n) { return f->first < n; });
    for (bool first = true; field != fields.end() && (*field)->first == name; ++field) {
      if (!first) out += ',';
      first = false;
      append_folded(&out, (*field)->second);
    }
    out += '\n';
  }
  out += '\n';
  out += claim.signed_headers;
  out += '\n';
  out += claim.payload_hash;
  return out;
}

std::string string_to_sign(std::string_view timestamp, const Scope& scope,
                           std::string_view canonical_request) {
  std::string out;
  out.reserve(192);
  out += kSigV4Algorithm;
  out += '\n';
  out += timestamp;
  out += '\n';
  out += scope.text();
  out += '\n';
  out += hex_encode(sha256_of(canonical_request));
  return out;
}

SigningKey derive_signing_key(std::string_view secret, const Scope& scope) {
  SigningKey key = hmac_sha256("AWS4" + std::string(secret), scope.date);
  key = hmac_sha256(as_view(key), scope.region);
  key = hmac_sha256(as_view(key), scope.service);
  return hmac_sha256(as_view(key), "aws4_request");
}

std::string signature_of(const SigningKey& key, std::string_view text) {
  return hex_encode(as_view(hmac_sha256(as_view(key), text)));
}

std::string ChunkSigner::chunk(std::string_view payload_sha256) {
  std::string text = "AWS4-HMAC-SHA256-PAYLOAD\n" + timestamp + "\n" + scope.text() + "\n" +
                     previous + "\n" + std::string(kEmptyHash) + "\n" + hex_encode(payload_sha256);
  return previous = signature_of(key, text);
}

std::string ChunkSigner::trailer(std::string_view trailer_fields) {
  std::string text = "AWS4-HMAC-SHA256-TRAILER\n" + timestamp + "\n" + scope.text() + "\n" +
                     previous + "\n" + hex_encode(sha256_of(trailer_fields));
  return previous = signature_of(key, text);
}

}  // namespace kura::s3
