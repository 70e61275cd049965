// The control partition and all data partitions over one log: what happens to changes of buckets
// when appends fail.

#include "actors/tenant/control_partition.h"

#include <gtest/gtest.h>

#include "actors/tenant/control_actor.h"
#include "projections/kv/memory_kv.h"
#include "projections/metadata/partition_rows.h"
#include "sim/sim_loop.h"
#include "tests/bucket/scripted_journal.h"

namespace kura {
namespace {

using sim::kSecond;

struct Answer {
  bool there = false;
  std::optional<Errc> error;
};

class ControlTest : public testing::Test {
 protected:
  ControlTest() {
    const auto ignore = [](const v1::Reservation&) {};
    ControlPartition::Options options{WriterId{}, ignore};
    control_ = std::make_unique<ControlActors>(host_, journal_loop_, *fold_, committer_,
                                               std::move(options), Epoch{});
    buckets_ = std::make_unique<BucketActors>(host_, std::vector<Loop*>{&io_loop_}, kv_, committer_,
                                              PartitionOptions{.reservation_ended = ignore},
                                              std::vector<Epoch>(kPartitions));
    control_->set_partitions(buckets_.get());
    EXPECT_EQ(error_of(create("b")), std::nullopt);
  }
  ~ControlTest() override {
    for (sim::SimLoop* loop : {&io_loop_, &journal_loop_}) {
      loop->stop();
      destroy_spawned_tasks(*loop);
    }
  }

  template <class T>
  std::shared_ptr<Answer> ask(Task<Result<T>> task) {
    auto answer = std::make_shared<Answer>();
    spawn(io_loop_, keep<T>(std::move(task), answer));
    return answer;
  }
  std::shared_ptr<Answer> create(std::string name) {
    return ask(control_->create_bucket(std::move(name), "owner", ""));
  }
  std::shared_ptr<Answer> remove(std::string name) {
    return ask(control_->delete_bucket(std::move(name)));
  }
  std::shared_ptr<Answer> create_key() {
    AccessKey key;
    key.access_key = "key";
    return ask(control_->create_key(std::move(key)));
  }
  std::shared_ptr<Answer> object(BucketId bucket, decltype(Command::action) action) {
    Command command{.bucket = bucket, .key = "k", .action = std::move(action)};
    return ask(buckets_->submit(std::move(command)));
  }
  // After at most `seconds`.
  std::optional<Errc> error_of(const std::shared_ptr<Answer>& answer, int64_t seconds = 1) {
    world_.run_until([&] { return answer->there; }, world_.now_ns() + seconds * kSecond);
    EXPECT_TRUE(answer->there) << "not answered in " << seconds << " s";
    return answer->error;
  }
  const Bucket* bucket(const std::string& name) {
    state_ = control_->state();
    return state_->find_bucket(name);
  }
  size_t partitions_that_know(BucketId bucket) {
    KvRows rows(kv_);
    size_t count = 0;
    for (uint16_t p = 0; p < kPartitions; ++p)
      count += bucket_row(rows, PartitionId{p}, bucket).value().has_value();
    return count;
  }
  // Refuses appends that hold an event of control of that kind.
  void refuse(v1::Event::EventCase kind) {
    log_.refuses = [kind](const ScriptedJournal::Records& records) -> std::optional<Errc> {
      for (const auto& record : records) {
        v1::Event event;
        if (record.partition == kControlPartition && event.ParseFromString(record.payload) &&
            event.event_case() == kind)
          return Errc::unavailable;
      }
      return std::nullopt;
    };
  }

  sim::SimWorld world_{1};
  sim::SimClock clock_{world_};
  sim::SimLoop journal_loop_{world_, "journal", clock_}, io_loop_{world_, "io", clock_};
  MemoryKv kv_;
  std::unique_ptr<ViewFold> fold_ = ViewFold::open(kv_).value();
  ScriptedJournal log_;
  ActorHost host_{journal_loop_};
  Committer committer_{journal_loop_, log_, *fold_, {.on_fatal = [](Error) { FAIL(); }}};
  std::unique_ptr<ControlActors> control_;
  std::unique_ptr<BucketActors> buckets_;
  std::shared_ptr<const ControlState> state_;

