#include "projections/control/control_rows.h"
#include "projections/metadata/rows.h"
#include "projections/metadata/view_position.h"
#include "projections/metadata/view_scan.h"

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

DigestScan::DigestScan(Kv& kv) : it_(kv.iterate()) { it_->seek(""); }

Result<bool> DigestScan::step(size_t rows_max) {
  for (size_t rows = 0; rows < rows_max; ++rows, it_->next()) {
    if (!it_->valid()) {
      if (Result<void> outcome = it_->outcome(); !outcome) return fail(outcome.error());
      return true;
    }
    if (it_->key() == row::position_key()) {
      Result<ViewPosition> position = decode_position(it_->value());
      if (!position) return fail(position.error());
      digest_.offset = position->offset;
    }
    if (it_->key().empty() || is_position(it_->key())) continue;
    add_framed(hash_, it_->key());
    add_framed(hash_, it_->value());
    ++digest_.rows;
  }
  return false;
}

ViewDigest DigestScan::digest() const {
  ViewDigest out = digest_;
  out.value = hash_.digest();
  return out;
}

Result<ViewDigest> MetadataView::digest() const {
  DigestScan scan(*kv_);
  if (Result<bool> read = scan.step(SIZE_MAX); !read) return fail(read.error());
  return scan.digest();
}

}  // namespace kura
