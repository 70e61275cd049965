#include "projections/metadata/partition_rows.h"

#include "projections/metadata/rows.h"

namespace kura {

Result<std::optional<v1::BucketRow>> bucket_row(RowReader& rows, PartitionId partition,
                                                BucketId bucket) {
  return get_message<v1::BucketRow>(rows, row::bucket_key(partition, bucket));
}

Result<Offset> control_position(RowReader& rows, PartitionId partition) {
  Result<std::optional<std::string>> value = rows.get(row::control_pos_key(partition));
  if (!value) return fail(value.error());
  if (!*value) return Offset{};
  Result<uint64_t> position = row::decode_u64(**value);
  if (!position) return fail(position.error());
  return Offset{*position};
}

Result<bool> is_voided(RowReader& rows, PartitionId partition, std::string_view incarnation) {
  Result<std::optional<std::string>> value = rows.get(row::voided_key(partition, incarnation));
  if (!value) return fail(value.error());
  return value->has_value();
}

Result<journal::PartitionHead> partition_head(RowReader& rows, PartitionId partition) {
  auto row = get_message<v1::HeadRow>(rows, row::head_key(partition));
  if (!row) return fail(row.error());
  journal::PartitionHead head;
  if (!*row) return head;
  if ((*row)->writer().size() != 16) return fail(Errc::corrupt, "head row");
  head.epoch = Epoch{(*row)->epoch()};
  head.writer = uuid_from<WriterId>((*row)->writer());
  head.next_seq = (*row)->next_seq();
  head.dead = (*row)->dead();
  head.lease_ms = (*row)->lease_ms();
  head.opened = (*row)->opened();
  head.wait_ms = (*row)->wait_ms();
  head.visible = Offset{(*row)->visible()};
  return head;
}

void put_partition_head(Rows& rows, PartitionId partition, const journal::PartitionHead& head) {
  v1::HeadRow row;
  row.set_epoch(head.epoch.value);
  row.set_writer(std::string(head.writer.view()));
  row.set_next_seq(head.next_seq);
  row.set_dead(head.dead);
  row.set_lease_ms(head.lease_ms);
  row.set_opened(head.opened);
  row.set_wait_ms(head.wait_ms);
  row.set_visible(head.visible.value);
  rows.put(row::head_key(partition), row.SerializeAsString());
}

}  // namespace kura
