// The contract of Kv (base/kv.h), run against every implementation. For one .cc file of a binary:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, KvContract, ::testing::Values(make_memory_subject));

#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/kv.h"

namespace kura::testing {

struct KvSubject {
  virtual ~KvSubject() = default;
  virtual Kv& kv() = 0;  // Empty at first; another object after crash().
  // The process dies without notice and the map is opened again. Iterators are gone before.
  virtual void crash() = 0;
};

class KvContract : public ::testing::TestWithParam<std::function<std::unique_ptr<KvSubject>()>> {
 protected:
  using Map = std::map<std::string, std::string>;  // std::string compares as unsigned bytes.

  void SetUp() override { subject_ = GetParam()(); }
  Kv& kv() { return subject_->kv(); }
  void crash() { subject_->crash(); }

  std::string get(std::string_view key) {
    auto value = kv().get(key);
    if (!value) return "error: " + value.error().detail;
    return *value ? **value : "none";
  }
  void put(std::string key, std::string value) {
    KvBatch batch;
    batch.put(std::move(key), std::move(value));
    ASSERT_TRUE(kv().write(batch));
  }
  static Map all(KvIterator& it) {
    Map map;
    for (it.seek(""); it.valid(); it.next()) map.emplace(it.key(), it.value());
    EXPECT_TRUE(it.status());
    return map;
  }
  Map all() {
    auto it = kv().iterate();
    return all(*it);
  }

