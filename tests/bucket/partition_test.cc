// One partition with its committer: what happens when appends fail, and when things are asked
// twice.

#include "actors/bucket/partition.h"

#include <gtest/gtest.h>

#include "projections/kv/memory_kv.h"
#include "tests/journal/test_loop.h"

namespace kura {
namespace {

constexpr PartitionId kPartition{2};
constexpr BucketId kBucket{100};

// A log in memory whose next appends can be refused.
class ScriptedJournal final : public journal::Journal {
 public:
  JournalId id() const override { return {}; }
  journal::Bounds bounds() const override { return {Offset(0), Offset(end_)}; }
  Task<Result<std::vector<Offset>>> append(const std::vector<journal::Record>& records,
                                           journal::AppendClass) override {
    if (refuse) {
      const Errc code = *refuse;
      if (--refusals == 0) refuse.reset();
      co_return fail(code);
    }
    std::vector<Offset> offsets;
    for (const auto& record : records) {
      offsets.push_back(Offset(end_));
      end_ += journal::encoded_size(record);
      kinds.push_back(record.kind);
    }
    co_return offsets;
  }
  Task<Result<std::vector<journal::StoredRecord>>> read(Offset, uint64_t) override {
    co_return fail(Errc::unsupported);
  }
  Task<Result<std::string>> read_body(v1::JournalBody) override { co_return fail(Errc::not_found); }
  bool try_read_body(const v1::JournalBody&, std::string*) override { return false; }
  Task<Result<void>> truncate(Offset) override { co_return Result<void>(); }

  std::optional<Errc> refuse;
  int refusals = 1;  // So often.
  std::vector<journal::RecordKind> kinds;  // Of what was appended.

 private:
  uint64_t end_ = 512;
};

class PartitionTest : public testing::Test, private CommitObserver {
 public:
  PartitionTest() {
    committer.observe(kPartition, this);
    EXPECT_TRUE(control(kBucket.value, v1::BucketEffect::CREATED));
  }
  ~PartitionTest() override { loop.stop(); }

  Result<void> control(uint64_t up_to, std::optional<v1::BucketEffect::Kind> kind = {}) {
    std::optional<Result<void>> done;
    ControlUpdate update;
    update.up_to = Offset{up_to};
    if (kind) {
      update.effects.emplace_back();
      update.effects.back().set_kind(*kind);
      update.effects.back().set_bucket(kBucket.value);
    }
    update.done = [&done](Result<void> result) { done = std::move(result); };
    loop.post([&] { partition.apply_control(std::move(update)); });
    loop.run();
    return done ? *done : fail(Errc::unsupported, "never answered");
  }

  static Task<void> wait(Task<Result<Outcome>> task, std::optional<Result<Outcome>>* out) {
    Result<Outcome> result = co_await std::move(task);
    *out = std::move(result);
  }
  Task<Result<Outcome>> submit(Command command) {
    co_return co_await suspend<Result<Outcome>>([&](Resolver<Result<Outcome>> reply) {
      std::vector<PendingCommand> commands;
      commands.push_back({std::move(command), reply});
      partition.submit(std::move(commands));
    });
  }
  Result<Outcome> run(Command command) {
    std::optional<Result<Outcome>> out;
    spawn(loop, wait(submit(std::move(command)), &out));
    loop.run();
    return out ? *out : fail(Errc::unsupported, "never answered");
  }
  Result<Outcome> put(const std::string& key, RequestId request = {}) {
    CommitPut action;
    action.version.set_size_bytes(3);
    action.version.set_stored_bytes(3);
    action.version.set_etag(std::string(16, 'e'));
    action.inline_body = "abc";
    return run({.bucket = kBucket, .key = key, .request_id = request, .action = action});
  }
  Result<Outcome> remove(const std::string& key) {
    return run({.bucket = kBucket, .key = key, .action = DeleteObject{}});
  }

  journal::TestLoop loop;
  MemoryKv kv;
  std::unique_ptr<ViewFold> fold = ViewFold::open(kv).value();
  ScriptedJournal log;
  bool fatal = false;
  Committer committer{loop, log, *fold, {.on_fatal = [this](Error) { fatal = true; }}};
  Partition partition{kPartition,
                      loop,
                      kv,
                      committer,
                      {.writer = WriterId{}, .reservation_ended = [](const v1::Reservation&) {}},
                      Epoch{}};

 private:
  void on_folded(std::vector<Folded> folded) override {
    loop.post([this, folded] { partition.on_folded(folded); });
  }
  void on_lost(Epoch epoch, Errc code) override {
    loop.post([this, epoch, code] { partition.on_lost(epoch, code); });
  }
};

TEST_F(PartitionTest, ClaimsBeforeItsFirstEvent) {
  ASSERT_GE(log.kinds.size(), 2u);
  EXPECT_EQ(log.kinds[0], journal::RecordKind::claim);
  EXPECT_TRUE(put("k"));
  EXPECT_EQ(log.kinds.back(), journal::RecordKind::event);
}

// A start after a crash asks every partition for what only one of them missed.
TEST_F(PartitionTest, AControlChangeThatIsKnownIsNotFoldedAgain) {
  const size_t before = log.kinds.size();
  EXPECT_TRUE(control(kBucket.value));
  EXPECT_EQ(log.kinds.size(), before);
  EXPECT_TRUE(control(kBucket.value + 1));
  EXPECT_EQ(log.kinds.size(), before + 1);
  EXPECT_TRUE(put("k"));
}

TEST_F(PartitionTest, ARefusedAppendIsAnsweredAndThePartitionClaimsAgain) {
  log.refuse = Errc::unavailable;
  const auto refused = put("k");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  const size_t before = log.kinds.size();
  EXPECT_TRUE(put("k"));
  ASSERT_EQ(log.kinds.size(), before + 2);
  EXPECT_EQ(log.kinds[before], journal::RecordKind::claim);
  EXPECT_FALSE(fatal);
}

// Background work may make room for a deletion, so it waits, but its client does not wait for ever.
TEST_F(PartitionTest, ADeletionThatFindsNoRoomWaitsAndIsAnswered) {
  EXPECT_TRUE(put("k") && put("l"));
  log.refuse = Errc::no_space;
  log.refusals = 3;
  EXPECT_TRUE(remove("k"));
  log.refuse = Errc::no_space;
  log.refusals = 1000;
  const auto refused = remove("l");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::no_space);
  EXPECT_GT(log.refusals, 0);
  log.refuse.reset();
  EXPECT_TRUE(remove("l"));
}

TEST_F(PartitionTest, ARequestIdIsDecidedOnce) {
  RequestId id;
  id.bytes[0] = 7;
  const auto first = put("k", id);
  const size_t before = log.kinds.size();
  const auto second = put("k", id);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->offset, second->offset);
  EXPECT_EQ(log.kinds.size(), before);
  EXPECT_TRUE(put("k"));
  EXPECT_EQ(log.kinds.size(), before + 1);
}

TEST_F(PartitionTest, AnUnknownOutcomeEndsTheProcess) {
  log.refuse = Errc::unknown;
  put("k");
  EXPECT_TRUE(fatal);
}

}  // namespace
}  // namespace kura
