#include "projections/metadata/fold_families.h"
#include "projections/metadata/partition_rows.h"
#include "projections/metadata/rows.h"

namespace kura::fold {
namespace {

Result<bool> is_empty_here(Place place, BucketId bucket) {
  // A row without versions and uploads does not exist (change_counters).
  Result<std::optional<std::string>> counters =
      place.rows.get(row::counters_key(bucket, place.partition));
  if (!counters) return fail(counters.error());
  return !counters->has_value();
}

Result<void> created(Place place, const v1::BucketEffect& effect) {
  v1::BucketRow bucket;
  bucket.set_name(effect.name());
  place.rows.put(row::bucket_key(place.partition, BucketId{effect.bucket()}),
                 bucket.SerializeAsString());
  return {};
}

// The vote is part of this fold, for this operation only (journal/PROTOCOL.md, section 9).
Result<void> deleting(Place place, const v1::BucketEffect& effect, v1::BucketRow bucket) {
  if (bucket.vote() != v1::BucketRow::NONE) return fail(Errc::corrupt, "two deletions are open");
  Result<bool> empty = is_empty_here(place, BucketId{effect.bucket()});
  if (!empty) return fail(empty.error());
  bucket.set_vote(*empty ? v1::BucketRow::YES : v1::BucketRow::NO);
  bucket.set_operation(effect.operation());
  place.rows.put(row::bucket_key(place.partition, BucketId{effect.bucket()}),
                 bucket.SerializeAsString());
  return {};
}

Result<void> deleted(Place place, const v1::BucketEffect& effect, const v1::BucketRow& bucket) {
  if (bucket.vote() != v1::BucketRow::YES || bucket.operation() != effect.operation())
    return fail(Errc::corrupt, "a bucket was deleted against the vote of its partition");
  Result<bool> empty = is_empty_here(place, BucketId{effect.bucket()});
  if (!empty) return fail(empty.error());
  if (!*empty) return fail(Errc::corrupt, "a deleted bucket is not empty");
  place.rows.remove(row::bucket_key(place.partition, BucketId{effect.bucket()}));
  return {};
}

Result<void> abandoned(Place place, const v1::BucketEffect& effect, v1::BucketRow bucket) {
  if (bucket.vote() == v1::BucketRow::NONE || bucket.operation() != effect.operation())
    return fail(Errc::corrupt, "a deletion that is not open was abandoned");
  bucket.clear_vote();
  bucket.clear_operation();
  place.rows.put(row::bucket_key(place.partition, BucketId{effect.bucket()}),
                 bucket.SerializeAsString());
  return {};
}

Result<void> apply_effect(Place place, const v1::BucketEffect& effect) {
  auto bucket = bucket_row(place.rows, place.partition, BucketId{effect.bucket()});
  if (!bucket) return fail(bucket.error());
  if (bucket->has_value() == (effect.kind() == v1::BucketEffect::CREATED))
    return fail(Errc::corrupt, "a bucket effect that does not fit what the partition knows");
  switch (effect.kind()) {
    case v1::BucketEffect::CREATED:
      return created(place, effect);
    case v1::BucketEffect::DELETING:
      return deleting(place, effect, **bucket);
    case v1::BucketEffect::DELETED:
      return deleted(place, effect, **bucket);
    case v1::BucketEffect::ABANDONED:
      return abandoned(place, effect, **bucket);
    default:
      return fail(Errc::unsupported, "unknown bucket effect");
  }
}

}  // namespace

Result<Outcome> control_applied(Place place, const v1::ControlApplied& event) {
  Result<Offset> before = control_position(place.rows, place.partition);
  if (!before) return fail(before.error());
  if (event.up_to() <= before->value) return fail(Errc::corrupt, "control was applied twice");
  for (const v1::BucketEffect& effect : event.effects())
    if (Result<void> ok = apply_effect(place, effect); !ok) return fail(ok.error());
  place.rows.put(row::control_pos_key(place.partition), row::encode_u64(event.up_to()));
  Outcome out;
  out.offset = place.offset;
  return out;
}

}  // namespace kura::fold
