#include "s3/op/list_params.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "s3/codec/checksum.h"
#include "s3/codec/time.h"
#include "s3/codec/uri.h"
#include "s3/op/etag.h"
#include "s3/op/object_info.h"
#include "s3/op/owner.h"
#include "s3/op/params.h"

namespace kura::s3 {

S3Result<ListParams> list_params(const Query& query, std::string_view max_name) {
  ListParams params;
  params.prefix = query.get("prefix");
  params.delimiter = query.get("delimiter");
  S3Result<uint64_t> most = query_number(query, max_name, 0, INT32_MAX, kListKeysMax);
  if (!most) return s3_fail(most.error());
  params.entries_max = static_cast<uint32_t>(std::min<uint64_t>(*most, kListKeysMax));
  std::string_view encoding = query.get("encoding-type");
  if (!encoding.empty() && encoding != "url") {
    return s3_fail(invalid_argument("Invalid Encoding Method specified in Request", "encoding-type",
                                    encoding));
  }
  params.encode_url = encoding == "url";
  return params;
}

void write_name(XmlWriter* xml, const ListParams& params, std::string_view element,
                std::string_view name) {
  xml->text(element, list_text(name, params.encode_url));
}

void write_list_params(XmlWriter* xml, const ListParams& params) {
  write_name(xml, params, "Prefix", params.prefix);
  if (!params.delimiter.empty()) write_name(xml, params, "Delimiter", params.delimiter);
  if (params.encode_url) xml->text("EncodingType", "url");
}

void write_common_prefixes(XmlWriter* xml, const ListParams& params,
                           const std::vector<std::string>& prefixes) {
  for (const std::string& prefix : prefixes) {
    xml->open("CommonPrefixes");
    write_name(xml, params, "Prefix", prefix);
    xml->close();
  }
}

Result<ListPage> list_page(const MetadataView& view, BucketId bucket, const ListParams& params,
                           std::string after) {
  if (params.entries_max == 0) return ListPage{};
  return view.list({bucket, params.prefix, params.delimiter, std::move(after), params.entries_max});
}

void write_contents(XmlWriter* xml, const ListParams& params, const ListEntry& entry,
                    const std::string& owner) {
  xml->open("Contents");
  write_name(xml, params, "Key", entry.key);
  write_version_fields(xml, entry.version, owner);
  xml->close();
}

void write_version_fields(XmlWriter* xml, const v1::ObjectVersion& version,
                          const std::string& owner) {
  xml->text("LastModified", iso8601(version.modified_at_ms()));
  xml->text("ETag", quoted(etag_of(version)));
  if (version.checksum().algorithm() != v1::Checksum::NONE) {
    xml->text("ChecksumAlgorithm", algorithm_name(version.checksum().algorithm()));
    xml->text("ChecksumType", checksum_type_name(version.checksum().type()));
  }
  xml->number("Size", version.size_bytes());
  if (!owner.empty()) write_owner(xml, "Owner", owner);
  xml->text("StorageClass", storage_class_name(version.info().storage_class()));
}

}  // namespace kura::s3
