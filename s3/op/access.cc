#include "s3/op/access.h"

namespace kura::s3 {

bool is_allowed(const Identity& identity, Access access, std::string_view bucket) {
  if (identity.root) return true;
  // Everybody may list buckets; ListBuckets shows only those that the identity may touch.
  if (access == Access::list_buckets) return true;
  if (!identity.bucket.empty() && identity.bucket != bucket) return false;
  return access == Access::read || identity.write;
}

}  // namespace kura::s3