 private:
  template <class T>
  static Task<void> keep(Task<Result<T>> task, std::shared_ptr<Answer> answer) {
    Result<T> result = co_await std::move(task);
    answer->there = true;
    if (!result) answer->error = result.error().code;
  }
};

CommitPut small_object() {
  CommitPut put;
  put.version.set_size_bytes(3);
  put.version.set_stored_bytes(3);
  put.version.set_etag(std::string(16, 'e'));
  put.inline_body = "abc";
  return put;
}

TEST_F(ControlTest, ADeletionThatWasLeftOpenIsEnded) {
  const BucketId id = bucket("b")->id;
  refuse(v1::Event::kBucketDeleted);
  EXPECT_EQ(error_of(remove("b")), Errc::unavailable);
  ASSERT_NE(bucket("b"), nullptr);
  EXPECT_TRUE(bucket("b")->deleting);
  world_.run_for(20 * kSecond);  // Also what tries again is refused.
  EXPECT_NE(bucket("b"), nullptr);
  log_.refuses = nullptr;
  world_.run_for(10 * kSecond);
  EXPECT_EQ(bucket("b"), nullptr);
  EXPECT_EQ(partitions_that_know(id), 0u);
  EXPECT_EQ(error_of(create("b")), std::nullopt);
}

TEST_F(ControlTest, ADeletionThatWasLeftOpenIsEndedByTheNextOne) {
  refuse(v1::Event::kBucketDeleted);
  EXPECT_EQ(error_of(remove("b")), Errc::unavailable);
  log_.refuses = nullptr;
  EXPECT_EQ(error_of(remove("b")), std::nullopt);
  EXPECT_EQ(bucket("b"), nullptr);
  world_.run_for(20 * kSecond);
  EXPECT_EQ(error_of(remove("b")), Errc::no_such_bucket);
}

// A refusal is never older than its request.
TEST_F(ControlTest, OldVotesRefuseNoNewDeletion) {
  const BucketId id = bucket("b")->id;
  EXPECT_EQ(error_of(object(id, small_object())), std::nullopt);
  refuse(v1::Event::kBucketDeleteAbandoned);
  EXPECT_EQ(error_of(remove("b")), Errc::unavailable);
  log_.refuses = nullptr;
  EXPECT_EQ(error_of(object(id, DeleteObject{})), std::nullopt);
  EXPECT_EQ(error_of(remove("b")), std::nullopt);
  EXPECT_EQ(bucket("b"), nullptr);
}

// Nobody deletes again, and the bucket is not empty: it can be written again.
TEST_F(ControlTest, ABucketIsNotFrozenForEver) {
  const BucketId id = bucket("b")->id;
  EXPECT_EQ(error_of(object(id, small_object())), std::nullopt);
  refuse(v1::Event::kBucketDeleteAbandoned);
  EXPECT_EQ(error_of(remove("b")), Errc::unavailable);
  log_.refuses = nullptr;
  world_.run_for(10 * kSecond);
  ASSERT_NE(bucket("b"), nullptr);
  EXPECT_FALSE(bucket("b")->deleting);
  EXPECT_EQ(error_of(remove("b")), Errc::bucket_not_empty);
  EXPECT_EQ(error_of(object(id, DeleteObject{})), std::nullopt);
}

TEST_F(ControlTest, NoCommandWaitsForPartitionsThatCannotAppend) {
  log_.refuses = [](const ScriptedJournal::Records& records) -> std::optional<Errc> {
    for (const auto& record : records)
      if (record.partition != kControlPartition) return Errc::unavailable;
    return std::nullopt;
  };
  const auto created = create("c"), deleted = remove("b"), key = create_key();
  EXPECT_EQ(error_of(created, 11), Errc::unavailable);
  EXPECT_EQ(error_of(deleted, 11), Errc::unavailable);
  EXPECT_EQ(error_of(key), std::nullopt);
  const BucketId c = bucket("c")->id, b = bucket("b")->id;
  EXPECT_EQ(partitions_that_know(c), 0u);
  log_.refuses = nullptr;
  world_.run_for(20 * kSecond);
  EXPECT_EQ(partitions_that_know(c), size_t{kPartitions});
  EXPECT_EQ(bucket("b"), nullptr);
  EXPECT_EQ(partitions_that_know(b), 0u);
  EXPECT_EQ(error_of(object(c, small_object())), std::nullopt);
}

// Another one claims behind our back.
TEST_F(ControlTest, AVoidRecordEndsTheEpoch) {
  Proposal claim;
  claim.record.partition = kControlPartition;
  claim.record.kind = journal::RecordKind::claim;
  claim.record.epoch = Epoch{2};
  claim.record.writer.bytes[0] = 7;
  std::vector<Proposal> proposals;
  proposals.push_back(std::move(claim));
  committer_.propose(std::move(proposals));
  EXPECT_EQ(error_of(create_key()), Errc::unavailable);
  EXPECT_EQ(error_of(create_key()), Errc::unavailable);  // Claims epoch 2, as that one did.
  EXPECT_EQ(error_of(create_key()), std::nullopt);
}

TEST_F(ControlTest, APieceOfTheLogIsArchivedOnce) {
  auto piece = [](uint64_t from, uint64_t to) {
    ArchivedLog out{Offset{from}, Offset{to}, {}};
    out.body.add_extents()->set_stored_bytes(to - from);
    return out;
  };
  auto archive = [&](uint64_t from, uint64_t to, bool again) {
    return error_of(ask<void>(control_->archive_log(piece(from, to), again)));
  };
  EXPECT_EQ(archive(100, 200, true), Errc::not_found);
  EXPECT_EQ(archive(100, 200, false), std::nullopt);
  EXPECT_EQ(archive(100, 200, false), Errc::exists);
  EXPECT_EQ(archive(50, 101, false), Errc::exists);
  EXPECT_EQ(archive(100, 150, true), Errc::not_found) << "another piece";
  EXPECT_EQ(archive(100, 200, true), std::nullopt);
  EXPECT_EQ(error_of(ask<void>(control_->drop_archive(Offset{150}))), Errc::not_found);
  EXPECT_EQ(error_of(ask<void>(control_->drop_archive(Offset{100}))), std::nullopt);
  EXPECT_EQ(error_of(ask<void>(control_->drop_archive(Offset{100}))), Errc::not_found);
  EXPECT_EQ(error_of(create("still-open")), std::nullopt);
}

}  // namespace
}  // namespace kura
