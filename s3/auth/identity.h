// Who makes a request, as proved by its signature.

#pragma once

#include <string>

namespace kura::s3 {

struct Identity {
  std::string access_key;
  bool root = false;   // The key of the configuration: may do everything.
  bool write = false;  // Else read-only.
  std::string bucket;  // Name of the only bucket it may touch; empty: all.
};

}  // namespace kura::s3
