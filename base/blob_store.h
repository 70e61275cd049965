// BlobStore: durable bytes that outlive the loss of as many drives as their storage class has
// parity; implemented by actors/disk over segment sets. Bodies of objects and parts that are too
// large for the journal go through it; snapshots are read through it.
//
// From any loop; a writer or reader belongs to the loop that made it.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "object.pb.h"

namespace kura {

struct ByteRange {
  uint64_t offset_bytes = 0;
  uint64_t length_bytes = 0;
};

// Writes one body. Destroying it before finish() aborts: its blocks are garbage.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  // Returns when the bytes were taken (not yet durable); waits when too much is under way.
  virtual Task<Result<void>> append(std::string bytes) = 0;
  // Makes everything durable on every member of its sets. The extents stay reserved until the
  // event that names `reservation` is folded or release() is called. Errors: no_space, unavailable
  // (fewer than m + 1 drives).
  virtual Task<Result<v1::Body>> finish() = 0;
  virtual v1::Reservation reservation() const = 0;
};

// Reads one range of a body, front to back. Keeps its sets from being dropped while it lives.
class BlobReader {
 public:
  virtual ~BlobReader() = default;
  // The next bytes, at most about 1 MiB; empty at the end of the range. Every byte is verified.
  // Errors: corrupt (more damage than parity can mend), unavailable (too few drives now).
  virtual Task<Result<std::string>> next() = 0;
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  // `size_hint_bytes`: stored bytes to come when known, else 0; chooses the layout.
  // Errors: unavailable, no_space.
  virtual Task<Result<std::unique_ptr<BlobWriter>>> write(v1::StorageClass storage_class,
                                                          uint64_t size_hint_bytes) = 0;
  // `range` within the stored bytes of `body`, whose `journal` is not set. Errors:
  // invalid_argument; not_found (the body is no longer where it was: look its version up again).
  virtual Result<std::unique_ptr<BlobReader>> read(const v1::Body& body, ByteRange range) = 0;
  // The commit that would have named this reservation will never happen: its blocks are garbage.
  virtual void release(const v1::Reservation& reservation) = 0;
};

}  // namespace kura
