#include "s3/op/stored_object.h"

#include <utility>

#include "s3/op/lookup.h"

namespace kura::s3 {

v1::Envelope::Transform transform_for(const Settings& settings) {
  return settings.test_transform ? v1::Envelope::TEST_PADDING : v1::Envelope::IDENTITY;
}

Result<std::vector<StoredPiece>> pieces_of(const MetadataView& view, v1::ObjectVersion version) {
  std::vector<StoredPiece> pieces;
  if (version.part_count() == 0) {
    pieces.push_back({std::move(*version.mutable_body()),
                      std::move(*version.mutable_info()->mutable_envelope()), version.size_bytes(),
                      version.stored_bytes()});
    return pieces;
  }
  Result<std::vector<v1::Part>> parts = all_parts(view, version.upload_id());
  if (!parts) return fail(parts.error());
  uint64_t size_bytes = 0;
  for (v1::Part& part : *parts) {
    size_bytes += part.size_bytes();
    pieces.push_back({std::move(*part.mutable_body()), std::move(*part.mutable_envelope()),
                      part.size_bytes(), part.stored_bytes()});
  }
  if (pieces.size() != version.part_count() || size_bytes != version.size_bytes()) {
    return fail(Errc::not_found, "the parts are no longer those of the version");
  }
  return pieces;
}

Task<Result<std::unique_ptr<ResponseBody>>> open_version(Store& store, v1::ObjectVersion version,
                                                         ByteRange range) {
  Result<std::vector<StoredPiece>> pieces = pieces_of(store.view, std::move(version));
  if (!pieces) co_return fail(pieces.error());
  co_return co_await open_body(store, std::move(*pieces), range);
}

}  // namespace kura::s3
