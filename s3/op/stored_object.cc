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
  Result<std::vector<v1::Part>> parts = parts_of(view, version);
  if (!parts) return fail(parts.error());
  for (v1::Part& part : *parts) {
    pieces.push_back({std::move(*part.mutable_body()), std::move(*part.mutable_envelope()),
                      part.size_bytes(), part.stored_bytes()});
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
