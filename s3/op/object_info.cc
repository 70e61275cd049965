#include "s3/op/object_info.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "s3/codec/encoding.h"
#include "s3/codec/time.h"
#include "s3/codec/uri.h"
#include "s3/op/etag.h"
#include "s3/op/lookup.h"
#include "s3/op/params.h"

namespace kura::s3 {
namespace {

constexpr std::string_view kMeta = "x-amz-meta-";
constexpr std::string_view kRedirect = "x-amz-website-redirect-location";

// Where each name stands in ObjectInfo::user_metadata.
using MetadataNames = std::map<std::string, int>;

bool is_content_header(std::string_view name) {
  return std::find(std::begin(kContentHeaders), std::end(kContentHeaders), name) !=
         std::end(kContentHeaders);
}

bool is_canned_acl(std::string_view name) {
  constexpr std::string_view kNames[] = {
      "private",       "public-read",       "public-read-write",         "authenticated-read",
      "aws-exec-read", "bucket-owner-read", "bucket-owner-full-control", "log-delivery-write"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<signed char>(c) >= 0; });
}

// Some clients send Latin-1. Stored text is UTF-8, so each such byte becomes its character.
std::string as_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string utf8;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      utf8 += c;
    } else {
      utf8 += static_cast<char>(0xc0 | byte >> 6);
      utf8 += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return utf8;
}

// "gzip,aws-chunked" -> "gzip": the framing of the request is no property of the object.
std::string without_aws_chunked(std::string_view value) {
  std::string kept;
  while (!value.empty()) {
    size_t comma = value.find(',');
    std::string_view one = value.substr(0, comma);
    value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
    one = trim_spaces(one);
    if (one.empty() || one == "aws-chunked") continue;
    if (!kept.empty()) kept += ',';
    kept += one;
  }
  return kept;
}

void add_header(std::string_view name, std::string value, v1::ObjectInfo* info) {
  v1::Header* header = info->add_headers();
  header->set_name(std::string(name));
  header->set_value(std::move(value));
}

// Each name once: the values of repeated fields are joined as they are signed, "1,2".
void add_metadata(std::string_view name, std::string_view value, MetadataNames& names,
                  v1::ObjectInfo* info) {
  auto [known, is_new] = names.emplace(as_utf8(name), info->user_metadata_size());
  if (!is_new) {
    info->mutable_user_metadata(known->second)->mutable_value()->append("," + as_utf8(value));
    return;
  }
  v1::Header* header = info->add_user_metadata();
  header->set_name(known->first);
  header->set_value(as_utf8(value));
}

S3Result<void> take_field(std::string_view name, std::string_view value, MetadataNames& names,
                          v1::ObjectInfo* info) {
  if (name.starts_with(kMeta)) {
    add_metadata(name.substr(kMeta.size()), value, names, info);
  } else if (name == "content-encoding") {
    std::string kept = without_aws_chunked(value);
    if (!kept.empty()) add_header(name, as_utf8(kept), info);
  } else if (is_content_header(name)) {
    add_header(name, as_utf8(value), info);
  } else if (name == kRedirect) {
    if (!value.starts_with('/') && !value.starts_with("http://") &&
        !value.starts_with("https://")) {
      return s3_fail("InvalidArgument",
                     "The website redirect location must have a prefix of 'http://' or 'https://' "
                     "or '/'.");
    }
    add_header(name, as_utf8(value), info);
  }
  return {};
}

S3Result<void> check_metadata_size(const v1::ObjectInfo& info) {
  size_t size_bytes = 0;
  for (const v1::Header& header : info.user_metadata()) {
    size_bytes += header.name().size() + header.value().size();
  }
  if (size_bytes <= kUserMetadataBytesMax) return {};
  S3Error error = s3_error("MetadataTooLarge");
  error.details.emplace_back("Size", std::to_string(size_bytes));
  error.details.emplace_back("MaxSizeAllowed", std::to_string(kUserMetadataBytesMax));
  return s3_fail(std::move(error));
}

}  // namespace

S3Result<v1::StorageClass> storage_class_of(const Request& request) {
  std::optional<std::string_view> name = header_of(request, "x-amz-storage-class");
  if (!name || name->empty() || *name == "STANDARD") return v1::STANDARD;
  if (*name == "REDUCED_REDUNDANCY") return v1::REDUCED_REDUNDANCY;
  S3Error error = s3_error("InvalidStorageClass");
  error.details.emplace_back("StorageClassRequested", *name);
  return s3_fail(std::move(error));
}

std::string_view storage_class_name(v1::StorageClass storage_class) {
  return storage_class == v1::REDUCED_REDUNDANCY ? "REDUCED_REDUNDANCY" : "STANDARD";
}

