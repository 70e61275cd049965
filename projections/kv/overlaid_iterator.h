// An iterator over a map and changes on top of it that the map does not have yet.

#pragma once

#include <memory>

#include "base/kv.h"

namespace kura {

// `changes`: ascending, one for each key.
std::unique_ptr<KvIterator> make_overlaid_iterator(std::unique_ptr<KvIterator> below,
                                                   KvBatch changes);

}  // namespace kura
