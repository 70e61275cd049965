// Reading the parameters of a request: headers, numbers with AWS's errors. Pure.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "s3/op/operation.h"

namespace kura::s3 {

// The value of a header, if it is there.
std::optional<std::string_view> header_of(const Request& request, std::string_view name);

// A decimal number within [least, most]. Errors: InvalidArgument, naming the argument.
S3Result<uint64_t> number_param(std::string_view name, std::string_view text, uint64_t least,
                                uint64_t most);
// As above for a query parameter; `absent` when it is not there or empty.
S3Result<uint64_t> query_number(const Query& query, std::string_view name, uint64_t least,
                                uint64_t most, uint64_t absent);

// InvalidArgument with ArgumentName and ArgumentValue, as AWS shows them.
S3Error invalid_argument(std::string message, std::string_view name, std::string_view value);

}  // namespace kura::s3
