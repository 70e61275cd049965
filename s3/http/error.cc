#include "s3/http/error.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"

namespace kura::s3 {
namespace {

struct Row {
  std::string_view code;
  int status;
  std::string_view message;
};

// By code, for binary search.
constexpr Row kTable[] = {
    {"AccessControlListNotSupported", 400, "The bucket does not allow ACLs"},
    {"AccessDenied", 403, "Access Denied"},
    {"AuthorizationHeaderMalformed", 400,
     "The authorization header that you provided is not valid."},
    {"AuthorizationQueryParametersError", 400,
     "Error parsing the X-Amz-Credential parameter; the query-string authentication is not valid."},
    {"BadDigest", 400, "The Content-MD5 you specified did not match what we received."},
    {"BadRequest", 400, "An error occurred when parsing the HTTP request."},
    {"BucketAlreadyOwnedByYou", 409,
     "Your previous request to create the named bucket succeeded and you already own it."},
    {"BucketNotEmpty", 409, "The bucket you tried to delete is not empty."},
    {"ConditionalRequestConflict", 409,
     "The conditional request cannot succeed due to a conflicting operation against this "
     "resource."},
    {"EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size."},
    {"EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size."},
    {"ExpectationFailed", 417, "The expectation of the request cannot be met."},
    {"IllegalLocationConstraintException", 400,
     "The specified location constraint is incompatible for the region specific endpoint this "
     "request was sent to."},
    {"IncompleteBody", 400,
     "You did not provide the number of bytes specified by the Content-Length HTTP header."},
    {"InsufficientStorage", 507, "There is not enough free space on the drives for this request."},
    {"InternalError", 500, "We encountered an internal error. Please try again."},
    {"InvalidAccessKeyId", 403,
     "The AWS Access Key Id you provided does not exist in our records."},
    {"InvalidArgument", 400, "Invalid Argument"},
    {"InvalidBucketName", 400, "The specified bucket is not valid."},
    {"InvalidDigest", 400, "The Content-MD5 you specified was invalid."},
    {"InvalidLocationConstraint", 400, "The specified location-constraint is not valid."},
    {"InvalidPart", 400,
     "One or more of the specified parts could not be found.  The part may not have been uploaded, "
     "or the specified entity tag may not match the part's entity tag."},
    {"InvalidPartNumber", 416, "The requested partnumber is not satisfiable"},
    {"InvalidPartOrder", 400,
     "The list of parts was not in ascending order. The parts list must be specified in order by "
     "part number."},
    {"InvalidRange", 416, "The requested range is not satisfiable"},
    {"InvalidRequest", 400, "Invalid Request"},
    {"InvalidStorageClass", 400, "The storage class you specified is not valid"},
    {"InvalidToken", 400, "The provided token is malformed or otherwise invalid."},
    {"InvalidURI", 400, "Couldn't parse the specified URI."},
    {"KeyTooLongError", 400, "Your key is too long"},
    {"MalformedTrailerError", 400,
     "The request contained trailing data that was not well-formed or did not conform to our "
     "published schema."},
    {"MalformedXML", 400,
     "The XML you provided was not well-formed or did not validate against our published schema"},
    {"MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size"},
    {"MethodNotAllowed", 405, "The specified method is not allowed against this resource."},
    {"MissingContentLength", 411, "You must provide the Content-Length HTTP header."},
    {"NoSuchBucket", 404, "The specified bucket does not exist"},
    {"NoSuchBucketPolicy", 404, "The bucket policy does not exist"},
    {"NoSuchCORSConfiguration", 404, "The CORS configuration does not exist"},
    {"NoSuchConfiguration", 404, "The specified configuration does not exist."},
    {"NoSuchKey", 404, "The specified key does not exist."},
    {"NoSuchLifecycleConfiguration", 404, "The lifecycle configuration does not exist"},
    {"NoSuchPublicAccessBlockConfiguration", 404,
     "The public access block configuration was not found"},
    {"NoSuchTagSet", 404, "The TagSet does not exist"},
    {"NoSuchUpload", 404,
     "The specified upload does not exist. The upload ID may be invalid, or the upload may have "
     "been aborted or completed."},
    {"NoSuchVersion", 404, "The specified version does not exist."},
    {"NoSuchWebsiteConfiguration", 404,
     "The specified bucket does not have a website configuration"},
    {"NotImplemented", 501, "A header you provided implies functionality that is not implemented"},
    {"NotModified", 304, "Not Modified"},
    {"ObjectLockConfigurationNotFoundError", 404,
     "Object Lock configuration does not exist for this bucket"},
    {"OwnershipControlsNotFoundError", 404, "The bucket ownership controls were not found"},
    {"PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold"},
    {"ReplicationConfigurationNotFoundError", 404, "The replication configuration was not found"},
    {"RequestHeaderSectionTooLarge", 400,
     "Your request header section exceeds the maximum allowed size."},
    {"RequestTimeTooSkewed", 403,
     "The difference between the request time and the current time is too large."},
    {"RequestTimeout", 400,
     "Your socket connection to the server was not read from or written to within the timeout "
     "period. Idle connections will be closed."},
    {"ServerSideEncryptionConfigurationNotFoundError", 404,
     "The server side encryption configuration was not found"},
    {"ServiceUnavailable", 503, "Service is unable to handle request."},
    {"SignatureDoesNotMatch", 403,
     "The request signature we calculated does not match the signature you provided. Check your "
     "key and signing method."},
    {"SlowDown", 503, "Please reduce your request rate."},
    {"TooManyBuckets", 400, "You have attempted to create more buckets than allowed"},
    {"XAmzContentSHA256Mismatch", 400,
     "The provided 'x-amz-content-sha256' header does not match what was computed."},
};

constexpr bool sorted() {
  for (size_t i = 1; i < std::size(kTable); ++i)
    if (kTable[i - 1].code >= kTable[i].code) return false;
  return true;
}
static_assert(sorted(), "binary search needs order");

// What a client may be told of an error of the store.
std::string_view code_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
      return "InvalidArgument";
    case Errc::no_such_bucket:
      return "NoSuchBucket";
    case Errc::no_such_key:
      return "NoSuchKey";
    case Errc::no_such_version:
      return "NoSuchVersion";
    case Errc::no_such_upload:
      return "NoSuchUpload";
    case Errc::bucket_exists:
      return "BucketAlreadyOwnedByYou";
    case Errc::bucket_not_empty:
      return "BucketNotEmpty";
    case Errc::precondition_failed:
      return "PreconditionFailed";
    case Errc::not_modified:
      return "NotModified";
    case Errc::invalid_part:
      return "InvalidPart";
    case Errc::invalid_part_order:
      return "InvalidPartOrder";
    case Errc::entity_too_small:
      return "EntityTooSmall";
    case Errc::bad_digest:
      return "BadDigest";
    case Errc::no_space:
      return "InsufficientStorage";
    case Errc::too_large:
      return "EntityTooLarge";
    case Errc::bad_request_id:
      return "InvalidRequest";
    case Errc::access_denied:
      return "AccessDenied";
    case Errc::overloaded:
      return "SlowDown";
    // Too few good drives or a partition that stopped: the same request may succeed later.
    case Errc::corrupt:
    case Errc::io_error:
    case Errc::closed:
    case Errc::timed_out:
    case Errc::unavailable:
    case Errc::unsupported:
      return "ServiceUnavailable";
    case Errc::not_found:
    case Errc::exists:
    case Errc::unknown:
      return "InternalError";
  }
  return "InternalError";
}

}  // namespace

