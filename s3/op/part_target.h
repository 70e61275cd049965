// Where a part goes: its number and the open upload, as UploadPart and UploadPartCopy name them.

#pragma once

#include <cstdint>
#include <string>

#include "s3/op/operation.h"

namespace kura::s3 {

struct PartTarget {
  BucketId bucket;
  std::string upload_id;  // 16 bytes.
  uint32_t number = 0;    // [1, kPartNumberMax]
  v1::Upload upload;
};

// Errors: InvalidArgument, NoSuchBucket, NoSuchUpload, those of the view.
S3Result<PartTarget> part_target_of(const Context& context, const Request& request);

}  // namespace kura::s3
