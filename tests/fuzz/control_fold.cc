// Events of the control partition: any row of events that the fold takes leaves a state whose rows
// restore it, and the rows that each event changes add up to all rows.
//
// Input: even first byte: events, each with its length first (2 bytes). Odd: rows, key and value.

#include <map>

#include "projections/control/control_rows.h"
#include "projections/metadata/fold.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

using RowMap = std::map<std::string, std::string>;

RowMap map_of(const std::vector<ControlRow>& rows) { return {rows.begin(), rows.end()}; }

void check_restores(const ControlState& state) {
  const std::vector<ControlRow> rows = control_rows(state);
  INVARIANT(std::is_sorted(rows.begin(), rows.end()), "rows are by key");
  const auto restored = load_control(rows);
  INVARIANT(restored && control_rows(*restored) == rows, "rows restore the state");
  INVARIANT(state.buckets.size() == state.bucket_names.size(), "a name for each bucket");
  INVARIANT(state.snapshots.size() <= 2, "two snapshots are kept");
  std::map<SetId, uint64_t> archived;
  Offset behind;
  for (const auto& piece : state.archived) {
    INVARIANT(behind <= piece->from && piece->from < piece->to, "pieces of the log lie in a row");
    INVARIANT(state.find_archived(piece->from) == piece, "and are found");
    behind = piece->to;
    for (const v1::Extent& extent : piece->body.extents())
      if (extent.stored_bytes() > 0) archived[SetId{extent.set()}] += extent.stored_bytes();
  }
  INVARIANT(archived == state.archived_bytes, "archived bytes of each set");
  for (const auto& [id, set] : state.sets) {
    INVARIANT(id.value < state.next_set, "set ids are never used again");
    INVARIANT(set.members.size() == set.data_shards + size_t{set.parity_shards}, "a set's members");
    INVARIANT(set.sealed_bytes.value_or(0) <= set.member_bytes, "sealed within its files");
  }
}

void check_events(Input in) {
  ControlState state;
  RowMap rows;
  for (uint64_t n = 1; !in.empty() && n < 64; ++n) {
    const auto event = parse_event(in.long_text());
    if (!event) continue;
    ControlState before = state;
    const auto applied = apply(state, Offset{n * 100}, *event);
    if (!applied) {
      INVARIANT(applied.error().code == Errc::corrupt || applied.error().code == Errc::unsupported,
                "why an event does not apply");
      state = std::move(before);
      continue;
    }
    KvBatch batch;
    put_control_changes(state, *event, batch);
    for (const auto& change : batch.changes()) {
      if (change.value)
        rows[change.key] = *change.value;
      else
        rows.erase(change.key);
    }
    INVARIANT(rows == map_of(control_rows(state)), "the changes add up to all rows");
    check_restores(state);
  }
}

void check_rows(Input in) {
  std::vector<ControlRow> rows;
  while (!in.empty() && rows.size() < 64) {
    std::string key(in.text());
    rows.emplace_back(std::move(key), in.text());
  }
  const auto state = load_control(rows);
  if (!state) {
    INVARIANT(state.error().code == Errc::corrupt, "why rows do not load");
    return;
  }
  const auto again = load_control(control_rows(*state));
  INVARIANT(again && control_rows(*again) == control_rows(*state), "what loads can be stored");
}

}  // namespace

void fuzz_one(std::string_view input) {
  Input in(input);
  if (in.number<uint8_t>() % 2 == 0) return check_events(in);
  check_rows(in);
}

}  // namespace kura::fuzz
