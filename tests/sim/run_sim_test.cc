#include "sim/run_sim.h"

#include <gtest/gtest.h>

#include "tests/sim/model_node.h"

namespace kura::sim {
namespace {

struct StoppedClock final : Clock {
  int64_t wall_ms() const override { return 0; }
  int64_t monotonic_ns() const override { return now += step; }
  mutable int64_t now = 0;
  int64_t step = 0;
};

struct Said {
  int code = 0;
  std::string out;
};

Said sim(std::vector<std::string> arguments, NodeFactory make_node = make_model_node,
         int64_t clock_step = 0) {
  Said said;
  const auto options = parse_sim_options(arguments);
  EXPECT_TRUE(options);
  StoppedClock clock;
  clock.step = clock_step;
  said.code = run_sim(*options, make_node, clock, [&](bool note, const std::string& line) {
    if (!note) said.out += line + "\n";
  });
  return said;
}

TEST(RunSim, GoodSeedsAreOk) {
  EXPECT_EQ(sim({"run", "--seeds", "1..3", "--virtual", "1s", "--twice"}).code, kSimOk);
}

TEST(RunSim, AViolationSaysHowToReplayIt) {
  // Without --plant the fault is not expected.
  const NodeFactory broken = [](NodeParts parts) {
    parts.planted = "wrong-bytes";
    return make_model_node(std::move(parts));
  };
  const Said said =
      sim({"run", "--seeds", "1..20", "--virtual", "2s", "--profile", "crash"}, broken);
  EXPECT_EQ(said.code, kSimViolation);
  EXPECT_NE(said.out.find("Wrong bytes"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("--profile crash --virtual 2000ms"), std::string::npos) << said.out;
  const Said json = sim({"--seeds", "1..20", "--virtual", "2s", "--json"}, broken);
  EXPECT_NE(json.out.find("\"violation\":{\"invariant\":\"Wrong bytes"), std::string::npos);
}

TEST(RunSim, APlantedFaultHasToBeFound) {
  EXPECT_EQ(sim({"run", "--seeds", "1..20", "--plant", "wrong-bytes"}).code, kSimOk);
  EXPECT_EQ(sim({"run", "--seed", "1", "--virtual", "100ms", "--plant", "none"}).code,
            kSimViolation);
}

TEST(RunSim, NondeterminismIsNamedByItsStep) {
  uint64_t runs = 0;
  // Each run is another: as if an address or a clock had got in.
  const NodeFactory leaky = [&runs](NodeParts parts) {
    parts.random = parts.random.fork("leak", ++runs);
    return make_model_node(std::move(parts));
  };
  const Said said = sim({"run", "--seed", "3", "--virtual", "1s", "--twice"}, leaky);
  EXPECT_EQ(said.code, kSimNondeterminism);
  EXPECT_NE(said.out.find("part between steps 0 and 1000"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("one:   step"), std::string::npos) << said.out;
}

TEST(RunSim, TimeBudgetEndsWithoutVerdict) {
  const Said said = sim({"run", "--seeds", "1..50", "--virtual", "100ms", "--time-budget", "1s"},
                        make_model_node, 400 * kMillisecond);
  EXPECT_EQ(said.code, kSimBudget);
}

TEST(RunSim, RefusesWhatItDoesNotKnow) {
  for (std::vector<std::string> bad : {std::vector<std::string>{"run", "--sed", "1"},
                                       {"--seed"},
                                       {"--seed", "x"},
                                       {"--seeds", "5..1"},
                                       {"--profile", "loud"},
                                       {"--virtual", "8"},
                                       {"walk"}})
    EXPECT_FALSE(parse_sim_options(bad)) << bad[0];
  const auto good = parse_sim_options({"run", "--seeds", "5..9", "--trace", "10..20"});
  ASSERT_TRUE(good);
  EXPECT_EQ(good->first_seed, 5u);
  EXPECT_EQ(good->last_seed, 9u);
  EXPECT_EQ(good->watch_last, 20u);
}

}  // namespace
}  // namespace kura::sim