 private:
  std::unique_ptr<KvSubject> subject_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(KvContract);

TEST_P(KvContract, PutGetRemove) {
  EXPECT_EQ(get("a"), "none");
  put("a", "1");
  EXPECT_EQ(get("a"), "1");
  put("a", "2");
  EXPECT_EQ(get("a"), "2");
  KvBatch batch;
  batch.remove("a");
  batch.remove("never there");
  ASSERT_TRUE(kv().write(batch));
  EXPECT_EQ(get("a"), "none");
  EXPECT_TRUE(all().empty());
}

TEST_P(KvContract, LaterChangeOfABatchWins) {
  KvBatch batch;
  batch.put("a", "1");
  batch.put("b", "1");
  batch.remove("a");
  batch.put("b", "2");
  batch.remove("c");
  batch.put("c", "3");
  ASSERT_TRUE(kv().write(batch));
  EXPECT_EQ(all(), (Map{{"b", "2"}, {"c", "3"}}));
}

TEST_P(KvContract, AnyBytesInUnsignedOrder) {
  std::vector<std::string> keys{
      std::string(1, '\0'), std::string("a\0", 2), "a", "b", "\x7f", "\x80", "\xff",
      "\xff\xff",           std::string(1000, 'k')};
  KvBatch batch;
  for (const std::string& key : keys) batch.put(key, "v" + key);
  batch.put("empty", "");
  ASSERT_TRUE(kv().write(batch));
  EXPECT_EQ(get("empty"), "");
  Map expected{{"empty", ""}};
  for (const std::string& key : keys) expected[key] = "v" + key;
  EXPECT_EQ(all(), expected);
  auto it = kv().iterate();
  std::string last;
  for (it->seek(""); it->valid(); it->next()) {
    EXPECT_LE(last, std::string(it->key()));
    last = it->key();
  }
  EXPECT_EQ(last, "\xff\xff");
}

TEST_P(KvContract, Seeks) {
  for (const char* key : {"b", "d", "f"}) put(key, key);
  auto it = kv().iterate();
  auto at = [&] { return it->valid() ? std::string(it->key()) : "end"; };
  it->seek("c");
  EXPECT_EQ(at(), "d");
  it->next();
  EXPECT_EQ(at(), "f");
  it->next();
  EXPECT_EQ(at(), "end");
  it->seek("d");
  EXPECT_EQ(at(), "d");
  it->seek("g");
  EXPECT_EQ(at(), "end");
  it->seek("a");
  EXPECT_EQ(at(), "b");
  EXPECT_TRUE(it->status());
}

TEST_P(KvContract, IteratorSeesTheMapAsItWas) {
  Map before;
  for (int i = 0; i < 100; ++i) {
    put("k" + std::to_string(i), "old");
    before["k" + std::to_string(i)] = "old";
  }
  auto first = kv().iterate();
  KvBatch batch;
  for (int i = 0; i < 100; i += 2) batch.put("k" + std::to_string(i), "new");
  for (int i = 1; i < 100; i += 4) batch.remove("k" + std::to_string(i));
  batch.put("another", "x");
  ASSERT_TRUE(kv().write(batch));
  auto second = kv().iterate();
  Map after = all(*second);
  EXPECT_EQ(after.size(), 76u);
  EXPECT_EQ(after["k2"], "new");
  ASSERT_TRUE(kv().flush());
  put("k2", "newest");
  EXPECT_EQ(all(*first), before);
  EXPECT_EQ(all(*second), after);
  first.reset();
  EXPECT_EQ(all(*second), after);
  second.reset();
  EXPECT_EQ(get("k2"), "newest");
}

TEST_P(KvContract, FlushedBatchesSurviveACrash) {
  put("a", "1");
  put("b", "1");
  ASSERT_TRUE(kv().flush());
  crash();
  EXPECT_EQ(all(), (Map{{"a", "1"}, {"b", "1"}}));
  put("a", "2");
  KvBatch batch;
  batch.remove("b");
  ASSERT_TRUE(kv().write(batch));
  ASSERT_TRUE(kv().flush());
  crash();
  EXPECT_EQ(all(), (Map{{"a", "2"}}));
}

// Each batch counts up and changes other keys as well: what is found after a crash must be the
// state after one of the batches, not before the last flush.
TEST_P(KvContract, ACrashKeepsAPrefixOfTheBatches) {
  std::vector<Map> states{{}};
  for (int round = 0; round < 4; ++round) {
    size_t flushed = 0;
    for (int i = 0; i < 60; ++i) {
      Map state = states.back();
      KvBatch batch;
      auto change = [&](std::string key, std::string value) {
        state[key] = value;
        batch.put(std::move(key), std::move(value));
      };
      std::string n = std::to_string(states.size());
      change("counter", n);
      change("key" + std::to_string(i * 7 % 20), n);
      change("only" + n, std::string(2000, 'x'));
      std::string gone = "only" + std::to_string(states.size() - 3);
      state.erase(gone);
      batch.remove(gone);
      ASSERT_TRUE(kv().write(batch));
      states.push_back(std::move(state));
      if (i % 25 == 20) {
        ASSERT_TRUE(kv().flush());
        flushed = states.size() - 1;
      }
    }
    crash();
    std::string counter = get("counter");
    ASSERT_NE(counter, "none");
    size_t found = std::stoul(counter);
    EXPECT_GE(found, flushed);
    ASSERT_LT(found, states.size());
    EXPECT_EQ(all(), states[found]);
    states.resize(found + 1);
  }
}

TEST_P(KvContract, AgreesWithAnOrderedMap) {
  std::mt19937_64 random(7);
  auto below = [&](uint64_t n) { return random() % n; };
  auto random_key = [&] { return "key" + std::to_string(below(300)); };
  Map model;
  std::vector<std::pair<std::unique_ptr<KvIterator>, Map>> open;
  for (int step = 0; step < 3000; ++step) {
    KvBatch batch;
    for (uint64_t i = 0, n = 1 + below(5); i < n; ++i) {
      std::string key = random_key();
      if (below(3) == 0) {
        model.erase(key);
        batch.remove(key);
      } else {
        model[key] = std::to_string(random());
        batch.put(key, model[key]);
      }
    }
    ASSERT_TRUE(kv().write(batch));
    if (below(50) == 0) {
      ASSERT_TRUE(kv().flush());
    }
    if (below(20) == 0) open.emplace_back(kv().iterate(), model);
    if (open.size() > 5) {
      auto chosen = open.begin() + static_cast<long>(below(open.size()));
      ASSERT_EQ(all(*chosen->first), chosen->second);
      std::string key = random_key();
      chosen->first->seek(key);
      auto found = chosen->second.lower_bound(key);
      ASSERT_EQ(chosen->first->valid(), found != chosen->second.end());
      if (chosen->first->valid()) {
        ASSERT_EQ(chosen->first->key(), found->first);
      }
      open.erase(chosen);
    }
    std::string key = random_key();
    ASSERT_EQ(get(key), model.contains(key) ? model[key] : "none");
  }
  ASSERT_EQ(all(), model);
}

}  // namespace kura::testing
