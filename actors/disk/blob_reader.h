// The BlobReader of segment sets: one range of a body, front to back, every byte verified.

#pragma once

#include <memory>
#include <string>

#include "base/blob_store.h"

namespace kura::disk {

struct DiskCore;

// Errors: invalid_argument (a range outside of the body), not_found (a set was dropped: the body
// was moved, look the version up again).
Result<std::unique_ptr<BlobReader>> make_blob_reader(std::shared_ptr<DiskCore> core,
                                                     const v1::Body& body, ByteRange range);

// All of a range that fits into memory. Errors: of the reader besides.
Task<Result<std::string>> read_range(std::shared_ptr<DiskCore> core, v1::Body body,
                                     ByteRange range);

}  // namespace kura::disk
