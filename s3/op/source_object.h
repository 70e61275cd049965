// The object that CopyObject and UploadPartCopy read: found, allowed, its conditions judged,
// opened.

#pragma once

#include <memory>
#include <optional>

#include "s3/op/copy_source.h"
#include "s3/op/operation.h"

namespace kura::s3 {

struct SourceObject {
  CopySource name;
  v1::ObjectVersion version;
  ByteRange range;
  std::unique_ptr<ResponseBody> bytes;  // Of `range`.
};

// What may be refused once the version is known, before anything of it is read.
using SourceCheck = S3Result<void> (*)(const Request& request, const CopySource& name,
                                       const v1::ObjectVersion& version);

// Reads x-amz-copy-source, x-amz-copy-source-if-* and, with `ranged`, x-amz-copy-source-range.
// Errors: InvalidArgument, AccessDenied, NoSuchBucket, NoSuchKey, NoSuchVersion,
// PreconditionFailed, InvalidRequest (more than 5 GiB), those of `check` and of the store.
Task<S3Result<SourceObject>> open_source(Context& context, Request& request, bool ranged,
                                         SourceCheck check);

// "bytes=first-last" with both ends inside `size_bytes`. Errors: InvalidArgument. Pure.
S3Result<ByteRange> parse_source_range(std::string_view text, uint64_t size_bytes);

}  // namespace kura::s3
