#include "sim/sim_chance.h"

#include <gtest/gtest.h>

#include <set>

namespace kura::sim {
namespace {

TEST(ChanceSites, FalseOutsideARun) { EXPECT_FALSE(chance("site")); }

TEST(ChanceSites, AQuarterOfTheSitesFiresAQuarterOfTheTime) {
  int active = 0;
  uint64_t fired = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    ChanceSites sites{SimRandom(seed)};
    uint64_t here = 0;
    for (int i = 0; i < 100; ++i) here += chance("site") ? 1 : 0;
    active += here > 0 ? 1 : 0;
    fired += here;
    EXPECT_EQ(sites.fired().at("site"), here);
  }
  EXPECT_NEAR(active, 250, 60);
  EXPECT_NEAR(static_cast<double>(fired) / active, 25, 2);
  EXPECT_FALSE(chance("site"));
}

TEST(ChanceSites, DisabledNeverFires) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    ChanceSites sites{SimRandom(seed)};
    sites.set_enabled(false);
    for (int i = 0; i < 50; ++i) ASSERT_FALSE(chance("site"));
  }
}

}  // namespace
}  // namespace kura::sim
