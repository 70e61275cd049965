// The simulator judged by a model that is right, and by one that is wrong in known ways.

#include "sim/run.h"

#include <gtest/gtest.h>

#include "tests/sim/model_node.h"

namespace kura::sim {
namespace {

RunResult run(uint64_t seed, std::string planted = "", Profile profile = Profile::swarm) {
  RunOptions options;
  options.seed = seed;
  options.virtual_ns = 3 * kSecond;
  options.profile = profile;
  options.planted = std::move(planted);
  return run_once(options, make_model_node);
}

std::string text_of(const RunResult& result) {
  if (!result.violation) return "none";
  std::string out = result.violation->invariant + " [" + result.violation->name + "]";
  for (const std::string& event : result.violation->events) out += "\n  " + event;
  return out;
}

TEST(Run, ARightStorePasses) {
  Probes probes;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const RunResult result = run(seed);
    ASSERT_FALSE(result.violation) << "seed " << seed << ": " << text_of(result);
    ASSERT_GT(result.answered, 50u) << "seed " << seed;
    for (const auto& [name, times] : result.probes) probes[name] += times;
  }
  for (const std::string& probe : required_probes(Profile::swarm)) {
    // The model stores nothing on its drives.
    if (probe == "crash with unsynced writes" || probe == "bit rot" ||
        probe == "crash at a fail point" || probe.ends_with("a drive that hangs"))
      continue;
    if (probe.find("of the view") != std::string::npos || probe.starts_with("view rebuilt") ||
        probe.find("archive") != std::string::npos)
      continue;
    EXPECT_GT(probes[probe], 0u) << probe;
  }
}

TEST(Run, SameSeedSameTrace) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const RunResult first = run(seed), second = run(seed);
    ASSERT_EQ(first.hash, second.hash) << "seed " << seed;
    ASSERT_EQ(first.prefixes, second.prefixes);
    ASSERT_NE(first.hash, run(seed + 1000).hash);
  }
}

class PlantedFault : public ::testing::TestWithParam<const char*> {};

TEST_P(PlantedFault, IsFoundAndReplays) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const RunResult result = run(seed, GetParam());
    if (!result.violation) continue;
    const RunResult again = run(seed, GetParam());
    EXPECT_EQ(again.hash, result.hash);
    EXPECT_EQ(text_of(again), text_of(result));
    std::printf("%s: seed %d: %s\n", GetParam(), static_cast<int>(seed), text_of(result).c_str());
    return;
  }
  ADD_FAILURE() << "60 seeds did not find it";
}

INSTANTIATE_TEST_SUITE_P(Model, PlantedFault, ::testing::ValuesIn(kModelFaults),
                         [](const auto& fault) {
                           std::string name = fault.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace kura::sim
