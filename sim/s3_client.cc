#include "sim/s3_client.h"

#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "s3/codec/uri.h"

namespace kura::sim {
namespace {

constexpr size_t kChunkBytes = 16 * 1024;

std::string query_text(const std::vector<std::pair<std::string, std::string>>& query) {
  std::string out;
  for (const auto& [name, value] : query) {
    if (!out.empty()) out += '&';
    out += s3::percent_encode(name, false) + "=" + s3::percent_encode(value, false);
  }
  return out;
}

}  // namespace

HttpRequest S3Client::sign(const S3Request& request, int64_t now_ms) const {
  HttpRequest out;
  out.expect_continue = request.expect_continue;
  out.abandon_after = request.abandon_after;
  s3::RequestHead& head = out.head;
  head.method = request.method;
  head.path = "/";
  if (!request.bucket.empty()) head.path += request.bucket;
  if (!request.key.empty()) head.path += "/" + s3::percent_encode(request.key, true);
  head.query = query_text(request.query);
  head.headers.add("host", address_);
  for (const auto& [name, value] : request.headers) head.headers.add(name, value);
  if (!request.invocation_id.empty())
    head.headers.add("amz-sdk-invocation-id", request.invocation_id);

  if (request.form == BodyForm::hash || request.form == BodyForm::unsigned_payload) {
    const bool hash = request.form == BodyForm::hash;
    signer_.sign(&head, hash ? s3::payload_hash_of(request.body) : s3::kUnsignedPayload, now_ms);
    out.body = request.body;
    return out;
  }
  const bool with_trailer = request.form == BodyForm::chunked_trailer;
  head.headers.add("content-encoding", "aws-chunked");
  head.headers.add("x-amz-decoded-content-length", std::to_string(request.body.size()));
  std::vector<s3::Headers::Field> trailer;
  if (with_trailer) {
    auto digest = s3::make_digest(v1::Checksum::CRC32C);
    digest->update(request.body);
    trailer.emplace_back("x-amz-checksum-crc32c", s3::base64_encode(digest->finish()));
    head.headers.add("x-amz-trailer", "x-amz-checksum-crc32c");
  }
  s3::ChunkSigner chunks = signer_.sign(
      &head, with_trailer ? s3::kStreamingSignedTrailer : s3::kStreamingSigned, now_ms);
  out.body = s3::encode_aws_chunked(request.body, kChunkBytes, &chunks, trailer);
  return out;
}

Task<S3Reply> S3Client::call(S3Request request, int64_t timeout_ns) {
  S3Reply out;
  if (connection_ && !connection_->usable()) connection_ = nullptr;
  if (!connection_) {
    auto stream = co_await network_.connect(host_, address_);
    if (!stream) co_return out;
    connection_ = std::make_unique<HttpConnection>(std::move(*stream));
  }
  HttpRequest signed_request = sign(request, Loop::current()->clock().wall_ms());
  Result<HttpReply> reply = co_await connection_->exchange(std::move(signed_request), timeout_ns);
  if (!connection_->usable()) connection_ = nullptr;
  out.sent = true;
  if (!reply) co_return out;
  out.answered = true;
  out.status = reply->status;
  out.headers = std::move(reply->headers);
  out.body = std::move(reply->body);
  if (out.status >= 300) out.code = xml_text(out.body, "Code");
  co_return out;
}

std::vector<std::string_view> xml_elements(std::string_view xml, std::string_view element) {
  const std::string open = "<" + std::string(element) + ">";
  const std::string close = "</" + std::string(element) + ">";
  std::vector<std::string_view> out;
  for (size_t at = 0; (at = xml.find(open, at)) != std::string_view::npos;) {
    at += open.size();
    const size_t end = xml.find(close, at);
    if (end == std::string_view::npos) break;
    out.push_back(xml.substr(at, end - at));
    at = end + close.size();
  }
  return out;
}

std::string xml_text(std::string_view xml, std::string_view element) {
  const auto found = xml_elements(xml, element);
  if (found.empty()) return {};
  std::string out;
  constexpr std::pair<std::string_view, char> kEntities[] = {
      {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
  for (std::string_view rest = found[0]; !rest.empty();) {
    size_t used = 1;
    char c = rest[0];
    for (const auto& [entity, meaning] : kEntities) {
      if (!rest.starts_with(entity)) continue;
      c = meaning;
      used = entity.size();
    }
    if (used == 1 && rest.starts_with("&#")) {
      const size_t end = rest.find(';');
      const bool hex = rest.size() > 2 && rest[2] == 'x';
      c = static_cast<char>(std::strtoul(rest.data() + (hex ? 3 : 2), nullptr, hex ? 16 : 10));
      used = end + 1;
    }
    out += c;
    rest.remove_prefix(used);
  }
  return out;
}

}  // namespace kura::sim
