// Result<T>: how a function says "this may fail, and the caller must decide".
//
// Expected failures (a missing key, a full disk, a lost race) travel as values and never throw.
// Broken invariants are not errors: they end the process through INVARIANT (base/check.h).

#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace kura {

// One code exists per decision some caller makes differently; everything else goes into `detail`.
// s3/http/error.h maps each to an S3 error code. Append only: values appear in logs.
enum class Errc : uint8_t {
  invalid_argument = 1,  // The caller's value is outside what the function takes.
  no_such_bucket = 2,
  no_such_key = 3,
  no_such_version = 4,
  no_such_upload = 5,
  bucket_exists = 6,
  bucket_not_empty = 7,
  precondition_failed = 8,  // A condition of the request does not hold (HTTP 412).
  not_modified = 9,         // A condition of a read says that the client has it (HTTP 304).
  invalid_part = 10,        // CompleteMultipartUpload names a part that is not there as described.
  invalid_part_order = 11,
  entity_too_small = 12,  // A part other than the last is below the least size.
  bad_digest = 13,        // The bytes do not match the digest that came with them.
  not_found = 14,         // A file, row, or drive that is not there; never a client's key.
  exists = 15,
  no_space = 16,  // A drive, or every drive that could take the write, is full.
  corrupt = 17,   // Stored bytes fail their checksum or their grammar.
  io_error = 18,  // A device or socket failed.
  closed = 19,    // The peer or the owner closed it; also end of stream where none may be.
  timed_out = 20,
  unavailable = 21,  // Not now; the same call may succeed later (HTTP 503).
  unknown = 22,      // The outcome of an append is not known.
  unsupported = 23,  // A newer format or a feature that this build does not have.
  too_large = 24,
  bad_request_id = 25,  // A request id came again with another request.
  access_denied = 26,
  overloaded = 27,  // A bounded queue is full (HTTP 503 SlowDown).
};

// Its members are not inline, and cold: nearly every function can pass an error on, few ever do,
// and inline they were most of the code that a request runs past.
struct [[nodiscard]] Error {
  [[gnu::cold]] Error(Errc code, std::string detail = {});
  [[gnu::cold]] Error(const Error&);
  [[gnu::cold]] Error(Error&&) noexcept;
  [[gnu::cold]] Error& operator=(const Error&);
  [[gnu::cold]] Error& operator=(Error&&) noexcept;
  [[gnu::cold]] ~Error();

  Errc code;
  std::string detail;  // For a person reading a log. Never parsed, never sent to an S3 client.
};

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard, gnu::cold]] tl::unexpected<Error> fail(Errc code, std::string detail = {});
// Passes the error of another Result on.
[[nodiscard, gnu::cold]] tl::unexpected<Error> fail(Error error);

}  // namespace kura
