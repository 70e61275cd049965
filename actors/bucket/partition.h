// Partition: the state of a bucket actor, the one writer of its partition. It decides commands on
// view plus overlay, pipelines the events, and answers when they are effective and folded.
//
// States (journal/PROTOCOL.md, section 3; the embedded journal needs neither lease nor wait):
// closed, claiming, open. When proposals are lost the overlay dies with its epoch, and what waited
// is decided again after a new claim. Runs on one loop; bucket_actor.h feeds it.

#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "actors/bucket/command.h"
#include "actors/bucket/committer.h"
#include "actors/bucket/decide.h"
#include "base/limits.h"
#include "base/loop.h"
#include "projections/metadata/overlay.h"
#include "projections/metadata/request_table.h"

namespace kura {

struct PendingCommand {
  Command command;
  Resolver<Result<Outcome>> reply;
  uint32_t no_space = 0;  // So often the journal had no room for its event.
};

// Changes of the control partition on their way into a data partition.
struct ControlUpdate {
  Offset up_to;  // Of the last control record that `effects` cover.
  std::vector<v1::BucketEffect> effects;
  // Called once, on the partition's loop: when they are folded, or with an error; they are folded
  // sooner or later all the same.
  std::function<void(Result<void>)> done;
};

struct PartitionOptions {
  WriterId writer;  // Of this process.
  uint64_t part_bytes_min = kPartBytesMin;
  int64_t hold_ns = 5'000'000'000;  // How long a command waits for control before it gets 503.
  // The event that names the reservation was folded: its blocks belong to the fold now.
  std::function<void(const v1::Reservation&)> reservation_ended;
};

class Partition {
 public:
  // `epoch`: the highest one folded so far. All references outlive it.
  Partition(PartitionId id, Loop& loop, Kv& kv, Committer& committer, PartitionOptions options,
            Epoch epoch);

  // Becomes owner at a higher epoch. Without it the first command claims.
  void claim();
  void submit(std::vector<PendingCommand> commands);
  void apply_control(ControlUpdate update);
  void on_folded(const std::vector<Folded>& folded);
  void on_lost(Epoch epoch, Errc code);

  bool open() const { return state_ == State::open; }

 private:
  enum class State { closed, claiming, open };

  // What waits for one event under way, or for all before it (`seq` of the last one).
  struct UnderWay {
    uint64_t seq = 0;
    std::optional<PendingCommand> command;
    std::optional<ControlUpdate> control;
    std::shared_ptr<const v1::Event> event;
    Outcome outcome;
    // Decided without an event, on a state that holds only if this event is effective.
    std::vector<std::pair<PendingCommand, Result<Outcome>>> after;
  };
  struct Held {
    PendingCommand command;
    uint64_t id = 0;
  };

  void decide_one(PendingCommand pending);
  bool answer_from_table(PendingCommand& pending);
  void hold(PendingCommand pending);
  void release_held();
  void answer(PendingCommand pending, Result<Outcome> outcome);
  Result<Outcome> propose(std::shared_ptr<const v1::Event> event, std::string body,
                          const Command* command);
  void send_control();
  Result<void> propose_control(ControlUpdate& update);
  bool become_open();
  void finish(UnderWay done, Offset offset);
  void retry_later();
  void flush();

  const PartitionId id_;
  Loop& loop_;
  KvRows view_;
  Overlay overlay_{view_};
  Committer& committer_;
  const PartitionOptions options_;
  RequestTable requests_;

  State state_ = State::closed;
  Epoch epoch_;  // Claimed last.
  uint64_t next_seq_ = 1;
  Offset folded_;  // Of the last own record that was folded.
  std::deque<UnderWay> under_way_;
  std::map<RequestId, uint64_t> ids_under_way_;  // To the seq of its event.
  std::deque<PendingCommand> waiting_;           // For the partition to open.
  std::deque<ControlUpdate> waiting_control_;    // In the order of control's log.
  std::deque<Held> held_;                        // For a control change.
  uint64_t last_held_ = 0;
  std::vector<Proposal> proposals_;  // Of this turn.
  bool retry_timer_ = false;
};

}  // namespace kura
