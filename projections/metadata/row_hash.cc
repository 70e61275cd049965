#include "projections/metadata/row_hash.h"

#include <xxhash.h>

namespace kura {

RowHash::RowHash() : state_(XXH3_createState()) { XXH3_128bits_reset(state_.get()); }

void RowHash::Free::operator()(XXH3_state_s* state) const { XXH3_freeState(state); }

void RowHash::add(std::string_view bytes) {
  XXH3_128bits_update(state_.get(), bytes.data(), bytes.size());
}

std::string RowHash::digest() const {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(state_.get()));
  return {reinterpret_cast<const char*>(bytes.digest), sizeof(bytes.digest)};
}

}  // namespace kura
