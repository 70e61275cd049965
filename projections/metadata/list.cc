// LIST as seeks: one for the start of a page and one behind each common prefix, so that a page
// costs the same wherever it is and however many keys a common prefix stands for.

#include "projections/metadata/list_roll_up.h"
#include "projections/metadata/rows.h"
#include "projections/metadata/view.h"

namespace kura {
namespace {

// The row to start at; none when no name can lie behind `query.after`.
std::optional<std::string> first_row(const ListQuery& query) {
  const std::string bucket = row::current_prefix(query.bucket);
  if (query.after.empty() || query.after < query.prefix) return bucket + query.prefix;
  if (query.after.starts_with(query.prefix)) {
    // Keys behind `after` that roll up into a name at or before it were listed with that name.
    if (auto group = common_prefix(query.after, query.prefix, query.delimiter))
      return row::behind(bucket + std::string(*group));
  }
  return bucket + query.after + '\0';
}

}  // namespace

Result<ListPage> MetadataView::list(const ListQuery& query) const {
  ListPage page;
  if (query.keys_max == 0) return page;
  const std::string bucket = row::current_prefix(query.bucket);
  const std::string range = bucket + query.prefix;
  std::unique_ptr<KvIterator> it = kv_->iterate();
  std::optional<std::string> start = first_row(query);
  if (!start) return page;
  it->seek(*start);

  while (it->valid() && it->key().starts_with(range)) {
    const std::string key(it->key().substr(bucket.size()));
    v1::ObjectVersion version;
    if (!version.ParseFromArray(it->value().data(), static_cast<int>(it->value().size())))
      return fail(Errc::corrupt, "version row does not parse");
    if (version.delete_marker()) {
      it->next();
      continue;
    }
    if (page.objects.size() + page.common_prefixes.size() == query.keys_max) {
      page.truncated = true;
      return page;
    }
    const auto group = common_prefix(key, query.prefix, query.delimiter);
    if (!group) {
      page.last = key;
      page.objects.push_back({key, std::move(version)});
      it->next();
      continue;
    }
    page.last = std::string(*group);
    page.common_prefixes.push_back(page.last);
    std::optional<std::string> next = row::behind(bucket + page.last);
    if (!next) return page;
    it->seek(*next);
  }
  // A short page would hide keys.
  if (Result<void> outcome = it->outcome(); !outcome) return fail(outcome.error());
  return page;
}

}  // namespace kura
