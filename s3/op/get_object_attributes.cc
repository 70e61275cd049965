// GetObjectAttributes (S3 API).

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "base/limits.h"
#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "s3/codec/time.h"
#include "s3/op/answer.h"
#include "s3/op/etag.h"
#include "s3/op/handlers.h"
#include "s3/op/lookup.h"
#include "s3/op/object_info.h"
#include "s3/op/params.h"

namespace kura::s3 {
namespace {

struct Attributes {
  bool etag = false, checksum = false, parts = false, storage_class = false, size = false;
};

bool* field_of(Attributes* attributes, std::string_view name) {
  if (name == "ETag") return &attributes->etag;
  if (name == "Checksum") return &attributes->checksum;
  if (name == "ObjectParts") return &attributes->parts;
  if (name == "StorageClass") return &attributes->storage_class;
  if (name == "ObjectSize") return &attributes->size;
  return nullptr;
}

// x-amz-object-attributes: names by comma, in one header or several.
S3Result<Attributes> asked_attributes(const Headers& headers) {
  constexpr std::string_view kName = "x-amz-object-attributes";
  Attributes attributes;
  bool any = false;
  for (const auto& [name, value] : headers.all()) {
    if (name != kName) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      size_t comma = rest.find(',');
      std::string_view one = trim_spaces(rest.substr(0, comma));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
      bool* field = field_of(&attributes, one);
      if (field == nullptr) {
        return s3_fail(invalid_argument("Invalid attribute name specified.", kName, one));
      }
      *field = true;
      any = true;
    }
  }
  if (any) return attributes;
  return s3_fail("InvalidRequest",
                 "The x-amz-object-attributes header specifying the attributes to be retrieved is "
                 "either missing or empty");
}

S3Result<uint64_t> header_number(const Headers& headers, std::string_view name, uint64_t most,
                                 uint64_t absent) {
  if (!headers.has(name)) return absent;
  return number_param(name, headers.get(name), 0, most);
}

// As S3 shows them: the single parts only where they have checksums.
bool shows_parts(const v1::ObjectVersion& version) {
  return version.part_count() > 0 && version.checksum().algorithm() != v1::Checksum::NONE;
}

// <ObjectParts>
S3Result<void> write_parts(XmlWriter* xml, const Request& request, const ObjectParts& object) {
  const Headers& headers = request.head.headers;
  S3Result<uint64_t> after = header_number(headers, "x-amz-part-number-marker", INT32_MAX, 0);
  if (!after) return s3_fail(after.error());
  S3Result<uint64_t> asked = header_number(headers, "x-amz-max-parts", INT32_MAX, kListKeysMax);
  if (!asked) return s3_fail(asked.error());
  uint32_t most = static_cast<uint32_t>(std::min<uint64_t>(*asked, kListKeysMax));
  xml->open("ObjectParts");
  xml->number("PartsCount", object.version.part_count());
  if (shows_parts(object.version)) {
    const auto first = std::find_if(object.parts.begin(), object.parts.end(),
                                    [&](const v1::Part& part) { return part.number() > *after; });
    const std::span<const v1::Part> rest(first, object.parts.end());
    const std::span<const v1::Part> page = rest.first(std::min<size_t>(most, rest.size()));
    xml->number("PartNumberMarker", *after);
    xml->number("NextPartNumberMarker", page.empty() ? 0 : page.back().number());
    xml->number("MaxParts", most);
    xml->flag("IsTruncated", most > 0 && page.size() < rest.size());
    for (const v1::Part& part : page) {
      xml->open("Part");
      xml->number("PartNumber", part.number());
      xml->number("Size", part.size_bytes());
      if (part.checksum().algorithm() != v1::Checksum::NONE) {
        xml->text(checksum_element(part.checksum().algorithm()), format_checksum(part.checksum()));
      }
      xml->close();
    }
  }
  xml->close();
  return {};
}

}  // namespace

Task<S3Result<Response>> get_object_attributes(Context& context, Request& request) {
  S3Result<Attributes> asked = asked_attributes(request.head.headers);
  if (!asked) co_return s3_fail(asked.error());
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  S3Result<ObjectParts> object = find_object_parts(
      context, bucket->id, request.key, version_id_of(request.query),
      [&](const v1::ObjectVersion& version) { return asked->parts && shows_parts(version); });
  if (!object) co_return s3_fail(object.error());
  const v1::ObjectVersion& version = object->version;
  if (auto plain = refuse_customer_key(request.head.headers); !plain) {
    co_return s3_fail(plain.error());
  }

  XmlWriter xml("GetObjectAttributesResponse");
  if (asked->etag) xml.text("ETag", etag_of(version));
  if (asked->checksum && version.checksum().algorithm() != v1::Checksum::NONE) {
    xml.open("Checksum");
    write_checksum(&xml, version.checksum(), version.part_count());
    xml.close();
  }
  if (asked->parts && version.part_count() > 0) {
    if (auto wrote = write_parts(&xml, request, *object); !wrote) {
      co_return s3_fail(wrote.error());
    }
  }
  if (asked->storage_class) {
    xml.text("StorageClass", storage_class_name(version.info().storage_class()));
  }
  if (asked->size) xml.number("ObjectSize", version.size_bytes());
  Response response = xml_answer(std::move(xml));
  response.headers.add("last-modified", http_date(version.modified_at_ms()));
  co_return response;
}

}  // namespace kura::s3
