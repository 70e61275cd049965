// DeleteBucket (S3 API). Open multipart uploads do not keep a bucket: they go with it, as in S3's
// general purpose buckets. Each is aborted as a client would abort it, so their parts are freed and
// counted as ever; while the bucket has an object nothing is aborted.

#include <string>
#include <utility>
#include <vector>

#include "base/concurrently.h"
#include "s3/op/answer.h"
#include "s3/op/commit.h"
#include "s3/op/handlers.h"
#include "s3/op/lookup.h"

namespace kura::s3 {
namespace {

// Uploads that are created meanwhile are aborted as well, until somebody creates them faster.
constexpr int kTriesMax = 10;
constexpr uint32_t kAbortsMax = 100;  // At once: each may free 10,000 parts.

Task<S3Result<void>> abort_one(Context& context, BucketId bucket, UploadEntry entry) {
  Command command;
  command.bucket = bucket;
  command.key = std::move(entry.key);
  command.action = AbortUpload{entry.upload.upload_id()};
  S3Result<Outcome> outcome = co_await commit(context.store, std::move(command));
  // Somebody else completed or aborted it.
  if (!outcome && outcome.error().code != "NoSuchUpload") co_return s3_fail(outcome.error());
  co_return S3Result<void>{};
}

Task<S3Result<void>> abort_uploads(Context& context, BucketId bucket) {
  UploadQuery query;
  query.bucket = bucket;
  query.uploads_max = kAbortsMax;
  while (true) {
    Result<UploadPage> page = context.store.view.list_uploads(query);
    if (!page) co_return s3_fail(page.error());
    std::vector<Task<S3Result<void>>> aborts;
    for (UploadEntry& entry : page->uploads)
      aborts.push_back(abort_one(context, bucket, std::move(entry)));
    std::vector<S3Result<void>> aborted = co_await concurrently(std::move(aborts));
    for (S3Result<void>& one : aborted)
      if (!one) co_return one;
    if (!page->truncated) co_return S3Result<void>{};
    query.key_marker = std::move(page->next_key_marker);
    query.upload_id_marker = std::move(page->next_upload_id_marker);
  }
}

S3Error refusal(S3Error error, const std::string& bucket) {
  error.details.emplace_back("BucketName", bucket);
  return error;
}

}  // namespace

Task<S3Result<Response>> delete_bucket(Context& context, Request& request) {
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  for (int tries = 1;; ++tries) {
    std::string name = request.bucket;
    Result<void> deleted = co_await context.store.tenants.delete_bucket(std::move(name));
    if (deleted) co_return empty_answer(204);
    const bool kept = deleted.error().code != Errc::bucket_not_empty || tries == kTriesMax;
    if (kept) co_return s3_fail(refusal(s3_error(deleted.error()), request.bucket));
    Result<BucketCounters> counters = context.store.view.counters(bucket->id);
    if (!counters) co_return s3_fail(counters.error());
    if (counters->versions > 0)
      co_return s3_fail(refusal(s3_error(deleted.error()), request.bucket));
    S3Result<void> aborted = co_await abort_uploads(context, bucket->id);
    if (!aborted) co_return s3_fail(refusal(aborted.error(), request.bucket));
  }
}

}  // namespace kura::s3
