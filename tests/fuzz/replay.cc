// Runs a target over stored inputs: REPLAY FOLDER-OR-FILE... It needs no clang, so that every test
// run repeats what the campaigns found. Fails when there is nothing to replay.

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

std::vector<fs::path> inputs_of(int count, char** names) {
  std::vector<fs::path> out;
  for (int i = 0; i < count; ++i) {
    if (fs::is_regular_file(names[i])) out.emplace_back(names[i]);
    if (!fs::is_directory(names[i])) continue;
    for (const auto& entry : fs::directory_iterator(names[i]))
      if (entry.is_regular_file()) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Flushed before it runs, so that an input that ends the process has its name in the log.
void replay(const fs::path& path) {
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);
  std::ifstream in(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const auto exact = std::make_unique<char[]>(bytes.size());
  std::memcpy(exact.get(), bytes.data(), bytes.size());
  kura::fuzz::fuzz_one({exact.get(), bytes.size()});
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<fs::path> inputs = inputs_of(argc - 1, argv + 1);
  for (const fs::path& path : inputs) replay(path);
  std::printf("%zu inputs\n", inputs.size());
  return inputs.empty() ? 1 : 0;
}
