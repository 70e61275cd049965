#include <xxhash.h>

#include "actors/bucket/bucket_writer.h"
#include "base/limits.h"

namespace kura {

PartitionId partition_of(BucketId bucket, std::string_view key) {
  static_assert(kSlots % kPartitions == 0, "each partition has as many slots as any other");
  // Fixed for ever: a key's records stay in the log of the partition that this names.
  const uint64_t slot = XXH3_64bits_withSeed(key.data(), key.size(), bucket.value) % kSlots;
  return PartitionId{static_cast<uint16_t>(slot / (kSlots / kPartitions))};
}

}  // namespace kura
