// The checksum that a multipart upload asks for (S3 User Guide, "Checking object integrity for
// multipart uploads"). Pure.

#pragma once

#include <optional>

#include "s3/op/operation.h"

namespace kura::s3 {

struct UploadChecksum {
  v1::Checksum::Algorithm algorithm = v1::Checksum::NONE;
  v1::Checksum::Type type = v1::Checksum::TYPE_UNSPECIFIED;
};

// From x-amz-checksum-algorithm and x-amz-checksum-type of CreateMultipartUpload; SHA and CRC32(C)
// are COMPOSITE by default, CRC64NVME is FULL_OBJECT. Errors: InvalidRequest.
S3Result<UploadChecksum> upload_checksum_of(const Request& request);

// x-amz-checksum-type; TYPE_UNSPECIFIED without one. Errors: InvalidRequest.
S3Result<v1::Checksum::Type> checksum_type_param(const Request& request);

// What CompleteMultipartUpload says about the whole object: x-amz-checksum-<algorithm>, whose value
// may end in "-parts". None: nothing. Errors: InvalidRequest.
S3Result<std::optional<v1::Checksum>> expected_checksum_of(const Request& request);

}  // namespace kura::s3
