#include "projections/metadata/fold.h"

#include "projections/metadata/fold_families.h"
#include "projections/metadata/request_table.h"

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

}  // namespace kura