S3Result<void> refuse_missing_features(const Request& request) {
  if (const std::string* id = version_id_of(request.query)) {
    return s3_fail(
        invalid_argument("This operation does not accept a version-id.", "versionId", *id));
  }
  constexpr std::string_view kEncryption = "x-amz-server-side-encryption";
  auto given = [&](std::string_view name) {
    std::optional<std::string_view> value = header_of(request, name);
    return value && !value->empty();
  };
  auto refuse_encryption = [&](std::string_view name) { return name.starts_with(kEncryption); };
  bool encryption = false;
  for (const auto& [name, value] : request.head.headers.all()) {
    encryption = encryption || refuse_encryption(name) ||
                 name.starts_with("x-amz-copy-source-server-side-encryption");
  }
  if (encryption || given(kEncryption)) {
    return s3_fail("NotImplemented", "Server-side encryption is not implemented");
  }
  if (given("x-amz-tagging")) return s3_fail("NotImplemented", "Object tags are not implemented");
  if (given("x-amz-write-offset-bytes")) {
    return s3_fail("NotImplemented", "Appending to an object is not implemented");
  }
  for (std::string_view name : {"x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date",
                                "x-amz-object-lock-legal-hold"}) {
    if (given(name)) {
      return s3_fail("InvalidRequest", "Bucket is missing Object Lock Configuration");
    }
  }
  if (std::optional<std::string_view> acl = header_of(request, "x-amz-acl")) {
    if (!acl->empty() && !is_canned_acl(*acl)) {
      return s3_fail(invalid_argument("Not a canned ACL", "x-amz-acl", *acl));
    }
    // Those that grant the owner everything and nobody else anything change nothing.
    if (!acl->empty() && *acl != "private" && *acl != "bucket-owner-full-control" &&
        *acl != "bucket-owner-read") {
      return s3_fail("AccessControlListNotSupported");
    }
  }
  for (std::string_view name :
       {"x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write",
        "x-amz-grant-write-acp"}) {
    if (given(name)) return s3_fail("AccessControlListNotSupported");
  }
  return {};
}

S3Result<void> refuse_customer_key(const Headers& headers) {
  for (const auto& [name, value] : headers.all()) {
    if (name.starts_with("x-amz-server-side-encryption-customer-")) {
      return s3_fail("InvalidRequest",
                     "The encryption parameters are not applicable to this object.");
    }
  }
  return {};
}

S3Result<v1::ObjectInfo> object_info_of(const Request& request) {
  if (auto refused = refuse_missing_features(request); !refused) return s3_fail(refused.error());
  S3Result<v1::StorageClass> storage_class = storage_class_of(request);
  if (!storage_class) return s3_fail(storage_class.error());
  v1::ObjectInfo info;
  info.set_storage_class(*storage_class);
  MetadataNames names;
  for (const auto& [name, value] : request.head.headers.all()) {
    if (auto taken = take_field(name, value, names, &info); !taken) return s3_fail(taken.error());
  }
  if (auto fits = check_metadata_size(info); !fits) return s3_fail(fits.error());
  return info;
}

std::string mail_safe(std::string_view utf8) {
  if (is_ascii(utf8)) return std::string(utf8);
  // An encoded word is at most 75 characters (RFC 2047, 2): 45 bytes in base64 and 12 around them.
  constexpr size_t kWordBytesMax = 45;
  std::string words;
  while (!utf8.empty()) {
    size_t size = std::min(kWordBytesMax, utf8.size());
    while (size < utf8.size() && size > 1 &&
           (static_cast<unsigned char>(utf8[size]) & 0xc0) == 0x80) {
      --size;  // Never inside a character.
    }
    if (!words.empty()) words += ' ';
    words += "=?UTF-8?B?" + base64_encode(utf8.substr(0, size)) + "?=";
    utf8.remove_prefix(size);
  }
  return words;
}

void add_object_headers(const v1::ObjectVersion& version, Headers* headers) {
  headers->add("etag", quoted(etag_of(version)));
  headers->add("last-modified", http_date(version.modified_at_ms()));
  headers->add("accept-ranges", "bytes");
  bool typed = false;
  for (const v1::Header& header : version.info().headers()) {
    typed = typed || header.name() == "content-type";
    headers->add(header.name(), header.value());
  }
  if (!typed) headers->add("content-type", "binary/octet-stream");
  for (const v1::Header& header : version.info().user_metadata()) {
    headers->add(std::string(kMeta) + header.name(), mail_safe(header.value()));
  }
  if (version.info().storage_class() != v1::STANDARD) {
    headers->add("x-amz-storage-class",
                 std::string(storage_class_name(version.info().storage_class())));
  }
}

}  // namespace kura::s3
