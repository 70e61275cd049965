// BodyMover: copies live bodies into open sets and tells the bucket actors where they are now. What
// destaging and compaction share.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/bucket/bucket_writer.h"
#include "actors/disk/write_sets.h"
#include "base/ids.h"
#include "event.pb.h"

namespace kura::disk {

struct MovingBody {
  v1::BodiesMoved_Move place;  // `to` is empty.
  std::string bytes;           // (0, kPackedBodyMax].
};

class BodyMover {
 public:
  BodyMover(std::shared_ptr<DiskCore> core, BucketWriter& buckets, Target target)
      : core_(std::move(core)), buckets_(buckets), target_(target) {}

  // Packs it with others; written when enough are together or at flush().
  Task<Result<void>> add(MovingBody body);
  // Reads and writes a body of any size that lies in segment sets. One that cannot be read stays
  // where it is: unread() has the first such error.
  Task<Result<void>> copy(v1::BodiesMoved_Move place);
  // Returns when everything added is durable elsewhere, and each move is folded or void.
  Task<Result<void>> flush();

  uint64_t moved() const { return moved_; }  // Bodies.
  const std::optional<Error>& unread() const { return unread_; }

 private:
  // Moves of one partition that become one event.
  struct Batch {
    ReservationId reservation;
    uint64_t event_bytes = 0;
    std::vector<size_t> bodies;
  };
  std::vector<Batch> batches() const;
  Task<Result<void>> submit(std::vector<v1::BodiesMoved_Move> moves, v1::Reservation reservation);
  Result<void> leave(const Error& error);

  const std::shared_ptr<DiskCore> core_;
  BucketWriter& buckets_;
  const Target target_;
  std::vector<MovingBody> gathered_;
  uint64_t gathered_bytes_ = 0;
  uint64_t moved_ = 0;
  std::optional<Error> unread_;
};

}  // namespace kura::disk
