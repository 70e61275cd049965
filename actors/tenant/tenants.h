// Tenants: what is wider than a partition: buckets and access keys. Decided by the tenant actor in
// the control partition.

#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/task.h"
#include "projections/control/control_state.h"

namespace kura {

class Tenants {
 public:
  virtual ~Tenants() = default;
  // The folded control state; every acknowledged change is in it. From any thread.
  virtual std::shared_ptr<const ControlState> state() const = 0;

  // From any loop. Errors of all: unavailable; no_space (of the journal or the view); unknown (the
  // change may be there). Creation and deletion of a bucket return when every partition has folded
  // it.

  // Errors: bucket_exists (the same owner or another), too_large (kBucketsMax).
  virtual Task<Result<Bucket>> create_bucket(std::string name, std::string owner,
                                             std::string region) = 0;
  // Errors: no_such_bucket, bucket_not_empty.
  virtual Task<Result<void>> delete_bucket(std::string name) = 0;

  // `key.sealed_secret` is set; errors: exists, no_such_bucket.
  virtual Task<Result<void>> create_key(AccessKey key) = 0;
  virtual Task<Result<void>> disable_key(std::string access_key) = 0;  // not_found.
};

}  // namespace kura
