#include "s3/op/commit.h"

#include "base/fail_point.h"

#include <utility>

namespace kura::s3 {

Task<S3Result<Outcome>> commit(Store& store, Command command) {
  before_step("object.commit");
  Result<Outcome> outcome = co_await store.buckets.submit(std::move(command));
  if (!outcome) co_return s3_fail(outcome.error());
  after_step("object.commit");
  co_return std::move(*outcome);
}

Task<S3Result<Outcome>> commit(Store& store, Command command,
                               std::optional<v1::Reservation> reservation) {
  before_step("object.commit");
  Result<Outcome> outcome = co_await store.buckets.submit(std::move(command));
  if (outcome) after_step("object.commit");
  // Once the event is folded the release changes nothing; a repeated request, which was answered
  // with its first result, never uses the blocks that it wrote.
  bool over = outcome.has_value() || !may_become_effective(outcome.error().code);
  if (reservation && over) store.blobs.release(*reservation);
  if (outcome) co_return std::move(*outcome);
  co_return s3_fail(outcome.error());
}

}  // namespace kura::s3
