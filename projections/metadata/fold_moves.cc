#include "projections/metadata/accounts.h"
#include "projections/metadata/fold_families.h"
#include "projections/metadata/rows.h"

namespace kura::fold {
namespace {

// Moves the body of a version or part row. False: void, because it is gone or elsewhere by now.
template <class Message>
Result<bool> move_in(Place place, std::string row_key, const v1::BodiesMoved_Move& move,
                     const v1::ExtentRow& owner) {
  auto found = get_message<Message>(place.rows, row_key);
  if (!found) return fail(found.error());
  if (!*found || !same_body((*found)->body(), move.from())) return false;
  if constexpr (std::is_same_v<Message, v1::ObjectVersion>) {
    if ((*found)->version_id() != move.version_id()) return false;
  }
  if (Result<void> ok = remove_body(place.rows, place.partition, move.from()); !ok)
    return fail(ok.error());
  if (Result<void> ok = add_body(place.rows, place.partition, owner, move.to()); !ok)
    return fail(ok.error());
  *(*found)->mutable_body() = move.to();
  place.rows.put(std::move(row_key), (*found)->SerializeAsString());
  return true;
}

Result<bool> apply_move(Place place, const v1::BodiesMoved_Move& move) {
  const BucketId bucket{move.bucket()};
  if (move.to().has_journal()) return fail(Errc::corrupt, "a body moved into the journal");
  if (move.upload_id().empty()) {
    return move_in<v1::ObjectVersion>(place, row::current_key(bucket, move.key()), move,
                                      version_owner(bucket, move.key(), move.version_id()));
  }
  if (move.upload_id().size() != row::kUploadIdBytes)
    return fail(Errc::corrupt, "upload id of another length");
  return move_in<v1::Part>(place, row::part_key(move.upload_id(), move.part_number()), move,
                           part_owner(bucket, move.key(), move.upload_id(), move.part_number()));
}

}  // namespace

Result<Outcome> bodies_moved(Place place, const v1::BodiesMoved& event) {
  Outcome out;
  out.offset = place.offset;
  for (const v1::BodiesMoved_Move& move : event.moves()) {
    Result<bool> moved = apply_move(place, move);
    if (!moved) return fail(moved.error());
    out.existed = out.existed || *moved;
  }
  return out;
}

Result<Outcome> reservations_voided(Place place, const v1::ReservationsVoided& event) {
  place.rows.put(row::voided_key(place.partition, event.incarnation()), "");
  Outcome out;
  out.offset = place.offset;
  return out;
}

}  // namespace kura::fold
