// What a client says about a new object, and how it is told to readers: content headers, user
// metadata, storage class (S3 API, PutObject, GetObject). Pure.

#pragma once

#include <string>
#include <string_view>

#include "s3/op/operation.h"

namespace kura::s3 {

// Kept with an object and given back as they came.
inline constexpr std::string_view kContentHeaders[] = {"cache-control",    "content-disposition",
                                                       "content-encoding", "content-language",
                                                       "content-type",     "expires"};

// Errors: InvalidStorageClass, MetadataTooLarge, InvalidArgument, and those of
// refuse_missing_features().
S3Result<v1::ObjectInfo> object_info_of(const Request& request);

// STANDARD when the request names none. Errors: InvalidStorageClass.
S3Result<v1::StorageClass> storage_class_of(const Request& request);
std::string_view storage_class_name(v1::StorageClass storage_class);

// Refuses headers of features that are not there yet, so that nobody believes an object to be
// encrypted, locked or tagged, and a write to a version. Errors: InvalidArgument (no canned ACL, a
// versionId), NotImplemented,
// InvalidRequest, AccessControlListNotSupported: what S3 says where a feature is switched off.
S3Result<void> refuse_missing_features(const Request& request);

// Refuses a read with a customer's key: no object is encrypted with one. Errors: InvalidRequest.
S3Result<void> refuse_customer_key(const Headers& headers);

// Content headers, x-amz-meta-*, x-amz-storage-class, etag, last-modified, accept-ranges.
void add_object_headers(const v1::ObjectVersion& version, Headers* headers);

// Header text as S3 gives it back: ASCII as it is, anything else as RFC 2047 encoded words.
std::string mail_safe(std::string_view utf8);

}  // namespace kura::s3
