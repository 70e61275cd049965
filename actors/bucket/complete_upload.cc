#include "actors/bucket/decide_families.h"
#include "actors/bucket/multipart_digest.h"
#include "actors/bucket/refused_completion.h"
#include "projections/metadata/rows.h"

namespace kura::rules {
namespace {

using Parts = std::vector<const v1::Part*>;

// The stored parts that the client lists, in its order.
Result<Parts> listed_parts(const KeyState& state, const CompleteUpload& request) {
  if (request.parts.empty()) return fail(Errc::invalid_argument, "no parts listed");
  for (size_t i = 1; i < request.parts.size(); ++i)
    if (request.parts[i - 1].number >= request.parts[i].number)
      return fail(Errc::invalid_part_order);

  Parts out;
  for (const CompleteUpload::Part& listed : request.parts) {
    auto stored = state.parts.find(listed.number);
    if (stored == state.parts.end() || stored->second.etag() != listed.etag)
      return fail(Errc::invalid_part, "part " + std::to_string(listed.number));
    const v1::Checksum& checksum = stored->second.checksum();
    if (listed.checksum && (listed.checksum->algorithm() != checksum.algorithm() ||
                            listed.checksum->value() != checksum.value()))
      return fail(Errc::invalid_part, "checksum of part " + std::to_string(listed.number));
    out.push_back(&stored->second);
  }
  return out;
}

Result<void> check_sizes(const Parts& parts, const CompleteUpload& request, const Stamp& stamp,
                         v1::ObjectVersion& version) {
  uint64_t size_bytes = 0, stored_bytes = 0;
  for (const v1::Part* part : parts) {
    if (part != parts.back() && part->size_bytes() < stamp.part_bytes_min)
      return fail(Errc::entity_too_small, "part " + std::to_string(part->number()));
    size_bytes += part->size_bytes();
    stored_bytes += part->stored_bytes();
  }
  if (size_bytes > kObjectBytesMax) return fail(Errc::too_large, "sum of the parts");
  if (request.expected_size && *request.expected_size != size_bytes)
    return fail(Errc::invalid_argument, std::string(refused_completion::kSize));
  version.set_size_bytes(size_bytes);
  version.set_stored_bytes(stored_bytes);
  return {};
}

// The checksum of the object; none if neither the upload nor the request asks for one.
Result<std::optional<v1::Checksum>> checksum_of(const Parts& parts, const v1::Upload& upload,
                                                const CompleteUpload& request) {
  v1::Checksum::Algorithm algorithm = upload.checksum_algorithm();
  v1::Checksum::Type type = upload.checksum_type();
  const std::optional<v1::Checksum>& expected = request.expected_checksum;
  if (algorithm == v1::Checksum::NONE && expected) {
    algorithm = expected->algorithm();
    type = expected->type();
  }
  if (algorithm == v1::Checksum::NONE) return std::nullopt;
  type = checksum_type_or_default(algorithm, type);

  if (expected && expected->algorithm() != algorithm)
    return fail(Errc::invalid_argument, std::string(refused_completion::kAlgorithm));
  if (expected && expected->type() != v1::Checksum::TYPE_UNSPECIFIED && expected->type() != type)
    return fail(Errc::invalid_argument, std::string(refused_completion::kType));
  Result<v1::Checksum> checksum = multipart_checksum(algorithm, type, parts);
  if (!checksum) return fail(checksum.error());
  if (expected && expected->value() != checksum->value())
    return fail(Errc::bad_digest, "checksum of the completed object");
  return *checksum;
}

// The upload is gone. If it became the current version from the same parts, this is a retry whose
// first run succeeded; its conditions held then.
Result<Decision> completed_before(const KeyState& state, const CompleteUpload& request) {
  const v1::ObjectVersion* current = visible(state);
  if (current == nullptr || current->upload_id() != request.upload_id)
    return fail(Errc::no_such_upload);
  Result<Parts> parts = listed_parts(state, request);
  if (!parts) return fail(parts.error());
  if (parts->size() != current->part_count())
    return fail(Errc::invalid_part, "completed before with other parts");
  Outcome out;
  out.existed = true;
  out.version_id = current->version_id();
  out.etag = etag_text(current->etag(), current->part_count());
  out.modified_at_ms = current->modified_at_ms();
  out.size_bytes = current->size_bytes();
  out.checksum = current->checksum();
  out.offset = Offset{current->sequence()};
  return out;
}

WriteConditions conditions_of(const v1::Upload& upload) {
  WriteConditions conditions;
  conditions.if_none_match_any = upload.if_none_match_any();
  if (upload.has_if_match_etag()) conditions.if_match_etag = upload.if_match_etag();
  return conditions;
}

}  // namespace

Result<Decision> complete_upload(const KeyState& state, const Command& command,
                                 const CompleteUpload& request, const Stamp& stamp) {
  // An empty id would pass for that of a version that has none.
  if (request.upload_id.size() != row::kUploadIdBytes) return fail(Errc::no_such_upload);
  if (!state.upload) return completed_before(state, request);
  for (const WriteConditions& conditions : {conditions_of(*state.upload), request.conditions})
    if (Result<void> ok = check_conditions(conditions, visible(state)); !ok)
      return fail(ok.error());
  Result<Parts> parts = listed_parts(state, request);
  if (!parts) return fail(parts.error());

  NewEvent out;
  v1::UploadCompleted& event = *out.event.mutable_upload_completed();
  event.set_bucket(command.bucket.value);
  event.set_key(command.key);
  event.set_upload_id(request.upload_id);
  for (const v1::Part* part : *parts) event.add_part_numbers(part->number());
  v1::ObjectVersion& version = *event.mutable_version();
  if (Result<void> ok = check_sizes(*parts, request, stamp, version); !ok) return fail(ok.error());
  Result<std::optional<v1::Checksum>> checksum = checksum_of(*parts, *state.upload, request);
  if (!checksum) return fail(checksum.error());
  if (*checksum) *version.mutable_checksum() = **checksum;
  Result<std::string> etag = multipart_etag(*parts);
  if (!etag) return fail(etag.error());
  version.set_etag(*etag);
  version.set_part_count(static_cast<uint32_t>(parts->size()));
  version.set_modified_at_ms(stamp.now_ms);
  *version.mutable_info() = state.upload->info();
  version.set_upload_id(request.upload_id);
  return out;
}

}  // namespace kura::rules
