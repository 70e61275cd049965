#pragma once

#include <string>
#include <utility>

#include "base/kv.h"

namespace kura::testing {

inline KvBatch one(std::string key, std::string value) {
  KvBatch batch;
  batch.put(std::move(key), std::move(value));
  return batch;
}

}  // namespace kura::testing
