// The way of a body into the store: plain bytes from a client (or a copy), transformed, then held
// for the journal when small or written to segment sets when not.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/blob_store.h"
#include "base/task.h"
#include "s3/http/message.h"

namespace kura::s3 {

// A body that is durable (`body`), or ready to travel in its event (`inline_body`). Until an event
// names it nobody can see it.
struct WrittenBody {
  uint64_t size_bytes = 0;    // Plain.
  uint64_t stored_bytes = 0;  // After the transform.
  v1::Envelope envelope;
  std::optional<std::string> inline_body;  // Stored bytes; up to kInlineBodyMax plain ones.
  v1::Body body;                           // Empty when inline.
  std::optional<v1::Reservation> reservation;
};

// Reads `source` to its good end. On an error nothing stays behind: what was written is garbage at
// once. Errors: those of `source`; EntityTooLarge beyond `size_bytes_max`; those of the store.
Task<S3Result<WrittenBody>> write_body(BlobStore& blobs, v1::Envelope::Transform transform,
                                       v1::StorageClass storage_class, uint64_t size_bytes_max,
                                       BodySource& source);

}  // namespace kura::s3
