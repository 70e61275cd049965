// ControlState as rows of the view, so that a restart need not read the control log from its start.
//
// All keys start with 'k', then one byte for the piece, then its id, numbers big-endian:
//   k c                 cluster id, position, next set id    k d drive_id(16)   drive
//   k b bucket(8)       bucket                               k k access_key     access key
//   k s set(4)          segment set                          k n                snapshots
//   k a from(8)         archived piece of the log

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/kv.h"
#include "base/result.h"
#include "projections/control/control_state.h"

namespace kura {

using ControlRow = std::pair<std::string, std::string>;  // Key, value.

inline constexpr char kControlRowPrefix = 'k';

// Whether this row of control moves with the log and the drives rather than with what the cluster
// holds: its position, the snapshots taken, and the segment sets, of which a start seals the open
// ones.
bool is_control_position(std::string_view key);

// Every row of `state`, by key.
std::vector<ControlRow> control_rows(const ControlState& state);

// The rows that `event`, applied at state.applied, changed: `state` is the state after it.
void put_control_changes(const ControlState& state, const v1::Event& event, KvBatch& batch);

// The state of which these are the rows. Errors: corrupt.
Result<ControlState> load_control(const std::vector<ControlRow>& rows);

// As above, from the view.
Result<ControlState> load_control(Kv& kv);

}  // namespace kura
