#include "actors/bucket/decide_families.h"
#include "base/check.h"
#include "projections/metadata/rows.h"

namespace kura::rules {

Result<Decision> create_upload(const KeyState& state, const Command& command,
                               const CreateUpload& request) {
  INVARIANT(request.upload.upload_id().size() == row::kUploadIdBytes,
            "the edge makes ids of one length");
  if (state.upload) return fail(Errc::exists, "upload id drawn twice");
  if (Result<void> ok = check_conditions(request.conditions, visible(state)); !ok)
    return fail(ok.error());
  NewEvent out;
  v1::UploadCreated& event = *out.event.mutable_upload_created();
  event.set_bucket(command.bucket.value);
  event.set_key(command.key);
  *event.mutable_upload() = request.upload;
  v1::Upload& upload = *event.mutable_upload();
  upload.set_if_none_match_any(request.conditions.if_none_match_any);
  if (request.conditions.if_match_etag) upload.set_if_match_etag(*request.conditions.if_match_etag);
  return out;
}

Result<Decision> commit_part(const KeyState& state, const Command& command,
                             const CommitPart& request, const Stamp& stamp) {
  INVARIANT(request.part.etag().size() == 16, "the edge hashes a body before it commits");
  if (request.part.number() < 1 || request.part.number() > kPartNumberMax)
    return fail(Errc::invalid_argument, "part number");
  if (!state.upload) return fail(Errc::no_such_upload);
  if (state.upload->checksum_algorithm() != v1::Checksum::NONE &&
      state.upload->checksum_algorithm() != request.part.checksum().algorithm())
    return fail(Errc::invalid_argument, "a part without the checksum that its upload asked for");

  NewEvent out;
  v1::PartCommitted& event = *out.event.mutable_part_committed();
  event.set_bucket(command.bucket.value);
  event.set_key(command.key);
  event.set_upload_id(request.upload_id);
  v1::Part& part = *event.mutable_part();
  part = request.part;
  part.set_modified_at_ms(stamp.now_ms);
  if (request.inline_body) {
    set_inline(*part.mutable_body(), *request.inline_body);
    out.body = *request.inline_body;
  }
  if (request.reservation) *event.mutable_reservation() = *request.reservation;
  return out;
}

Result<Decision> abort_upload(const KeyState& state, const Command& command,
                              const AbortUpload& request) {
  if (!state.upload) return fail(Errc::no_such_upload);
  NewEvent out;
  v1::UploadAborted& event = *out.event.mutable_upload_aborted();
  event.set_bucket(command.bucket.value);
  event.set_key(command.key);
  event.set_upload_id(request.upload_id);
  return out;
}

}  // namespace kura::rules
