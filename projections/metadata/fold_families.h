// The families of events that the fold is split into. Only fold.cc calls these; contracts are in
// fold.h.

#pragma once

#include "event.pb.h"
#include "projections/metadata/outcome.h"
#include "projections/metadata/overlay.h"

namespace kura::fold {

// Where an event is applied.
struct Place {
  Rows& rows;
  PartitionId partition;
  Offset offset;
};

// fold_objects.cc
Result<Outcome> put_committed(Place place, const v1::PutCommitted& event);
Result<Outcome> object_deleted(Place place, const v1::ObjectDeleted& event);
// Makes `version` the current one of its key and forgets the one before.
Result<Outcome> make_current(Place place, BucketId bucket, const std::string& key,
                             v1::ObjectVersion version);

// fold_uploads.cc
Result<Outcome> upload_created(Place place, const v1::UploadCreated& event);
Result<Outcome> part_committed(Place place, const v1::PartCommitted& event);
Result<Outcome> upload_completed(Place place, const v1::UploadCompleted& event);
Result<Outcome> upload_aborted(Place place, const v1::UploadAborted& event);
// Removes the parts of an upload and their bodies, but for those in `keep` (ascending).
// Errors: corrupt when one of `keep` is not there.
Result<void> remove_parts(Place place, std::string_view upload_id,
                          const std::vector<uint32_t>& keep);

// fold_moves.cc
Result<Outcome> bodies_moved(Place place, const v1::BodiesMoved& event);
Result<Outcome> reservations_voided(Place place, const v1::ReservationsVoided& event);

// fold_buckets.cc
Result<Outcome> control_applied(Place place, const v1::ControlApplied& event);

}  // namespace kura::fold
