// DeleteObjects bodies: what is accepted is within bounds, and reads the same when written again.

#include "base/limits.h"
#include "s3/codec/time.h"
#include "s3/codec/xml_request.h"
#include "s3/codec/xml_writer.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

using s3::DeleteRequest;

std::string written(const DeleteRequest& request) {
  s3::XmlWriter out("Delete");
  out.flag("Quiet", request.quiet);
  for (const DeleteRequest::Object& object : request.objects) {
    out.open("Object");
    out.text("Key", object.key);
    if (object.version_id) out.text("VersionId", *object.version_id);
    if (object.etag) out.text("ETag", *object.etag);
    if (object.size_bytes) out.number("Size", *object.size_bytes);
    if (object.last_modified_ms)
      out.text("LastModifiedTime", s3::iso8601(*object.last_modified_ms));
    out.close();
  }
  return out.finish();
}

bool same(const DeleteRequest& a, const DeleteRequest& b) {
  return a.quiet == b.quiet && std::equal(a.objects.begin(), a.objects.end(), b.objects.begin(),
                                          b.objects.end(), [](const auto& x, const auto& y) {
                                            return x.key == y.key && x.version_id == y.version_id &&
                                                   x.etag == y.etag &&
                                                   x.size_bytes == y.size_bytes &&
                                                   x.last_modified_ms == y.last_modified_ms;
                                          });
}

}  // namespace

void fuzz_one(std::string_view input) {
  const auto request = s3::parse_delete(input);
  if (!request) {
    INVARIANT(request.error().code == "MalformedXML", "what a bad document is");
    return;
  }
  INVARIANT(!request->objects.empty() && request->objects.size() <= kDeleteObjectsMax, "bounds");
  for (const auto& object : request->objects) INVARIANT(!object.key.empty(), "a key");
  const auto again = s3::parse_delete(written(*request));
  INVARIANT(again && same(*again, *request), "a document reads as it was written");
}

}  // namespace kura::fuzz
