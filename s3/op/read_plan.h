// GetObject and HeadObject up to the body: look-up, conditions, range or part, headers.

#pragma once

#include "base/blob_store.h"
#include "s3/op/operation.h"

namespace kura::s3 {

struct ReadPlan {
  v1::ObjectVersion version;
  ByteRange range;    // Plain bytes to send; none of 304.
  Response response;  // Complete but for the body.
};

// Errors: NoSuchBucket, NoSuchKey, NoSuchVersion, PreconditionFailed, InvalidRange,
// InvalidPartNumber, InvalidArgument, InvalidRequest.
S3Result<ReadPlan> plan_read(const Context& context, const Request& request);

}  // namespace kura::s3
