// StripedUpload: one large body on its way into stripes. The caller pushes bytes; a task of its own
// codes and writes them on the caller's loop, so that receiving and writing overlap, and keeps in
// memory only what is not yet durable: when a member fails, that much is written again elsewhere.
//
// Belongs to the loop that made it.

#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/disk/write_sets.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"
#include "object.pb.h"

namespace kura::disk {

class StripedUpload : public std::enable_shared_from_this<StripedUpload> {
 public:
  // size_hint_bytes: 0 when not known. The reservation ends with the upload unless it finishes.
  StripedUpload(std::shared_ptr<DiskCore> core, Target target, ReservationId reservation,
                uint64_t size_hint_bytes);
  ~StripedUpload();

  // Waits while too much is queued. Errors: unavailable, no_space.
  Task<Result<void>> push(std::string bytes);
  Task<Result<v1::Body>> finish();
  void abort();  // The bytes so far are garbage.

 private:
  // A part of what the caller pushed at once.
  struct Piece {
    std::shared_ptr<const std::string> whole;
    std::string_view bytes;
  };
  // Bytes written but not yet durable, and the extent that they belong to.
  struct Unsynced {
    std::deque<Piece> pieces;
    uint64_t bytes = 0;
    std::optional<v1::Extent> extent;
    uint64_t end = 0;  // In the member files.
  };

  Task<void> run();
  Task<Result<void>> step();  // Writes or syncs something.
  Task<Result<void>> next_region();
  Task<void> write_batch(uint64_t bytes);
  Task<void> sync();
  void rewrite_unsynced();  // Elsewhere: the set failed.
  void keep_unsynced();     // It is durable.
  Task<void> wait_for_input();
  void wake();

  uint64_t expected_bytes() const;  // To come, as far as room is asked for at once.
  uint64_t row_bytes() const;
  uint64_t batch_bytes() const;
  uint64_t window_bytes() const;
  std::vector<Piece> take(uint64_t bytes);

  const std::shared_ptr<DiskCore> core_;
  const Target target_;
  const ReservationId reservation_;
  const uint64_t size_hint_bytes_;

  std::deque<Piece> input_;
  uint64_t input_bytes_ = 0;
  bool started_ = false;
  bool ended_ = false;  // Nothing more comes.
  bool aborted_ = false;
  std::optional<Error> error_;
  bool finished_ = false;
  v1::Body body_;              // Durable extents.
  uint64_t placed_bytes_ = 0;  // Durable or written.
  uint64_t growth_bytes_;

  Region region_;
  uint64_t region_used_bytes_ = 0;  // Body bytes.
  std::vector<std::string> tails_;  // Of the last run (CodedRun::tails).
  Unsynced unsynced_;

  std::optional<Resolver<Done>> writer_;  // The task waits for input.
  std::optional<Resolver<Done>> caller_;  // push or finish waits for the task.
};

}  // namespace kura::disk
