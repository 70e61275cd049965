// From a version to its bytes: which pieces hold them, and a body that reads them.

#pragma once

#include <memory>
#include <vector>

#include "s3/op/body_reader.h"
#include "s3/op/operation.h"

namespace kura::s3 {

// The transform of what is written now.
v1::Envelope::Transform transform_for(const Settings& settings);

// Errors: not_found when the version is no longer current (a multipart version loses its parts).
Result<std::vector<StoredPiece>> pieces_of(const MetadataView& view, v1::ObjectVersion version);

// As open_body(), of a version.
Task<Result<std::unique_ptr<ResponseBody>>> open_version(Store& store, v1::ObjectVersion version,
                                                         ByteRange range);

}  // namespace kura::s3
