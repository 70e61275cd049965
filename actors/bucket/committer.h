// Committer: the one place where records enter the journal and become effective.
//
// Self-clocked group commit: whatever queued while the last append ran goes into the next one. Each
// appended batch is folded into the view by one write, and only then are the partitions told, so an
// answered client can read its write everywhere. Lives on the journal loop.

#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "actors/bucket/view_fold.h"
#include "base/loop.h"
#include "base/result.h"
#include "event.pb.h"
#include "journal/journal.h"

namespace kura {

// A record on its way into the journal.
struct Proposal {
  journal::Record record;
  std::shared_ptr<const v1::Event> event;  // Of an event: its payload, parsed. Else null.
  bool may_use_reserve = false;  // Frees space (deletes, moves) or costs next to none (claims).
};

// What became of a proposal. Seqs of one partition come in order.
struct Folded {
  journal::RecordKind kind = journal::RecordKind::event;
  Epoch epoch;
  uint64_t seq = 0;
  Offset offset;
  bool effective = false;
};

// The owner of a partition. Told on the journal loop; hands over to its own.
class CommitObserver {
 public:
  virtual ~CommitObserver() = default;
  virtual void on_folded(std::vector<Folded> folded) = 0;
  // Every proposal of `epoch` that was not folded is void for ever. `code`: no_space or
  // unavailable (nothing of them was written), unknown.
  virtual void on_lost(Epoch epoch, Errc code) = 0;
};

class Committer {
 public:
  struct Options {
    std::function<void(Error)> on_fatal;  // The journal or the view is gone: the node must end.
  };

  // All outlive it.
  Committer(Loop& loop, journal::Journal& journal, ViewFold& fold, Options options);

  // Before the first propose() of that partition. From any thread.
  void observe(PartitionId partition, CommitObserver* observer);
  // Appends in the order given. From any thread.
  void propose(std::vector<Proposal> proposals);

  // False after the journal or the view ran out of space and until they have some again: only
  // proposals that may use the reserve are worth deciding. From any thread.
  bool accepts_growth() const { return accepts_growth_.load(std::memory_order_relaxed); }
  void set_accepts_growth(bool yes) { accepts_growth_.store(yes, std::memory_order_relaxed); }

  // Records folded since the start, appends, and proposals that wait now.
  struct Counters {
    uint64_t records = 0, appends = 0, waiting = 0;
  };
  Counters counters() const;

 private:
  struct Owner {
    CommitObserver* observer = nullptr;
    Epoch lost;  // Proposals of this epoch and older are dropped.
  };

  Task<void> run();
  std::vector<Proposal> take_batch();
  Task<bool> commit(std::vector<Proposal> batch);  // Whether it was appended and folded.
  bool is_fatal() const;
  bool view_takes(const std::vector<journal::Record>& records, bool reserve);
  void report(const std::vector<Proposal>& batch, const std::vector<Offset>& offsets,
              const std::vector<bool>& effective);
  void end_for_good(Error error);
  void lose(const std::vector<Proposal>& batch, Errc code);

  Loop& loop_;
  journal::Journal& journal_;
  ViewFold& fold_;
  Options options_;
  std::atomic<bool> accepts_growth_{true};

  mutable std::mutex mutex_;  // Guards what is below.
  std::deque<Proposal> queue_;
  std::map<PartitionId, Owner> owners_;
  bool running_ = false;
  bool fatal_ = false;
  Counters counters_;
};

}  // namespace kura
