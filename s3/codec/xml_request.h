// The XML documents that requests carry. Unknown or doubled elements are MalformedXML: an element
// that is passed over could be a condition that the client relies on.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "object.pb.h"
#include "s3/http/error.h"

namespace kura::s3 {

// S3 API, DeleteObjects.
struct DeleteRequest {
  struct Object {
    std::string key;  // Any text but empty; not checked further.
    std::optional<std::string> version_id;
    std::optional<std::string> etag;  // As sent: with quotes or without.
    std::optional<uint64_t> size_bytes;
    std::optional<int64_t> last_modified_ms;
  };
  std::vector<Object> objects;  // [1, kDeleteObjectsMax]
  bool quiet = false;
};
S3Result<DeleteRequest> parse_delete(std::string_view xml);

// S3 API, CompleteMultipartUpload. Parts as listed: order and existence are not judged here.
struct CompleteRequest {
  struct Part {
    uint32_t number = 0;  // [1, kPartNumberMax]
    std::string etag;     // As sent.
    std::optional<v1::Checksum> checksum;
  };
  std::vector<Part> parts;  // [1, kPartNumberMax]
};
// Errors: MalformedXML; InvalidArgument (a part number out of range).
S3Result<CompleteRequest> parse_complete(std::string_view xml);

// S3 API, CreateBucket: the LocationConstraint, empty if there is none. An empty body is allowed.
// Errors: MalformedXML; NotImplemented (tags).
S3Result<std::string> parse_create_bucket(std::string_view xml);

}  // namespace kura::s3
