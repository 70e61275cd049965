// ViewFold: folds journal records into the view, batch by batch: heads of all partitions, rows of
// objects, control state and position go into one Kv write. The committer and the replay at a start
// both use it, so a restart ends in the same state.

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/kv.h"
#include "base/limits.h"
#include "journal/fold.h"
#include "projections/control/control_state.h"
#include "projections/metadata/fold.h"
#include "projections/metadata/view_position.h"

namespace kura {

class ViewFold {
 public:
  struct Item {
    const journal::Record* record = nullptr;
    const v1::Event* event = nullptr;  // The payload of an event, parsed; null: parse it here.
    Offset offset;
    Offset end;
  };

  // Reads heads, control state and position from the rows; an empty view starts at zero.
  // Errors: those of the Kv, corrupt. `kv` outlives it.
  static Result<std::unique_ptr<ViewFold>> open(Kv& kv);

  // Folds a batch in log order and makes it visible; says for each whether it was effective.
  // Errors: of the Kv, corrupt, unsupported; then nothing of the batch is visible.
  Result<std::vector<bool>> fold(const std::vector<Item>& items);

  // From any thread.
  KvRoom room() const { return kv_.room(); }
  std::shared_ptr<const ControlState> control() const;
  ViewPosition position() const;
  // Of the caller's loop while nothing is folded, that is, at a start.
  const journal::PartitionHead& head(PartitionId partition) { return heads_[partition]; }

 private:
  explicit ViewFold(Kv& kv) : kv_(kv), view_(kv) {}
  Result<bool> fold_one(const Item& item, Overlay& rows, KvBatch& control_rows);
  Result<void> fold_control(const Item& item, const v1::Event& event, KvBatch& control_rows);

  Kv& kv_;
  KvRows view_;
  std::map<PartitionId, journal::PartitionHead> heads_;
  std::unique_ptr<ControlState> next_control_;  // Of the batch under way, once it changes.
  mutable std::mutex mutex_;                    // Guards what is below.
  std::shared_ptr<const ControlState> control_;
  ViewPosition position_;
};

}  // namespace kura
