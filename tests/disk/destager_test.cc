// Small bodies leave the journal for stripes.

#include "journal/journal.h"
#include "pool_world.h"

namespace kura::disk {
namespace {

// A journal that is read only, on a loop of its own.
class ListJournal final : public journal::Journal {
 public:
  explicit ListJournal(Loop& loop) : loop_(loop) {}
  JournalId id() const override { return {}; }
  journal::Bounds bounds() const override { return {Offset(0), Offset(end_)}; }
  Task<Result<std::vector<Offset>>> append(std::vector<journal::Record>&,
                                           journal::AppendClass) override {
    co_return fail(Errc::unavailable);
  }
  Task<Result<std::vector<journal::StoredRecord>>> read(Offset from, uint64_t bytes_max) override {
    EXPECT_TRUE(loop_.is_current()) << "a journal is called on its own loop";
    co_await sleep_for(100 * sim::kMicrosecond);
    std::vector<journal::StoredRecord> out;
    uint64_t bytes = 0;
    for (const auto& stored : records_) {
      if (stored.offset < from) continue;
      if (bytes >= bytes_max) break;
      bytes += stored.end.value - stored.offset.value;
      out.push_back(stored);
    }
    co_return out;
  }
  Task<Result<std::string>> read_body(v1::JournalBody) override { co_return fail(Errc::not_found); }
  bool try_read_body(const v1::JournalBody&, std::string*) override { return false; }
  Task<Result<void>> truncate(Offset) override { co_return Result<void>(); }

  Offset add(const v1::Event& event, std::string body) {
    journal::StoredRecord stored;
    stored.offset = Offset(end_);
    stored.record.payload = event.SerializeAsString();
    stored.record.body = std::move(body);
    end_ += 128 + stored.record.payload.size() + stored.record.body.size();
    stored.end = Offset(end_);
    records_.push_back(stored);
    return stored.offset;
  }
  uint64_t end_ = 512;

 private:
  Loop& loop_;
  std::vector<journal::StoredRecord> records_;
};

class Destage : public testing::Test {
 public:
  Destage() : journal_loop(pool.world, "journal", pool.clock), journal(journal_loop) {
    EXPECT_TRUE(pool.start());
  }

  // An inline PUT, folded.
  void put(const std::string& key, uint64_t bytes) {
    v1::Event event;
    v1::PutCommitted& committed = *event.mutable_put_committed();
    committed.set_bucket(7);
    committed.set_key(key);
    const std::string content = content_of(key + std::to_string(journal.end_), bytes);
    auto& body = *committed.mutable_version()->mutable_body()->mutable_journal();
    body.set_length(static_cast<uint32_t>(bytes));
    body.set_crc32c(99);
    body.set_offset(0);
    v1::JournalBody folded = body;
    folded.set_offset(journal.add(event, content).value);
    pool.bodies.bodies[key].Clear();
    *pool.bodies.bodies[key].mutable_journal() = folded;
    pool.bodies.content[key] = content;
  }

  Result<Offset> destage(uint64_t from, uint64_t below, uint64_t bytes_max = 64 * kMiB) {
    // Asked from the journal's loop, as the node does.
    Task<Result<Offset>> task = pool.pool->destage(journal, Offset(from), Offset(below), bytes_max);
    Task<Result<Offset>> moved = run_on(static_cast<Loop&>(journal_loop), std::move(task));
    return pool.run<Result<Offset>>(std::move(moved));
  }

  PoolWorld pool{6};
  sim::SimLoop journal_loop;
  ListJournal journal;
};

TEST_F(Destage, LiveBodiesMoveAndReadBack) {
  for (int i = 0; i < 3000; ++i) put("key-" + std::to_string(i), 1 + (i * 37) % 16'384);
  for (int i = 0; i < 3000; i += 3) pool.forget("key-" + std::to_string(i));
  for (int i = 1; i < 3000; i += 30) put("key-" + std::to_string(i), 5'000);  // Overwritten.
  const uint64_t below = journal.end_;
  auto done = destage(0, below);
  ASSERT_TRUE(done) << done.error().detail;
  EXPECT_EQ(done->value, below);
  EXPECT_EQ(pool.bodies.bodies.size(), 2000u);
  for (const auto& [key, body] : pool.bodies.bodies) {
    ASSERT_FALSE(body.has_journal()) << key;
    ASSERT_EQ(body.extents_size(), 1);
  }
  pool.expect_all();
  EXPECT_EQ(pool.bodies.moves, 2000u) << "the overwritten bodies are not copied";
  EXPECT_LT(pool.bodies.events_of_moves, 250u) << "moves are batched";
  EXPECT_EQ(pool.status().reservations, 0u);
  // Dense: little more than the bodies and their parity.
  uint64_t stored = 0, used = 0;
  for (const auto& [key, content] : pool.bodies.content) stored += content.size();
  pool.seal_all();
  for (const auto& disk : pool.disks) used += disk->used_bytes();
  EXPECT_LT(used, stored * 17 / 10);
  pool.expect_all();
}

TEST_F(Destage, StopsWhereItIsToldTo) {
  for (int i = 0; i < 100; ++i) put("key-" + std::to_string(i), 4'000);
  const uint64_t middle = journal.end_;
  for (int i = 100; i < 200; ++i) put("key-" + std::to_string(i), 4'000);
  auto done = destage(0, middle);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->value, middle);
  int left = 0;
  for (const auto& [key, body] : pool.bodies.bodies) left += body.has_journal();
  EXPECT_EQ(left, 100);
}

TEST_F(Destage, BoundedCallsReachTheEnd) {
  for (int i = 0; i < 300; ++i) put("key-" + std::to_string(i), 4'000);
  uint64_t at = 0;
  int calls = 0;
  while (at < journal.end_ && calls < 100) {
    auto done = destage(at, journal.end_, 100'000);
    ASSERT_TRUE(done);
    ASSERT_GT(done->value, at);
    at = done->value;
    ++calls;
  }
  EXPECT_EQ(at, journal.end_);
  EXPECT_GT(calls, 5);
  for (const auto& [key, body] : pool.bodies.bodies) EXPECT_FALSE(body.has_journal());
  pool.expect_all();
}

TEST_F(Destage, ARefusedMoveIsNoLoss) {
  for (int i = 0; i < 50; ++i) put("key-" + std::to_string(i), 4'000);
  pool.bodies.refuse = Errc::overloaded;
  EXPECT_EQ(destage(0, journal.end_).error().code, Errc::overloaded);
  EXPECT_EQ(pool.status().reservations, 0u);
  pool.bodies.refuse = Errc::unknown;
  EXPECT_EQ(destage(0, journal.end_).error().code, Errc::unknown);
  EXPECT_GT(pool.status().reservations, 0u) << "the move may count yet";
  pool.bodies.refuse.reset();
  EXPECT_TRUE(destage(0, journal.end_));
  pool.expect_all();
}

TEST_F(Destage, AnUnknownEventWithABodyStopsIt) {
  put("key", 4'000);
  v1::Event event;
  event.mutable_object_deleted()->set_key("newer");
  journal.add(event, "a body that this version does not understand");
  auto refused = destage(0, journal.end_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
}

}  // namespace
}  // namespace kura::disk
