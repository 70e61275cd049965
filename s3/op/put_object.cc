// PutObject (S3 API): the body into the store, then one command that makes it the current version.

#include <utility>

#include "base/limits.h"
#include "s3/op/answer.h"
#include "s3/op/body_writer.h"
#include "s3/op/commit.h"
#include "s3/op/conditions.h"
#include "s3/op/etag.h"
#include "s3/op/handlers.h"
#include "s3/op/lookup.h"
#include "s3/op/new_version.h"
#include "s3/op/object_info.h"
#include "s3/op/stored_object.h"

namespace kura::s3 {

Task<S3Result<Response>> put_object(Context& context, Request& request) {
  S3Result<v1::ObjectInfo> info = object_info_of(request);
  if (!info) co_return s3_fail(info.error());
  S3Result<WriteConditions> conditions = write_conditions(request.head.headers);
  if (!conditions) co_return s3_fail(conditions.error());
  if (!request.body.length_bytes()) co_return s3_fail("MissingContentLength");
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());

  S3Result<WrittenBody> written =
      co_await write_body(context.store.blobs, transform_for(context.settings),
                          info->storage_class(), kPutBytesMax, request.body);
  if (!written) co_return s3_fail(written.error());
  CommitPut put = make_put(std::move(*info), std::move(*written), request.body);
  put.conditions = std::move(*conditions);
  std::optional<v1::Reservation> reservation = put.reservation;
  Command command = make_command(request, bucket->id, std::move(put), request.body.md5());
  S3Result<Outcome> outcome =
      co_await commit(context.store, std::move(command), std::move(reservation));
  if (!outcome) co_return s3_fail(outcome.error());

  Response response = empty_answer(200);
  response.headers.add("etag", quoted(outcome->etag));
  add_checksum_headers(outcome->checksum, 0, &response.headers);
  co_return response;
}

}  // namespace kura::s3
