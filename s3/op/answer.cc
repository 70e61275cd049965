#include "s3/op/answer.h"

#include <utility>

#include "base/limits.h"
#include "s3/codec/checksum.h"
#include "s3/codec/uri.h"

namespace kura::s3 {

Response xml_answer(XmlWriter xml) {
  Response response;
  response.headers.add("content-type", "application/xml");
  response.body = xml.finish();
  return response;
}

Response empty_answer(int status) {
  Response response;
  response.status = status;
  return response;
}

std::string url_of(const Request& request) {
  std::string url = request.encrypted ? "https://" : "http://";
  url += with_utf8_only(request.head.headers.get("host"));
  return url += request.head.path;
}

Task<S3Result<std::string>> read_document(Request& request) {
  std::string document;
  while (true) {
    S3Result<std::string> chunk = co_await request.body.next();
    if (!chunk) co_return s3_fail(std::move(chunk.error()));
    if (chunk->empty()) co_return document;
    document += *chunk;
    if (document.size() > kXmlBodyBytesMax) co_return s3_fail("EntityTooLarge");
  }
}

void add_checksum_headers(const v1::Checksum& checksum, uint32_t parts, Headers* headers) {
  if (checksum.algorithm() == v1::Checksum::NONE) return;
  headers->add(std::string(checksum_header(checksum.algorithm())),
               format_checksum(checksum, parts));
  headers->add("x-amz-checksum-type", std::string(checksum_type_name(checksum.type())));
}

void write_checksum(XmlWriter* xml, const v1::Checksum& checksum, uint32_t parts) {
  if (checksum.algorithm() == v1::Checksum::NONE) return;
  xml->text(checksum_element(checksum.algorithm()), format_checksum(checksum, parts));
  xml->text("ChecksumType", checksum_type_name(checksum.type()));
}

}  // namespace kura::s3
