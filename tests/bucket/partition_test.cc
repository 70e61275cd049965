// One partition with its committer: what happens when appends fail, and when things are asked
// twice.

#include "actors/bucket/partition.h"

#include <gtest/gtest.h>

#include "projections/kv/memory_kv.h"
#include "projections/metadata/partition_rows.h"
#include "projections/metadata/rows.h"
#include "tests/bucket/scripted_journal.h"
#include "tests/journal/test_loop.h"

namespace kura {
namespace {

constexpr PartitionId kPartition{2};
constexpr BucketId kBucket{100};

// A map of which one read fails.
class FlakyKv final : public Kv {
 public:
  explicit FlakyKv(Kv& below) : below_(below) {}
  Result<std::optional<std::string>> get(std::string_view key) override {
    if (fail_in && (*fail_in)-- == 0) {
      fail_in.reset();
      return fail(Errc::io_error, "planted");
    }
    return below_.get(key);
  }
  Result<void> write(const KvBatch& batch) override { return below_.write(batch); }
  Result<void> flush() override { return below_.flush(); }
  std::unique_ptr<KvIterator> iterate() override { return below_.iterate(); }

  std::optional<int> fail_in;  // The read behind so many.

 private:
  Kv& below_;
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
  static Command put_of(const std::string& key, RequestId request = {}) {
    CommitPut action;
    action.version.set_size_bytes(3);
    action.version.set_stored_bytes(3);
    action.version.set_etag(std::string(16, 'e'));
    action.inline_body = "abc";
    return {.bucket = kBucket, .key = key, .request_id = request, .action = action};
  }
  Result<Outcome> run(Command command) {
    std::optional<Result<Outcome>> out;
    ask(std::move(command), &out);
    loop.run();
    return out ? *out : fail(Errc::unsupported, "never answered");
  }
  Result<Outcome> put(const std::string& key, RequestId request = {}) {
    return run(put_of(key, request));
  }
  Result<Outcome> remove(const std::string& key) {
    return run({.bucket = kBucket, .key = key, .action = DeleteObject{}});
  }
  void ask(Command command, std::optional<Result<Outcome>>* answer) {
    spawn(loop, wait(submit(std::move(command)), answer));
  }
  // The answer is in `told`.
  void post_control(uint64_t up_to, v1::BucketEffect::Kind kind, std::vector<BucketId> buckets) {
    ControlUpdate update;
    update.up_to = Offset{up_to};
    for (BucketId bucket : buckets) {
      update.effects.emplace_back();
      update.effects.back().set_kind(kind);
      update.effects.back().set_bucket(bucket.value);
    }
    update.done = [this](Result<void> result) { told.push_back(result.has_value()); };
    loop.post([this, update = std::move(update)] { partition.apply_control(update); });
  }
  // Begins so many puts, one when the append is half done, and two soon after it; how they were
  // appended.
  std::vector<size_t> appended_at_once(size_t first) {
    constexpr int64_t kMs = 1'000'000;
    std::vector<std::optional<Result<Outcome>>> answers(first + 3);
    size_t next = 0;
    auto begin = [&] {
      ask(put_of(std::to_string(next)), &answers[next]);
      ++next;
    };
    log.takes_ns = 10 * kMs;
    log.sizes.clear();
    while (next < first) begin();
    loop.timer().after(5 * kMs, begin);
    for (int i = 0; i < 2; ++i) loop.timer().after(10 * kMs + kMs / 10, begin);
    loop.run();
    for (auto& answer : answers) EXPECT_TRUE(answer && *answer);
    return log.sizes;
  }
  std::optional<v1::BucketRow> row_of(BucketId bucket) {
    KvRows rows(kv);
    return bucket_row(rows, kPartition, bucket).value();
  }

