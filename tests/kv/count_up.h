// What readers may see of a map beside one writer.

#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/kv.h"

namespace kura::testing {

// One writer counts up, and somebody lists; a reader never sees
// less than what was acknowledged before it asked, nor than what another reader has seen before.
inline void count_up_beside_readers(Kv& kv) {
  constexpr int kKeys = 8, kRounds = 3000;
  auto key = [](int k) { return "key " + std::to_string(k); };
  std::vector<std::atomic<int>> seen(kKeys);
  std::atomic<bool> ended{false};
  auto note = [](std::atomic<int>& most, int value) {
    int before = most.load();
    while (before < value && !most.compare_exchange_weak(before, value)) {
    }
  };
  std::atomic<int> backwards{0}, torn{0};
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r)
    readers.emplace_back([&, r] {
      for (int i = r; !ended; ++i) {
        const int k = i % kKeys;
        const int least = seen[k].load();
        const auto value = kv.get(key(k)).value();
        const int now = value ? std::stoi(*value) : 0;
        if (now < least) ++backwards;
        note(seen[k], now);
      }
    });
  readers.emplace_back([&] {
    while (!ended) {
      const int least = seen[0].load();
      std::map<std::string, std::string> rows;
      auto it = kv.iterate();
      for (it->seek(""); it->valid(); it->next()) rows.emplace(it->key(), it->value());
      for (const auto& [name, value] : rows)
        if (!name.starts_with("row") && value != rows.begin()->second) ++torn;
      if (!rows.empty() && std::stoi(rows.begin()->second) < least) ++backwards;
    }
  });
  for (int round = 1; round <= kRounds; ++round) {
    KvBatch batch;
    for (int k = 0; k < kKeys; ++k) batch.put(key(k), std::to_string(round));
    batch.put("row " + std::to_string(round % 100), "x");
    ASSERT_TRUE(kv.write(batch));
    for (auto& most : seen) note(most, round);
  }
  ended = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(backwards, 0);
  EXPECT_EQ(torn, 0);
}

}  // namespace kura::testing
