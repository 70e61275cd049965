// ETag and checksum of a completed multipart upload, from those of its parts: no byte of the object
// is read. Sources: S3 User Guide, "Checking object integrity"; the ETag form is S3's practice.

#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "object.pb.h"

namespace kura {

// MD5 of the parts' MD5s, 16 bytes. REQUIRES: each part has an ETag of 16 bytes.
Result<std::string> multipart_etag(const std::vector<const v1::Part*>& parts);

// What an upload that left the type open gets: full object for CRC64NVME, else composite.
v1::Checksum::Type checksum_type_or_default(v1::Checksum::Algorithm algorithm,
                                            v1::Checksum::Type type);

// COMPOSITE: the digest of the parts' raw digests. FULL_OBJECT: combined from the parts' CRCs.
// Errors: invalid_argument when a part has no such checksum, or S3 has no such pair (a full-object
// SHA, a composite CRC64NVME).
Result<v1::Checksum> multipart_checksum(v1::Checksum::Algorithm algorithm, v1::Checksum::Type type,
                                        const std::vector<const v1::Part*>& parts);

}  // namespace kura
