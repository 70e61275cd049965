// Which names a bucket may have (S3 User Guide, "Bucket naming rules"). Pure.

#pragma once

#include <string_view>

namespace kura::s3 {

// 3 to 63 of [a-z0-9.-] in labels that begin and end with a letter or digit; no IPv4 address and
// none of the prefixes and suffixes that S3 keeps for itself; nor "kura". So it is a host name too.
bool is_bucket_name(std::string_view name);

}  // namespace kura::s3
