#include "projections/control/control_rows.h"
#include "projections/metadata/fold.h"
#include "projections/metadata/rows.h"
#include "projections/metadata/snapshot.h"
#include "projections/metadata/view.h"

namespace kura {
namespace {

// Rows that a restart moves on, because it claims, voids and applies control anew.
bool is_position(std::string_view key) {
  switch (key[0]) {
    case row::kControlPos:
    case row::kHead:
    case row::kPosition:
    case row::kVoided:
      return true;
    case row::kControl:
      return is_control_position(key);
    default:
      return false;
  }
}

void add_framed(RowHash& hash, std::string_view bytes) {
  hash.add(row::encode_u64(bytes.size()));
  hash.add(bytes);
}

}  // namespace

Result<ViewDigest> MetadataView::digest() const {
  RowHash hash;
  ViewDigest out;
  std::unique_ptr<KvIterator> it = kv_->iterate();
  for (it->seek(""); it->valid(); it->next()) {
    if (it->key() == row::position_key()) {
      Result<ViewPosition> position = decode_position(it->value());
      if (!position) return fail(position.error());
      out.offset = position->offset;
    }
    if (it->key().empty() || is_position(it->key())) continue;
    add_framed(hash, it->key());
    add_framed(hash, it->value());
    ++out.rows;
  }
  if (Result<void> status = it->status(); !status) return fail(status.error());
  out.value = hash.digest();
  return out;
}

}  // namespace kura
