#include "actors/bucket/decide_families.h"
#include "base/check.h"

namespace kura::rules {
namespace {

// "null" or 32 hex digits; none: nothing that S3 could have given out.
std::optional<std::string> parse_version_id(std::string_view text) {
  if (text == "null") return std::string();
  if (text.size() != 32) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t digit = std::string_view("0123456789abcdef").find(text[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    if (i % 2 == 0)
      out += static_cast<char>(digit << 4);
    else
      out.back() = static_cast<char>(out.back() | static_cast<char>(digit));
  }
  return out;
}

int64_t floor_to_seconds(int64_t ms) { return ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000); }

}  // namespace

const v1::ObjectVersion* visible(const KeyState& state) {
  return state.current && !state.current->delete_marker() ? &*state.current : nullptr;
}

Result<void> check_conditions(const WriteConditions& conditions, const v1::ObjectVersion* current) {
  if (conditions.if_none_match_any && current != nullptr)
    return fail(Errc::precondition_failed, "If-None-Match: * and the key exists");
  if (conditions.if_match_etag) {
    if (current == nullptr) return fail(Errc::no_such_key, "If-Match and no such key");
    const std::string& wanted = *conditions.if_match_etag;
    if (wanted != "*" && wanted != etag_text(current->etag(), current->part_count()))
      return fail(Errc::precondition_failed, "If-Match");
  }
  // Size and time, unlike the ETag, hold for a key that is not there (S3 API, DeleteObject).
  if (current == nullptr) return {};
  if (conditions.if_match_size && *conditions.if_match_size != current->size_bytes())
    return fail(Errc::precondition_failed, "x-amz-if-match-size");
  if (conditions.if_match_modified_ms && floor_to_seconds(*conditions.if_match_modified_ms) !=
                                             floor_to_seconds(current->modified_at_ms()))
    return fail(Errc::precondition_failed, "x-amz-if-match-last-modified-time");
  return {};
}

Result<Decision> commit_put(const KeyState& state, const Command& command, const CommitPut& put,
                            const Stamp& stamp) {
  INVARIANT(put.version.etag().size() == 16, "the edge hashes a body before it commits");
  if (Result<void> ok = check_conditions(put.conditions, visible(state)); !ok)
    return fail(ok.error());

  NewEvent out;
  v1::PutCommitted& event = *out.event.mutable_put_committed();
  event.set_bucket(command.bucket.value);
  event.set_key(command.key);
  v1::ObjectVersion& version = *event.mutable_version();
  version = put.version;
  version.clear_version_id();  // The null version: no bucket is versioned in this build.
  version.clear_sequence();
  version.set_modified_at_ms(stamp.now_ms);
  if (put.inline_body) {
    set_inline(*version.mutable_body(), *put.inline_body);
    out.body = *put.inline_body;
  }
  if (put.reservation) *event.mutable_reservation() = *put.reservation;
  return out;
}

Result<Decision> delete_object(const KeyState& state, const Command& command,
                               const DeleteObject& request) {
  Outcome nothing;
  if (request.version_id) {
    std::optional<std::string> id = parse_version_id(*request.version_id);
    if (!id) return fail(Errc::no_such_version);
    nothing.version_id = *id;
  }
  if (Result<void> ok = check_conditions(request.conditions, visible(state)); !ok)
    return fail(ok.error());
  if (!state.current) return nothing;
  if (request.version_id && state.current->version_id() != nothing.version_id) return nothing;

  NewEvent out;
  v1::ObjectDeleted& event = *out.event.mutable_object_deleted();
  event.set_bucket(command.bucket.value);
  event.set_key(command.key);
  event.set_version_id(state.current->version_id());
  return out;
}

}  // namespace kura::rules
