#include "actors/bucket/view_fold.h"

#include <set>

#include "base/fail_point.h"
#include "base/limits.h"
#include "projections/control/control_rows.h"
#include "projections/metadata/partition_rows.h"

namespace kura {

Result<std::unique_ptr<ViewFold>> ViewFold::open(Kv& kv) {
  auto view = std::unique_ptr<ViewFold>(new ViewFold(kv));
  KvRows rows(kv);
  auto load_head = [&](PartitionId partition) -> Result<void> {
    auto head = partition_head(rows, partition);
    if (!head) return fail(head.error());
    view->heads_[partition] = *head;
    return {};
  };
  for (uint16_t p = 0; p < kPartitions; ++p)
    if (auto loaded = load_head(PartitionId{p}); !loaded) return fail(loaded.error());
  if (auto loaded = load_head(kControlPartition); !loaded) return fail(loaded.error());

  auto control = load_control(kv);
  if (!control) return fail(control.error());
  view->control_ = std::make_shared<const ControlState>(std::move(*control));
  auto position = view_position(rows);
  if (!position) return fail(position.error());
  view->position_ = position->value_or(ViewPosition{});
  return view;
}

std::shared_ptr<const ControlState> ViewFold::control() const {
  std::lock_guard lock(mutex_);
  return control_;
}

ViewPosition ViewFold::position() const {
  std::lock_guard lock(mutex_);
  return position_;
}

Result<void> ViewFold::fold_control(const Item& item, const v1::Event& event,
                                    KvBatch& control_rows) {
  if (!next_control_) next_control_ = std::make_unique<ControlState>(*control());
  auto applied = apply(*next_control_, item.offset, event);
  if (!applied) return applied;
  put_control_changes(*next_control_, event, control_rows);
  return {};
}

Result<bool> ViewFold::fold_one(const Item& item, Overlay& rows, KvBatch& control_rows) {
  const journal::Record& record = *item.record;
  const auto verdict = journal::fold_head(heads_[record.partition], record);
  if (verdict != journal::Verdict::effective) return false;
  if (record.kind != journal::RecordKind::event) return true;
  v1::Event parsed;
  const v1::Event* event = item.event;
  if (!event) {
    auto from_payload = parse_event(record.payload);
    if (!from_payload) return fail(from_payload.error());
    parsed = std::move(*from_payload);
    event = &parsed;
  }
  if (record.partition == kControlPartition) {
    auto folded = fold_control(item, *event, control_rows);
    if (!folded) return fail(folded.error());
    return true;
  }
  auto outcome = fold_record(rows, item.offset, record, *event);
  if (!outcome) return fail(outcome.error());
  return true;
}

Result<std::vector<bool>> ViewFold::fold(const std::vector<Item>& items) {
  Overlay rows(view_);
  KvBatch batch;
  const auto heads_before = heads_;
  next_control_.reset();
  std::vector<bool> effective;
  effective.reserve(items.size());
  for (const Item& item : items) {
    auto one = fold_one(item, rows, batch);
    if (!one) {
      heads_ = heads_before;
      return fail(Error{one.error().code, "record at offset " + std::to_string(item.offset.value) +
                                              ": " + one.error().detail});
    }
    effective.push_back(*one);
  }
  std::set<PartitionId> touched;
  for (const Item& item : items) touched.insert(item.record->partition);
  for (const PartitionId partition : touched)
    put_partition_head(rows, partition, heads_[partition]);
  const ViewPosition position{items.back().offset, items.back().end};
  put_position(rows, position);
  rows.move_to(batch);
  before_step("view.fold");
  if (auto written = kv_.write(batch); !written) {
    heads_ = heads_before;
    return fail(written.error());
  }
  after_step("view.fold");
  std::lock_guard lock(mutex_);
  if (next_control_) control_ = std::shared_ptr<const ControlState>(std::move(next_control_));
  position_ = position;
  return effective;
}

}  // namespace kura
