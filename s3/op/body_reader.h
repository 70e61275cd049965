// The way of a body out of the store: a range of plain bytes over inline bodies, extents and parts,
// streamed front to back with one chunk read ahead.
//
// Bytes are verified below (BlobReader, Journal); here the length is: a body that ends early or
// late is an error, never a short answer.

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "actors/store.h"
#include "base/blob_store.h"
#include "base/task.h"
#include "s3/http/message.h"

namespace kura::s3 {

// Stored bytes under one transform: the body of an object, or one part of it.
struct StoredPiece {
  v1::Body body;
  v1::Envelope envelope;
  uint64_t size_bytes = 0;  // Plain.
  uint64_t stored_bytes = 0;
};

// Opens every piece that `range` (plain bytes over all pieces) touches, so that the bytes stay
// there however long the reading takes, and reads the first chunk, so that a body which cannot be
// read is an error before anything was sent.
// Errors: not_found (moved since the look-up: look the version up again), corrupt, unavailable,
// unsupported (a newer transform).
Task<Result<std::unique_ptr<ResponseBody>>> open_body(Store& store, std::vector<StoredPiece> pieces,
                                                      ByteRange range);

}  // namespace kura::s3
