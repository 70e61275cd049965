#include "node/server/did_you_mean.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

namespace kura::node {
namespace {

constexpr size_t kNear = 2;

// Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals" (1966).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

// Of two letters everything of two is near.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  size_t least = std::min(kNear + 1, std::max<size_t>(word.size(), 1));
  const std::string* nearest = nullptr;
  for (const std::string& name : known) {
    const size_t far = distance(name, word);
    if (far >= least) continue;
    least = far;
    nearest = &name;
  }
  return nearest ? "; did you mean " + *nearest + "?" : std::string();
}

}  // namespace kura::node
