// The body of a request whose head is verified: decoded, hashed and compared with everything that
// the client announced (x-amz-content-sha256, Content-MD5, x-amz-checksum-*, trailers, lengths).

#pragma once

#include <memory>

#include "s3/auth/authenticator.h"
#include "s3/http/message.h"

namespace kura::s3 {

// `raw` outlives it. Errors that need no byte of the body: InvalidDigest, InvalidRequest,
// InvalidArgument, NotImplemented (Signature Version 4A), MissingContentLength (aws-chunked without
// x-amz-decoded-content-length). Errors of next(), besides those of `raw` and AwsChunkedDecoder:
// BadDigest, XAmzContentSHA256Mismatch, IncompleteBody. After an error nothing more comes.
S3Result<std::unique_ptr<VerifiedBody>> make_verified_body(BodySource& raw, const RequestHead& head,
                                                           const VerifiedRequest& request);

}  // namespace kura::s3
