#include "projections/metadata/overlay.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>

#include "projections/kv/memory_kv.h"

namespace kura {
namespace {

std::vector<std::pair<std::string, std::string>> pairs(const std::vector<Row>& rows) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const Row& row : rows) out.emplace_back(row.key, row.value);
  return out;
}

// A store and an overlay over it, beside the plain maps that they should equal.
struct World {
  MemoryKv kv;
  KvRows below{kv};
  Overlay overlay{below};
  std::map<std::string, std::string> truth;  // As read through the overlay.
  struct Event {
    uint64_t tag;
    std::map<std::string, std::optional<std::string>> rows;
  };
  std::vector<Event> pending;  // Laid on the overlay, not in the store.
  uint64_t tag = 0;

  // Some writes under one tag.
  void decide(uint32_t seed) {
    pending.push_back({++tag, {}});
    overlay.begin(tag);
    for (uint32_t i = 0; i <= seed % 3; ++i, seed /= 7) {
      const std::string key(1 + seed % 2, static_cast<char>('a' + seed / 2 % 4));
      if (seed % 5 == 0) {
        overlay.remove(key);
        truth.erase(key);
        pending.back().rows[key] = std::nullopt;
      } else {
        const std::string value = std::to_string(tag);
        overlay.put(key, value);
        truth[key] = value;
        pending.back().rows[key] = value;
      }
    }
  }

  // An event that fails halfway leaves nothing behind.
  void decide_and_undo(uint32_t seed) {
    const auto before = truth;
    decide(seed);
    overlay.undo();
    truth = before;
    pending.pop_back();
    --tag;
  }

  void fold(size_t events) {
    KvBatch batch;
    uint64_t last = 0;
    for (size_t i = 0; i < events && !pending.empty(); ++i) {
      for (const auto& [key, value] : pending.front().rows)
        value ? batch.put(key, *value) : batch.remove(key);
      last = pending.front().tag;
      pending.erase(pending.begin());
    }
    ASSERT_TRUE(kv.write(batch));
    overlay.retire(last);
  }

  void check(uint32_t seed) {
    const std::string prefix =
        seed % 3 == 0 ? "" : std::string(1, static_cast<char>('a' + seed % 4));
    const size_t rows_max = seed % 7;
    std::vector<std::pair<std::string, std::string>> expected;
    for (const auto& row : truth)
      if (row.first.starts_with(prefix) && expected.size() < rows_max) expected.push_back(row);
    RC_ASSERT(pairs(overlay.scan(prefix, rows_max).value()) == expected);
    for (char c = 'a'; c < 'e'; ++c) {
      auto it = truth.find(std::string(1, c));
      const auto expected_value =
          it == truth.end() ? std::nullopt : std::optional<std::string>(it->second);
      RC_ASSERT(overlay.get(std::string(1, c)).value() == expected_value);
    }
  }
};

TEST(Overlay, ReadsAsIfEveryRowWereInTheStore) {
  ASSERT_TRUE(rc::check([] {
    World world;
    const auto steps = *rc::gen::container<std::vector<uint32_t>>(rc::gen::inRange(0u, 1u << 20));
    for (uint32_t step : steps) {
      if (step % 4 == 0)
        world.fold(step / 4 % 4);
      else if (step % 4 == 1)
        world.decide_and_undo(step / 4);
      else
        world.decide(step / 4);
      world.check(step / 16);
    }
    world.fold(world.pending.size());
    RC_ASSERT(world.overlay.rows() == 0u);  // Retired rows do not pile up.
  }));
}

TEST(Overlay, AppendsItsRowsAndRemovalsToABatch) {
  MemoryKv kv;
  KvBatch before;
  before.put("gone", "x");
  ASSERT_TRUE(kv.write(before));
  KvRows below(kv);
  Overlay overlay(below);
  overlay.put("new", "1");
  overlay.put("new", "2");
  overlay.remove("gone");
  KvBatch batch;
  overlay.move_to(batch);
  EXPECT_EQ(batch.changes().size(), 2u);
  ASSERT_TRUE(kv.write(batch));
  EXPECT_EQ(kv.get("new").value(), "2");
  EXPECT_EQ(kv.get("gone").value(), std::nullopt);
}

}  // namespace
}  // namespace kura
