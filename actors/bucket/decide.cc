#include "actors/bucket/decide.h"

#include "actors/bucket/decide_families.h"
#include "base/crc32c.h"
#include "projections/metadata/accounts.h"
#include "projections/metadata/partition_rows.h"
#include "projections/metadata/rows.h"

namespace kura {
namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

// Header, padding and framing of a record around payload and body, with room to spare.
constexpr uint64_t kRecordOverheadMax = 512;

const std::string* upload_id_of(const Command& command) {
  return std::visit(Overloaded{[](const CreateUpload& c) { return &c.upload.upload_id(); },
                               [](const CommitPart& c) { return &c.upload_id; },
                               [](const CompleteUpload& c) { return &c.upload_id; },
                               [](const AbortUpload& c) { return &c.upload_id; },
                               [](const auto&) -> const std::string* { return nullptr; }},
                    command.action);
}

const v1::Reservation* reservation_of(const Command& command) {
  auto of = [](const auto& c) { return c.reservation ? &*c.reservation : nullptr; };
  return std::visit(Overloaded{[&](const CommitPut& c) { return of(c); },
                               [&](const CommitPart& c) { return of(c); },
                               [](const MoveBodies& c) { return &c.reservation; },
                               [](const auto&) -> const v1::Reservation* { return nullptr; }},
                    command.action);
}

Result<void> load_bucket(RowReader& rows, PartitionId partition, BucketId bucket, KeyState& out) {
  auto known = bucket_row(rows, partition, bucket);
  if (!known) return fail(known.error());
  out.bucket_known = known->has_value();
  out.bucket_frozen = known->has_value() && (*known)->vote() == v1::BucketRow::YES;
  if (out.bucket_known) return {};
  Result<Offset> position = control_position(rows, partition);
  if (!position) return fail(position.error());
  out.control_pos = *position;
  return {};
}

Result<void> load_parts(RowReader& rows, const CompleteUpload& request, KeyState& out) {
  Result<std::vector<Row>> stored = rows.scan(row::parts_prefix(request.upload_id), kPartNumberMax);
  if (!stored) return fail(stored.error());
  for (const Row& row : *stored) {
    v1::Part part;
    if (!part.ParseFromString(row.value)) return fail(Errc::corrupt, "part row does not parse");
    out.parts.emplace(part.number(), std::move(part));
  }
  return {};
}

template <class Message>
Result<bool> is_at(RowReader& rows, const std::string& key, const v1::Body& from) {
  auto found = get_message<Message>(rows, key);
  if (!found) return fail(found.error());
  return found->has_value() && same_body((*found)->body(), from);
}

Result<void> load_moves(RowReader& rows, const MoveBodies& request, KeyState& out) {
  for (const v1::BodiesMoved_Move& move : request.moves) {
    Result<bool> movable =
        move.upload_id().empty()
            ? is_at<v1::ObjectVersion>(rows, row::current_key(BucketId{move.bucket()}, move.key()),
                                       move.from())
            : is_at<v1::Part>(rows, row::part_key(move.upload_id(), move.part_number()),
                              move.from());
    if (!movable) return fail(movable.error());
    out.movable.push_back(*movable);
  }
  return {};
}

Result<Decision> move_bodies(const KeyState& state, const MoveBodies& request) {
  NewEvent out;
  v1::BodiesMoved& event = *out.event.mutable_bodies_moved();
  for (size_t i = 0; i < request.moves.size(); ++i)
    if (state.movable[i]) *event.add_moves() = request.moves[i];
  if (event.moves().empty()) return Outcome{};
  *event.mutable_reservation() = request.reservation;
  return out;
}

Result<void> check_bucket(const KeyState& state, const Command& command) {
  if (std::holds_alternative<MoveBodies>(command.action)) return {};
  if (command.key.empty() || command.key.size() > kKeyBytesMax)
    return fail(Errc::invalid_argument, "key length");
  if (waits_for_control(state, command))
    return fail(Errc::unavailable, state.bucket_known
                                       ? "the bucket is being deleted"
                                       : "the bucket's creation is not folded here yet");
  if (!state.bucket_known) return fail(Errc::no_such_bucket);
  return {};
}

}  // namespace

Result<KeyState> load(RowReader& rows, PartitionId partition, const Command& command) {
  KeyState out;
  if (const v1::Reservation* reservation = reservation_of(command)) {
    Result<bool> voided = is_voided(rows, partition, reservation->incarnation());
    if (!voided) return fail(voided.error());
    out.reservation_void = *voided;
  }
  if (const auto* moves = std::get_if<MoveBodies>(&command.action)) {
    if (Result<void> ok = load_moves(rows, *moves, out); !ok) return fail(ok.error());
    return out;
  }
  if (Result<void> ok = load_bucket(rows, partition, command.bucket, out); !ok)
    return fail(ok.error());
  if (!std::holds_alternative<CommitPart>(command.action)) {
    auto current =
        get_message<v1::ObjectVersion>(rows, row::current_key(command.bucket, command.key));
    if (!current) return fail(current.error());
    out.current = std::move(*current);
  }
  // An id of another length comes from a client and names no upload.
  const std::string* upload_id = upload_id_of(command);
  if (upload_id == nullptr || upload_id->size() != row::kUploadIdBytes) return out;
  auto upload =
      get_message<v1::Upload>(rows, row::upload_key(command.bucket, command.key, *upload_id));
  if (!upload) return fail(upload.error());
  out.upload = std::move(*upload);
  if (const auto* complete = std::get_if<CompleteUpload>(&command.action))
    if (Result<void> ok = load_parts(rows, *complete, out); !ok) return fail(ok.error());
  return out;
}

bool waits_for_control(const KeyState& state, const Command& command) {
  if (std::holds_alternative<MoveBodies>(command.action))
    return false;  // Its rows are proof enough.
  if (state.bucket_known) return state.bucket_frozen;
  // A bucket's id is the offset of its creation, so a partition that applied control beyond it and
  // does not know the bucket has seen it go.
  return command.bucket.value > state.control_pos.value;
}

Result<Decision> decide(const KeyState& state, const Command& command, const Stamp& stamp) {
  if (Result<void> ok = check_bucket(state, command); !ok) return fail(ok.error());
  if (state.reservation_void) return fail(Errc::unavailable, "the reservation is void");
  Result<Decision> decision = std::visit(
      Overloaded{
          [&](const CommitPut& c) { return rules::commit_put(state, command, c, stamp); },
          [&](const DeleteObject& c) { return rules::delete_object(state, command, c); },
          [&](const CreateUpload& c) { return rules::create_upload(state, command, c); },
          [&](const CommitPart& c) { return rules::commit_part(state, command, c, stamp); },
          [&](const CompleteUpload& c) { return rules::complete_upload(state, command, c, stamp); },
          [&](const AbortUpload& c) { return rules::abort_upload(state, command, c); },
          [&](const MoveBodies& c) { return move_bodies(state, c); }},
      command.action);
  // Refused before a seq is drawn, so that no record exists that cannot be appended.
  if (const auto* change = decision ? std::get_if<NewEvent>(&*decision) : nullptr) {
    if (change->event.ByteSizeLong() + change->body.size() + kRecordOverheadMax > kRecordMax)
      return fail(Errc::too_large, "the event does not fit into a record");
  }
  return decision;
}

void rules::set_inline(v1::Body& body, const std::string& bytes) {
  body.Clear();
  if (bytes.empty()) return;
  body.mutable_journal()->set_length(static_cast<uint32_t>(bytes.size()));
  body.mutable_journal()->set_crc32c(crc32c(bytes));
}

}  // namespace kura
