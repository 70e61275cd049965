// An append that was refused because a mirror was lost and no other could be had: the lost one may
// have it, and be back.

#include <gtest/gtest.h>

#include "tests/journal/acked_log.h"

namespace kura::journal {
namespace {

struct Case {
  size_t before;   // Records that were acknowledged; they decide where in a segment it begins.
  size_t records;  // Of the append; several may reach into the next segments.
  size_t body;     // 0: records of 128 bytes, as a withdrawal.
  size_t victim;   // The mirror that is lost with it.
};

class Withdrawal : public AckedLog {
 protected:
  void refuse(const Case& c) {
    start(2, Machine::small(2));
    append_many(c.before);
    // It dies between the write and the sync of the append, not of a new segment.
    MemoryDisk& lost = disk(c.victim);
    lost.on_write = [&lost](uint64_t at, const std::vector<std::string_view>&) {
      if (at == 0) return;
      lost.fails = [&lost](const char* operation, const std::string&) {
        return lost.dead = lost.dead || std::string_view(operation) == "sync";
      };
    };
    std::vector<Record> records;
    for (size_t i = 0; i < c.records; ++i)
      records.push_back(test_record(1000 + i, c.body == 0 ? 0 : 20, c.body));
    auto refused = machine_->append(records);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::unavailable) << refused.error().detail;
    expect_read();
    for (auto& one : machine_->disks) {
      one->dead = false;
      one->fails = nullptr;
      one->on_write = nullptr;
    }
  }
  void go_on() {
    append_many(9);
    expect_read();
    expect_read_after_restart({0, 1});
    expect_read_after_restart({0});
    expect_read_after_restart({1});
  }
  void add(size_t i) {
    auto added = machine_->loop->get(journal().add_drive({drive_id(i), disk(i).mount()}));
    ASSERT_TRUE(added.has_value()) << added.error().detail;
  }
  template <class Check>
  void for_each_case(Check check) {
    for (size_t before = 0; before < 6; ++before)
      for (size_t records : {1, 2, 9})
        for (size_t body : {0, 200})
          for (size_t victim : {0, 1}) {
            SCOPED_TRACE(std::to_string(before) + " before, " + std::to_string(records) + " of " +
                         std::to_string(body) + " bytes, lost: " + std::to_string(victim));
            const Case c{before, records, body, victim};
            refuse(c);
            if (!HasFatalFailure()) check(c);
            if (HasFatalFailure()) return;
          }
  }
};

TEST_F(Withdrawal, StandsAfterAStartWithTheMirrorThatHasTheAppend) {
  for_each_case([this](const Case&) {
    expect_read_after_restart({0, 1});
    go_on();
  });
}

TEST_F(Withdrawal, StandsWhenThatMirrorComesBackToTheRunningNode) {
  for_each_case([this](const Case& c) {
    add(c.victim);
    go_on();
  });
}

TEST_F(Withdrawal, StandsAfterAStartWithoutThatMirror) {
  for_each_case([this](const Case& c) {
    expect_read_after_restart({1 - c.victim});
    add(c.victim);
    go_on();
  });
}

TEST_F(Withdrawal, HoldsForWhoReadsTheDrivesOnly) {
  for_each_case([this](const Case&) {
    machine_->boot();
    auto report = machine_->loop->get(EmbeddedJournal::verify(machine_->drives()));
    ASSERT_TRUE(report.has_value()) << report.error().detail;
    EXPECT_TRUE(report->log.holes.empty());
    EXPECT_GE(report->log.damage_count, 1u);
    auto opened =
        machine_->loop->get(EmbeddedJournal::open_read_only(*machine_->loop, machine_->drives()));
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    machine_->journal = std::move(*opened);
    expect_read();
  });
}

// A start that sees none of the mirrors that it was withdrawn from takes it for acknowledged. What
// was read once stays.
TEST_F(Withdrawal, ComesTooLateForWhatAStartWithoutItHasShown) {
  for_each_case([this](const Case& c) {
    // Too full for a newer mirror set: then the other one comes back as a mirror.
    const bool full = c.before % 2 == 0;
    disk(c.victim).full = [full](const std::string& name) {
      return full && name.ends_with("mirrors.new");
    };
    machine_->boot();
    auto failed = machine_->open(options_, {c.victim});
    ASSERT_FALSE(failed.has_value()) << failed->detail;
    disk(c.victim).full = nullptr;
    acked_.clear();
    for (const StoredRecord& stored : machine_->read_all()) acked_.push_back(stored.record);
    ASSERT_EQ(acked_.size(), c.before + c.records);
    add(1 - c.victim);
    go_on();
  });
}

// The survivor's copy of it rots, and then the lost mirror comes back: an error, and no end of the
// process.
TEST_F(Withdrawal, ThatRotsLetsNothingIn) {
  refuse({1, 1, 200, 0});
  const uint64_t at = machine_->read_all().back().offset.value;
  for (auto& [name, file] : disk(1).files)
    if (name.ends_with("0000.seg")) file->bytes[at + 60] ^= 1;
  auto added = machine_->loop->get(journal().add_drive({drive_id(0), disk(0).mount()}));
  EXPECT_FALSE(added.has_value());
  EXPECT_FALSE(append().has_value());
  EXPECT_EQ(journal().bounds().end.value, at + kRecordHeaderBytes);
}

}  // namespace
}  // namespace kura::journal
