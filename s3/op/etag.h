// ETags: of versions and parts, and in the conditions that clients send (RFC 9110, 8.8.3). Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "object.pb.h"

namespace kura::s3 {

// As S3 shows it, without quotes: 32 hex digits, "-parts" behind those of a multipart object.
std::string etag_of(const v1::ObjectVersion& version);
std::string etag_of(const v1::Part& part);

std::string quoted(std::string_view etag);

// Without W/ and quotes, when they are there.
std::string_view unquoted(std::string_view etag);

// 16 bytes of 32 hex digits, with or without quotes.
std::optional<std::string> md5_from_etag(std::string_view etag);

// Whether a list of ETags, or "*", names `etag`.
bool etag_list_names(std::string_view list, std::string_view etag);

}  // namespace kura::s3
