#include "projections/metadata/list_roll_up.h"
#include "projections/metadata/rows.h"
#include "projections/metadata/view.h"

namespace kura {
namespace {

// The row to start at; none when no name can lie behind the markers.
std::optional<std::string> first_row(const UploadQuery& query) {
  const std::string bucket = row::uploads_prefix(query.bucket);
  const std::string& marker = query.key_marker;
  if (marker.empty() || marker < query.prefix) return bucket + row::escape(query.prefix);
  if (marker.starts_with(query.prefix)) {
    if (auto group = common_prefix(marker, query.prefix, query.delimiter))
      return row::behind(bucket + row::escape(*group));
  }
  const std::string uploads_of_key = row::upload_key(query.bucket, marker, "");
  if (query.upload_id_marker.empty()) return row::behind(uploads_of_key);
  return uploads_of_key + query.upload_id_marker + '\0';
}

}  // namespace

Result<UploadPage> MetadataView::list_uploads(const UploadQuery& query) const {
  UploadPage page;
  if (query.uploads_max == 0) return page;
  const std::string bucket = row::uploads_prefix(query.bucket);
  const std::string range = bucket + row::escape(query.prefix);
  std::unique_ptr<KvIterator> it = kv_->iterate();
  std::optional<std::string> start = first_row(query);
  if (!start) return page;
  it->seek(*start);

  while (it->valid() && it->key().starts_with(range)) {
    if (page.uploads.size() + page.common_prefixes.size() == query.uploads_max) {
      page.truncated = true;
      return page;
    }
    Result<row::UploadKey> name = row::parse_upload_key(it->key());
    if (!name) return fail(name.error());
    if (const auto group = common_prefix(name->key, query.prefix, query.delimiter)) {
      page.common_prefixes.emplace_back(*group);
      page.next_key_marker = std::string(*group);
      page.next_upload_id_marker.clear();
      std::optional<std::string> next = row::behind(bucket + row::escape(*group));
      if (!next) return page;
      it->seek(*next);
      continue;
    }
    UploadEntry& entry = page.uploads.emplace_back();
    if (!entry.upload.ParseFromArray(it->value().data(), static_cast<int>(it->value().size())))
      return fail(Errc::corrupt, "upload row does not parse");
    page.next_key_marker = name->key;
    page.next_upload_id_marker = name->upload_id;
    entry.key = std::move(name->key);
    it->next();
  }
  if (Result<void> outcome = it->outcome(); !outcome) return fail(outcome.error());
  return page;
}

}  // namespace kura
