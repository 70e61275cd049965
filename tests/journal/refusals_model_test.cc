// Appends of random shape while drives die, the power fails with writes kept, dropped or torn, and
// starts see random drives: what was acknowledged or shown stays, in order, and all drives together
// always start.

#include <gtest/gtest.h>

#include <random>

#include "tests/journal/journal_fixture.h"

namespace kura::journal {
namespace {

constexpr uint64_t kSeeds = 4000;  // Others: --gtest_shuffle --gtest_repeat=20.

class Model {
 public:
  explicit Model(uint64_t seed) : random_(seed), machine_(2 + seed % 3) {
    const size_t n = machine_.disks.size();
    const uint64_t parity = n == 2 ? 1 : 1 + pick(n - 1);
    options_ = Machine::small(static_cast<uint32_t>(parity + 1));
    machine_.create(options_);
    options_.mirror_count = 0;
  }

  // What went wrong; empty: nothing.
  std::string play() {
    for (int step = 0; step < 14; ++step) {
      std::string wrong;
      const uint64_t action = up_ ? pick(5) : 4;
      if (action < 3) append();
      if (action == 3) put_back(pick(machine_.disks.size()));
      if (action == 4) wrong = restart(some_drives());
      if (wrong.empty() && up_) wrong = check();
      if (!wrong.empty()) return wrong;
    }
    return restart(all_drives());
  }
  const std::string& history() const { return history_; }

 private:
  uint64_t pick(uint64_t n) { return random_() % n; }
  std::vector<size_t> all_drives() const {
    std::vector<size_t> which(machine_.disks.size());
    for (size_t i = 0; i < which.size(); ++i) which[i] = i;
    return which;
  }
  std::vector<size_t> some_drives() {
    std::vector<size_t> which;
    for (size_t i : all_drives())
      if (pick(3) != 0) which.push_back(i);
    return which.empty() || pick(3) == 0 ? all_drives() : which;
  }
  template <class T>
  void note(const std::string& what, const std::optional<Result<T>>& out) {
    const std::string outcome = !out ? "power lost" : *out ? "done" : out->error().detail;
    history_ += what + ": " + outcome + "\n";
  }

  void append() {
    std::vector<Record> records;
    const uint64_t count = 1 + pick(4), size = pick(3);
    for (uint64_t i = 0; i < count; ++i)
      records.push_back(test_record(++sent_, size == 0 ? 0 : 20, size * 100));
    const std::vector<Record> sent = records;
    for (auto& disk : machine_.disks)
      if (pick(3) == 0) disk->dies_in = pick(4);
    if (pick(4) == 0) machine_.power.dies_at = machine_.power.operations + 1 + pick(12);
    auto out = machine_.loop->run(machine_.journal->append(records, AppendClass::normal));
    for (auto& disk : machine_.disks) disk->dies_in = UINT64_MAX;
    if (!machine_.power.off()) machine_.power.dies_at = UINT64_MAX;
    note("append " + std::to_string(count) + " of " + std::to_string(size), out);
    if (out && *out) shown_.insert(shown_.end(), sent.begin(), sent.end());
    const bool unknown = out && !*out && out->error().code == Errc::unknown;
    up_ = out && !unknown && !machine_.power.off() && !machine_.journal->status().fatal;
    if (!up_) machine_.crash(static_cast<Unsynced>(pick(3)), random_());
  }
  void put_back(size_t i) {
    machine_.disks[i]->dead = false;
    auto out =
        machine_.loop->run(machine_.journal->add_drive({drive_id(i), machine_.disks[i]->mount()}));
    note("put back " + std::to_string(i), out);
    up_ = out && !machine_.journal->status().fatal;
  }
  std::string restart(const std::vector<size_t>& which) {
    machine_.boot();
    for (auto& disk : machine_.disks) disk->dead = true;
    std::string line = "start";
    for (size_t i : which) machine_.disks[i]->dead = false, line += " " + std::to_string(i);
    auto failed = machine_.open(options_, which);
    history_ += line + ": " + (failed ? failed->detail : "done") + "\n";
    up_ = !failed;
    if (failed && which.size() == machine_.disks.size()) return "all drives do not start";
    if (failed) return failed->code == Errc::corrupt ? failed->detail : "";
    std::string wrong = check();
    if (!wrong.empty() || machine_.journal->status().degraded) return wrong;
    shown_.clear();  // From now on all that was read stays.
    for (const StoredRecord& stored : machine_.read_all()) shown_.push_back(stored.record);
    return {};
  }
  std::string check() {
    size_t seen = 0;
    for (const StoredRecord& stored : machine_.read_all())
      if (seen < shown_.size() && same(stored.record, shown_[seen])) ++seen;
    if (seen == shown_.size()) return {};
    return std::to_string(seen) + " of " + std::to_string(shown_.size()) + " are there";
  }

  std::mt19937_64 random_;
  Machine machine_;
  EmbeddedJournalOptions options_;
  std::vector<Record> shown_;
  uint64_t sent_ = 0;
  std::string history_;
  bool up_ = true;
};

TEST(RefusalsModel, WhatWasShownStays) {
  const auto first =
      static_cast<uint64_t>(testing::UnitTest::GetInstance()->random_seed()) * kSeeds;
  for (uint64_t seed = first; seed < first + kSeeds; ++seed) {
    Model model(seed);
    const std::string wrong = model.play();
    ASSERT_TRUE(wrong.empty()) << "seed " << seed << ": " << wrong << "\n" << model.history();
  }
}

}  // namespace
}  // namespace kura::journal
