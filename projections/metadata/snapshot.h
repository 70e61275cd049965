// A snapshot: every row of the view at one position, as a stream of checksummed chunks (README.md
// has the grammar). A pure function of the log prefix, so it is true whoever wrote it
// (journal/PROTOCOL.md, section 7).

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/kv.h"
#include "base/limits.h"
#include "base/result.h"
#include "projections/metadata/row_hash.h"
#include "projections/metadata/view_position.h"

namespace kura {

struct SnapshotInfo {
  ViewPosition position;
  uint64_t rows = 0;
  std::string digest;  // 16 bytes over all rows, in order.
};

inline constexpr uint64_t kSnapshotChunkBytes = 256 * kKiB;  // A chunk ends with the row that
                                                             // crosses this.

// Reads the view as it was when it was opened, whatever is written meanwhile.
class SnapshotWriter {
 public:
  // `chunk_bytes`: at most kSnapshotChunkBytes. Errors: not_found when the view has no position,
  // those of the Kv.
  static Result<SnapshotWriter> open(Kv& kv, uint64_t chunk_bytes = kSnapshotChunkBytes);

  // The next bytes of the stream, about one chunk; empty behind the last.
  Result<std::string> next();
  // REQUIRES: next() has returned the last bytes, for rows and digest.
  SnapshotInfo info() const;

 private:
  SnapshotWriter() = default;

  std::unique_ptr<KvIterator> it_;
  ViewPosition position_;
  RowHash hash_;
  uint64_t rows_ = 0;
  uint64_t chunk_bytes_ = 0;
  enum class State { header, rows, end } state_ = State::header;
};

// Takes the stream in pieces of any length. Rows count only once finish() has said so: load them
// into a map of their own and drop it on an error.
class SnapshotReader {
 public:
  // Rows of the chunks that are complete by now. Errors: corrupt, unsupported (a newer format).
  Result<KvBatch> add(std::string_view bytes);
  // Errors: corrupt when the stream has not ended or its digest is another.
  Result<SnapshotInfo> finish();

 private:
  Result<bool> take_header();
  Result<bool> take_chunk(KvBatch& out);
  Result<void> take_rows(std::string_view payload, KvBatch& out);

  std::string pending_;  // Bytes of a chunk that is not complete.
  bool started_ = false;
  bool ended_ = false;
  SnapshotInfo info_;
  RowHash hash_;
  std::string last_key_;
};

}  // namespace kura
