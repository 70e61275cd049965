// Headers that a presigned URL carries in its query, where SDKs put them ("hoisting"). Pure.

#pragma once

#include <optional>

#include "s3/op/operation.h"

namespace kura::s3 {

// `head` with every x-amz-* parameter of the query as the header that it stands for, unless there
// is one; none if there is no such parameter. Left out is what belongs to the signature, and
// checksums of the body: an SDK that presigns does not know it and puts the one of no bytes there,
// which S3 does not look at either. Errors: InvalidArgument (it could be no header).
S3Result<std::optional<RequestHead>> with_hoisted_headers(const RequestHead& head,
                                                          const Query& query);

}  // namespace kura::s3
