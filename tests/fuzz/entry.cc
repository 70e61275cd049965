// libFuzzer's door to fuzz_one().

#include <cstddef>

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kura::fuzz::fuzz_one({reinterpret_cast<const char*>(data), size});
  return 0;
}
