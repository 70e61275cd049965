// What a request is about, looked up: its bucket, its object, its upload. Errors carry AWS's
// details.

#pragma once

#include <string>
#include <string_view>

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

// An upload id as clients see it is 32 hex digits. Errors: NoSuchUpload.
S3Result<std::string> upload_id_of(const Request& request);  // 16 bytes.
S3Error no_such_upload(std::string_view upload_id);

// Every part of a multipart version or open upload with a number above `after`, by number.
// Errors: those of the view.
Result<std::vector<v1::Part>> all_parts(const MetadataView& view, std::string_view upload_id,
                                        uint32_t after = 0);

}  // namespace kura::s3
