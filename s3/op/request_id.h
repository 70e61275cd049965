// Ids and digests by which the journal knows a repeated request (journal/PROTOCOL.md, section 5,
// "Request ids"). Pure.

#pragma once

#include <cstdint>
#include <string_view>

#include "base/ids.h"
#include "s3/op/operation.h"

namespace kura::s3 {

// From (access key, amz-sdk-invocation-id), which AWS SDKs keep over the retries of one call, so
// that a retry is answered with the first result. Nil where a client sends none: then nobody can
// ask again, and no result is kept.
RequestId request_id_of(const Headers& headers, const Identity& identity);

// The id of one of the commands that a request makes: of the `index`th key of DeleteObjects. Nil of
// a nil one.
RequestId command_id(const RequestId& request, uint64_t index);

// Of everything that makes the request what it is: method, path, query, headers that S3 reads, and
// `body_digest`. What differs between the retries of one request is left out: signature, dates.
uint64_t request_digest(const RequestHead& head, const Query& query, std::string_view body_digest);

}  // namespace kura::s3
