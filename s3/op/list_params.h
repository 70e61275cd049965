// What the listing operations have in common: parameters, and the elements of a page (S3 API,
// ListObjects, ListObjectsV2, ListObjectVersions, ListMultipartUploads).

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "s3/codec/xml_writer.h"
#include "s3/op/operation.h"

namespace kura::s3 {

struct ListParams {
  std::string prefix;
  std::string delimiter;
  uint32_t entries_max = 1000;  // As S3 caps it.
  bool encode_url = false;      // encoding-type=url
};

// `max_name`: "max-keys", "max-uploads". Errors: InvalidArgument.
S3Result<ListParams> list_params(const Query& query, std::string_view max_name);

// Names as the client asked for them.
void write_name(XmlWriter* xml, const ListParams& params, std::string_view element,
                std::string_view name);
// <Prefix>, <Delimiter> if there is one, <EncodingType> if asked for.
void write_list_params(XmlWriter* xml, const ListParams& params);
void write_common_prefixes(XmlWriter* xml, const ListParams& params,
                           const std::vector<std::string>& prefixes);

// One page of current versions. An empty page, not truncated, for entries_max 0.
Result<ListPage> list_page(const MetadataView& view, BucketId bucket, const ListParams& params,
                           std::string after);
// <Contents> of ListObjects and ListObjectsV2. `owner`: none if empty.
void write_contents(XmlWriter* xml, const ListParams& params, const ListEntry& entry,
                    const std::string& owner);
// LastModified, ETag, checksum, Size, Owner, StorageClass: also of <Version>.
void write_version_fields(XmlWriter* xml, const v1::ObjectVersion& version,
                          const std::string& owner);

}  // namespace kura::s3