S3Error::S3Error(std::string code_in, int status_in, std::string message_in)
    : code(std::move(code_in)), status(status_in), message(std::move(message_in)) {}
S3Error::S3Error(const S3Error&) = default;
S3Error::S3Error(S3Error&&) noexcept = default;
S3Error& S3Error::operator=(const S3Error&) = default;
S3Error& S3Error::operator=(S3Error&&) noexcept = default;
S3Error::~S3Error() = default;

tl::unexpected<S3Error> s3_fail(std::string_view code, std::string message) {
  return tl::unexpected<S3Error>(s3_error(code, std::move(message)));
}
tl::unexpected<S3Error> s3_fail(const Error& error) {
  return tl::unexpected<S3Error>(s3_error(error));
}
tl::unexpected<S3Error> s3_fail(S3Error error) { return tl::unexpected<S3Error>(std::move(error)); }

S3Error s3_error(std::string_view code, std::string message) {
  const Row* row = std::lower_bound(std::begin(kTable), std::end(kTable), code,
                                    [](const Row& r, std::string_view c) { return r.code < c; });
  INVARIANT(row != std::end(kTable) && row->code == code, "an S3 error code outside the table");
  if (message.empty()) message = row->message;
  return S3Error(std::string(code), row->status, std::move(message));
}

S3Error s3_error(const Error& error) {
  S3Error told =
      error.code == Errc::bad_request_id
          ? s3_error("InvalidRequest", "The request id was already used for a different request.")
          : s3_error(code_of(error.code));
  told.cause = error.detail;
  // Several codes share a 5xx: without a detail the number still tells them apart.
  if (told.cause.empty() && told.status >= 500)
    told.cause = "Errc " + std::to_string(static_cast<int>(error.code));
  return told;
}

}  // namespace kura::s3