  journal::TestLoop loop;
  MemoryKv kv;
  FlakyKv own_reads{kv};  // As the partition reads the view.
  std::unique_ptr<ViewFold> fold = ViewFold::open(kv).value();
  ScriptedJournal log;
  std::vector<bool> told;
  bool fatal = false;
  Committer committer{loop, log, *fold, {.on_fatal = [this](Error) { fatal = true; }}};
  Partition partition{kPartition,
                      loop,
                      own_reads,
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

TEST_F(PartitionTest, TheNextAppendWaitsForWhomTheLastOneAnswered) {
  EXPECT_EQ(appended_at_once(4), (std::vector<size_t>{4, 3}));
}

TEST_F(PartitionTest, WhereAsManyWaitNobodyIsWaitedFor) {
  log.takes_ns = 10'000'000;
  log.began_ns.clear();
  std::vector<std::optional<Result<Outcome>>> answers(8);
  for (size_t i = 0; i < 4; ++i) ask(put_of(std::to_string(i)), &answers[i]);
  loop.timer().after(5'000'000, [&] {
    for (size_t i = 4; i < 8; ++i) ask(put_of(std::to_string(i)), &answers[i]);
  });
  loop.run();
  ASSERT_EQ(log.began_ns.size(), 2u);
  EXPECT_EQ(log.began_ns[1] - log.began_ns[0], log.takes_ns);
}

TEST_F(PartitionTest, AfterAFewNobodyIsWaitedFor) {
  EXPECT_EQ(appended_at_once(3), (std::vector<size_t>{3, 1, 2}));
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

// While an event is under way its rows have no offset yet. What is decided later sees the folded
// ones.
TEST_F(PartitionTest, ABodyIsMovedFromWhereItWasFolded) {
  const auto written = put("k");
  ASSERT_TRUE(written);
  ASSERT_GT(written->offset.value, 0u);
  KvRows rows(kv);
  const auto folded = get_message<v1::ObjectVersion>(rows, row::current_key(kBucket, "k")).value();
  ASSERT_TRUE(folded);
  ASSERT_EQ(folded->body().journal().offset(), written->offset.value);
  MoveBodies moves;
  moves.moves.emplace_back();
  moves.moves[0].set_bucket(kBucket.value);
  moves.moves[0].set_key("k");
  *moves.moves[0].mutable_from() = folded->body();
  v1::Extent& extent = *moves.moves[0].mutable_to()->add_extents();
  extent.set_set(1);
  extent.set_stored_bytes(3);
  const auto moved = run({.bucket = kBucket, .action = moves});
  ASSERT_TRUE(moved) << moved.error().detail;
  EXPECT_TRUE(moved->existed);
}

// Whichever read of the second one fails: the first one is under way and takes effect.
TEST_F(PartitionTest, ACommandThatFailsHalfwayLeavesOthersAlone) {
  bool refused = true;
  int reads = 0;
  for (; refused; ++reads) {
    ASSERT_LT(reads, 100);
    const std::string name = std::to_string(reads);
    std::optional<Result<Outcome>> first, second;
    ask(put_of("first" + name), &first);
    loop.post([&] { own_reads.fail_in = reads; });
    ask(put_of("second" + name), &second);
    loop.post([&] { own_reads.fail_in.reset(); });
    loop.run();
    ASSERT_TRUE(first && second);
    EXPECT_TRUE(*first) << reads;
    refused = !*second;
    const size_t before = log.kinds.size();
    const auto again = put("second" + name);
    ASSERT_TRUE(again) << reads;
    EXPECT_EQ(again->existed, !refused) << reads;
    EXPECT_EQ(log.kinds.size(), before + 1) << "claimed anew, " << reads;
  }
  EXPECT_FALSE(fatal);
}

// Whichever read fails: also behind the first of its effects. Rows that are known are not read.
TEST_F(PartitionTest, AControlChangeThatFailsIsFoldedAllTheSame) {
  for (int reads = 0; reads < 2; ++reads) {
    const BucketId one{200 + 10u * reads}, two{one.value + 1};
    own_reads.fail_in = reads;
    post_control(two.value, v1::BucketEffect::CREATED, {one, two});
    loop.run();
    EXPECT_FALSE(own_reads.fail_in) << reads;
    EXPECT_TRUE(row_of(one) && row_of(two)) << reads;
  }
  EXPECT_EQ(told, std::vector<bool>(2, false));
}

// The position of the later one would say that the one left out is folded.
TEST_F(PartitionTest, NoControlChangeOvertakesOneThatFailed) {
  own_reads.fail_in = 0;
  post_control(101, v1::BucketEffect::CREATED, {BucketId{101}});
  post_control(102, v1::BucketEffect::CREATED, {BucketId{102}});
  loop.run();
  EXPECT_EQ(told, (std::vector<bool>{false, true}));
  EXPECT_TRUE(row_of(BucketId{101}));
  EXPECT_TRUE(row_of(BucketId{102}));
}

TEST_F(PartitionTest, ControlChangesOfALostEpochAreFoldedInOrder) {
  log.refuse = Errc::unavailable;
  post_control(101, v1::BucketEffect::CREATED, {BucketId{101}});
  post_control(102, v1::BucketEffect::DELETING, {BucketId{101}});
  loop.run();
  EXPECT_EQ(told, (std::vector<bool>{true, true}));
  EXPECT_EQ(row_of(BucketId{101})->vote(), v1::BucketRow::YES);
  EXPECT_FALSE(fatal);
}

TEST_F(PartitionTest, AnUnknownOutcomeEndsTheProcess) {
  log.refuse = Errc::unknown;
  put("k");
  EXPECT_TRUE(fatal);
}

}  // namespace
}  // namespace kura
