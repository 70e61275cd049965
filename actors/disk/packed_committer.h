// PackedCommitter: group commit of small bodies. While one group is written and synced the next one
// gathers; no timer takes part. On the pool's loop only.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/disk/write_sets.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"
#include "object.pb.h"

namespace kura::disk {

struct SmallBody {
  std::shared_ptr<const std::string> bytes;  // (0, kPackedBodyMax].
  ReservationId reservation;                 // Active until put() returns.
};

class PackedCommitter {
 public:
  explicit PackedCommitter(DiskCore& core) : core_(core) {}

  // Returns when all bodies are durable on all members of their sets: one extent for each, in
  // order. Errors: unavailable, no_space.
  Task<Result<std::vector<v1::Extent>>> put(Target target, std::vector<SmallBody> bodies);

 private:
  struct Call {
    std::vector<SmallBody> bodies;
    std::vector<v1::Extent> extents;
    size_t left = 0;  // Bodies not yet durable.
    std::optional<Error> error;
    Resolver<Done> resolve;
  };
  struct Item {
    Call* call = nullptr;
    size_t index = 0;
    const SmallBody& body() const { return call->bodies[index]; }
  };
  Task<void> commit_rounds(Target target);
  Task<void> commit(Target target, std::vector<Item> items);
  Task<void> write_group(SetUse& use, std::vector<Item>& items);

  struct Queue {
    std::vector<Item> items;
    bool running = false;
  };
  DiskCore& core_;
  std::map<Target, Queue> queues_;
};

}  // namespace kura::disk
