// What a request is about, looked up: its bucket, its object, its upload. Errors carry AWS's
// details.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "s3/op/operation.h"

namespace kura::s3 {

// Errors: NoSuchBucket.
S3Result<Bucket> find_bucket(const Context& context, std::string_view name);

// The region that the bucket shows: that of its creation, else the server's.
std::string region_of(const Bucket& bucket, const Settings& settings);

// The current version. `version_id` is that of the request: none, or "null", the only one that an
// unversioned bucket has. Errors: NoSuchKey, NoSuchVersion, InvalidArgument, those of the view.
S3Result<v1::ObjectVersion> find_object(const Context& context, BucketId bucket,
                                        std::string_view key, const std::string* version_id);

// The version id that a query names; null: none.
const std::string* version_id_of(const Query& query);

// "null" or 32 hex digits; null is fine too. Errors: InvalidArgument.
S3Result<void> check_version_id(const std::string* version_id);

// An upload id as clients see it is 32 hex digits: 16 bytes. None: it is no such text.
std::optional<std::string> parse_upload_id(std::string_view text);
// That of the request. Errors: NoSuchUpload.
S3Result<std::string> upload_id_of(const Request& request);
S3Error no_such_upload(std::string_view upload_id);

// All parts of a version, by number; none of one that was written in one piece. Errors: not_found
// when they are no longer there, because the version is not current any more; those of the view.
Result<std::vector<v1::Part>> parts_of(const MetadataView& view, const v1::ObjectVersion& version);

// A read follows a version to its parts and bytes. In between these may be moved, or the object
// overwritten or deleted: then it looks the version up again.
inline constexpr int kLookupsMax = 5;  // Each time somebody else has made progress.

class Lookups {
 public:
  // After each that led to `error`: whether to look up again, as after not_found. After the last
  // one that becomes unavailable: the object is there, its bytes are not.
  bool again(Error& error) {
    if (error.code != Errc::not_found) return false;
    if (++done_ < kLookupsMax) return true;
    error.code = Errc::unavailable;
    return false;
  }

 private:
  int done_ = 0;
};

struct ObjectParts {
  v1::ObjectVersion version;
  std::vector<v1::Part> parts;  // As of parts_of(); none unless they are wanted.
};

// As find_object(), with the parts that this very version has if it `wants_parts`.
S3Result<ObjectParts> find_object_parts(
    const Context& context, BucketId bucket, std::string_view key, const std::string* version_id,
    const std::function<bool(const v1::ObjectVersion&)>& wants_parts);

}  // namespace kura::s3
