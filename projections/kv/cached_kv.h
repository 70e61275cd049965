// CachedKv: a Kv that keeps entries which were read or written lately in memory.
//
// A request, its decision and its fold ask for the same few rows (the version that is read or
// replaced, the bucket, its counters), and a look-up in the map costs twenty times one in here.
// Absence is kept as well.

#pragma once

#include <cstddef>
#include <memory>

#include "base/kv.h"

namespace kura {

// Holds about `bytes_max` of keys and values at most, a few rows for each of 256 shards more; 0:
// nothing. Only for a map that is written through the result alone. Damage of entries that are kept
// is noticed only once they are read from `below` again.
std::unique_ptr<Kv> make_cached_kv(std::unique_ptr<Kv> below, size_t bytes_max);

}  // namespace kura
