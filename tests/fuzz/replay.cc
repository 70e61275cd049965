// Runs a target over stored inputs: REPLAY FOLDER-OR-FILE... It needs no clang, so that every test
// run repeats what the campaigns found. Fails when an argument has nothing to replay.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include "tests/fuzz/fuzz.h"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> inputs_of(const fs::path& name) {
  if (!fs::is_directory(name)) return {name};
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(name)) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

// Flushed before it runs, so that an input that ends the process has its name in the log.
bool replay(const fs::path& path) {
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);
  std::ifstream in(path, std::ios::binary);
  if (!in) return false;
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const auto exact = std::make_unique<char[]>(bytes.size());
  std::memcpy(exact.get(), bytes.data(), bytes.size());
  kura::fuzz::fuzz_one({exact.get(), bytes.size()});
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    const std::vector<fs::path> inputs = inputs_of(argv[i]);
    if (inputs.empty() || !std::all_of(inputs.begin(), inputs.end(), replay)) {
      std::fprintf(stderr, "%s: nothing to replay, or not readable\n", argv[i]);
      return 1;
    }
    count += inputs.size();
  }
  std::printf("%zu inputs\n", count);
  return count == 0 ? 1 : 0;
}
