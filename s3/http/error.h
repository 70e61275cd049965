// S3 errors: code, status and message
// (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace kura::s3 {

// Cold, as Error is (base/result.h).
struct S3Error {
  [[gnu::cold]] S3Error(std::string code, int status, std::string message);
  [[gnu::cold]] S3Error(const S3Error&);
  [[gnu::cold]] S3Error(S3Error&&) noexcept;
  [[gnu::cold]] S3Error& operator=(const S3Error&);
  [[gnu::cold]] S3Error& operator=(S3Error&&) noexcept;
  [[gnu::cold]] ~S3Error();

  std::string code;                                               // "NoSuchKey"
  int status = 500;                                               // HTTP status
  std::string message;                                            // AWS's text where it has one.
  std::vector<std::pair<std::string, std::string>> details;       // More elements of the error XML.
  std::vector<std::pair<std::string, std::string>> headers = {};  // Of the answer, lower case.
  bool close = false;      // The connection cannot go on (the body was not read to its end).
  std::string cause = {};  // Of an error of the store: for the request log, never for a client.
};

template <class T>
using S3Result = tl::expected<T, S3Error>;

// The error with AWS's status and message. REQUIRES: `code` is in the table of error.cc.
[[gnu::cold]] S3Error s3_error(std::string_view code, std::string message = {});
// For errors of the store: the one place that maps Errc to S3. Its detail becomes the `cause`.
[[gnu::cold]] S3Error s3_error(const Error& error);

[[nodiscard, gnu::cold]] tl::unexpected<S3Error> s3_fail(std::string_view code,
                                                         std::string message = {});
[[nodiscard, gnu::cold]] tl::unexpected<S3Error> s3_fail(const Error& error);
[[nodiscard, gnu::cold]] tl::unexpected<S3Error> s3_fail(S3Error error);

}  // namespace kura::s3
