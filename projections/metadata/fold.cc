#include "projections/metadata/fold.h"

#include "projections/metadata/fold_families.h"
#include "projections/metadata/request_table.h"
#include "projections/metadata/rows.h"

namespace kura {

Result<Outcome> apply_event(Rows& rows, PartitionId partition, Offset offset,
                            const v1::Event& event) {
  const fold::Place place{rows, partition, offset};
  switch (event.event_case()) {
    case v1::Event::kPutCommitted:
      return fold::put_committed(place, event.put_committed());
    case v1::Event::kObjectDeleted:
      return fold::object_deleted(place, event.object_deleted());
    case v1::Event::kUploadCreated:
      return fold::upload_created(place, event.upload_created());
    case v1::Event::kPartCommitted:
      return fold::part_committed(place, event.part_committed());
    case v1::Event::kUploadCompleted:
      return fold::upload_completed(place, event.upload_completed());
    case v1::Event::kUploadAborted:
      return fold::upload_aborted(place, event.upload_aborted());
    case v1::Event::kBodiesMoved:
      return fold::bodies_moved(place, event.bodies_moved());
    case v1::Event::kControlApplied:
      return fold::control_applied(place, event.control_applied());
    case v1::Event::kReservationsVoided:
      return fold::reservations_voided(place, event.reservations_voided());
    case v1::Event::EVENT_NOT_SET:
      return fail(Errc::unsupported, "unknown event");
    default:
      return fail(Errc::corrupt, "an event of control in a data partition");
  }
}

Result<Outcome> fold_record(Rows& rows, Offset offset, const journal::Record& record,
                            const v1::Event& event) {
  Result<Outcome> outcome = apply_event(rows, record.partition, offset, event);
  if (!outcome || record.request_id.is_nil()) return outcome;
  const RequestEntry entry{record.request_id, record.request_digest, *outcome};
  if (Result<void> kept = put_request(rows, record.partition, entry); !kept)
    return fail(kept.error());
  return outcome;
}

Result<v1::Event> parse_event(std::string_view payload) {
  v1::Event event;
  if (!event.ParseFromArray(payload.data(), static_cast<int>(payload.size())))
    return fail(Errc::corrupt, "event does not parse");
  if (event.event_case() == v1::Event::EVENT_NOT_SET)
    return fail(Errc::unsupported, "unknown event: a newer build wrote this journal");
  return event;
}

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

Result<ViewPosition> decode_position(std::string_view value) {
  if (value.size() != 16) return fail(Errc::corrupt, "position row");
  return ViewPosition{Offset{*row::decode_u64(value.substr(0, 8))},
                      Offset{*row::decode_u64(value.substr(8))}};
}

void put_position(Rows& rows, ViewPosition position) {
  rows.put(row::position_key(),
           row::encode_u64(position.offset.value) + row::encode_u64(position.end.value));
}

Result<std::optional<ViewPosition>> view_position(RowReader& rows) {
  Result<std::optional<std::string>> value = rows.get(row::position_key());
  if (!value) return fail(value.error());
  if (!*value) return std::nullopt;
  Result<ViewPosition> position = decode_position(**value);
  if (!position) return fail(position.error());
  return *position;
}

}  // namespace kura
