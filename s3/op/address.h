// What a request line and a Host header name: the service, a bucket or an object; path style and
// virtual-host style (S3 User Guide, "Virtual hosting of buckets"). Pure.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "s3/op/operation.h"

namespace kura::s3 {

struct Address {
  Target target = Target::service;
  std::string bucket;
  std::string key;  // Decoded bytes: UTF-8, at most kKeyBytesMax, no NUL.
};

// Errors: InvalidURI (escapes, UTF-8), InvalidBucketName, KeyTooLongError, InvalidArgument (NUL).
S3Result<Address> address_of(const RequestHead& head, const std::vector<std::string>& domains);

// The bucket that a Host header names; empty: path style.
std::string bucket_of_host(std::string_view host, const std::vector<std::string>& domains);

}  // namespace kura::s3
