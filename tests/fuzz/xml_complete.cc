// CompleteMultipartUpload bodies: as xml_delete.cc.

#include "base/limits.h"
#include "s3/codec/checksum.h"
#include "s3/codec/xml_request.h"
#include "s3/codec/xml_writer.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

using s3::CompleteRequest;

std::string written(const CompleteRequest& request) {
  s3::XmlWriter out("CompleteMultipartUpload");
  for (const CompleteRequest::Part& part : request.parts) {
    out.open("Part");
    out.number("PartNumber", part.number);
    out.text("ETag", part.etag);
    if (part.checksum)
      out.text(s3::checksum_element(part.checksum->algorithm()),
               s3::format_checksum(*part.checksum));
    out.close();
  }
  return out.finish();
}

bool same(const CompleteRequest::Part& a, const CompleteRequest::Part& b) {
  return a.number == b.number && a.etag == b.etag &&
         a.checksum.has_value() == b.checksum.has_value() &&
         (!a.checksum || a.checksum->SerializeAsString() == b.checksum->SerializeAsString());
}

}  // namespace

void fuzz_one(std::string_view input) {
  const auto request = s3::parse_complete(input);
  if (!request) {
    INVARIANT(request.error().code == "MalformedXML" || request.error().code == "InvalidArgument",
              "what a bad document is");
    return;
  }
  INVARIANT(!request->parts.empty() && request->parts.size() <= kPartNumberMax, "bounds");
  for (const auto& part : request->parts)
    INVARIANT(part.number >= 1 && part.number <= kPartNumberMax, "a part number");
  const auto again = s3::parse_complete(written(*request));
  INVARIANT(again && std::equal(again->parts.begin(), again->parts.end(), request->parts.begin(),
                                request->parts.end(), same),
            "a document reads as it was written");
}

}  // namespace kura::fuzz
