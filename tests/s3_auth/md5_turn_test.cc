#include "s3/auth/md5_turn.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "tests/journal/test_loop.h"

namespace kura::s3 {
namespace {

using journal::TestLoop;

const bool has_lanes = md5_lanes() > 3;  // Else a processor hashes one body at a time.

// Bodies that are hashed side by side, and in which order they and marks of the loop came by.
struct Bodies {
  TestLoop loop;
  std::string order;

  Task<void> hash(char name, size_t bytes) {
    const std::string body(bytes, name);
    Md5 alone;
    BodyMd5 together;
    alone.update(body);
    co_await together.update(body);
    order += name;
    EXPECT_EQ(together.finish(), alone.finish()) << name;
  }
  void begin(char name, size_t bytes = 5000) { spawn(loop, hash(name, bytes)); }
  // Marks this turn and `more` after it, then begins what is in `late`.
  void mark(int more, std::string late = "") {
    loop.post([this, more, late] {
      order += '.';
      if (more > 0) return mark(more - 1, late);
      for (char name : late) begin(name);
    });
  }
};

TEST(Md5Turn, ABodyThatIsAloneDoesNotWait) {
  Bodies bodies;
  bodies.begin('a');
  bodies.mark(3);
  bodies.loop.run();
  EXPECT_EQ(bodies.order, ".a...");
}

TEST(Md5Turn, ALittleIsHashedAtOnce) {
  Bodies bodies;
  bodies.begin('a', 100);
  bodies.mark(1);
  bodies.loop.run();
  EXPECT_EQ(bodies.order, "a..");
}

TEST(Md5Turn, FreeLanesWaitForWhatComesNext) {
  Bodies bodies;
  bodies.begin('a', 4096);
  bodies.begin('b', 70'000);
  bodies.mark(1, "c");
  bodies.loop.run();
  EXPECT_EQ(bodies.order, has_lanes ? "..abc" : ".ab.c");
}

TEST(Md5Turn, TheyWaitForFourTurnsAtMost) {
  Bodies bodies;
  bodies.begin('a');
  bodies.begin('b');
  bodies.mark(9);
  bodies.loop.run();
  EXPECT_EQ(bodies.order, has_lanes ? ".....ab....." : ".ab.........");
}

TEST(Md5Turn, FullLanesDoNotWait) {
  Bodies bodies;
  std::string names;  // One for each lane.
  for (size_t i = 0; i < std::max<size_t>(md5_lanes(), 2); ++i) names += static_cast<char>('A' + i);
  for (char name : names) bodies.begin(name);
  bodies.mark(3);
  bodies.loop.run();
  EXPECT_EQ(bodies.order, "." + names + "...");
}

// What a body brings after its turn has ended belongs to the next one.
TEST(Md5Turn, ABodyOfManyPiecesIsHashedInTheirOrder) {
  TestLoop loop;
  int ended = 0;
  auto hash = [&ended](std::vector<std::string> pieces) -> Task<void> {
    Md5 alone;
    BodyMd5 together;
    for (const std::string& piece : pieces) {
      alone.update(piece);
      co_await together.update(piece);
    }
    EXPECT_EQ(together.finish(), alone.finish());
    ++ended;
  };
  for (char name : std::string("abcde")) {
    std::vector<std::string> pieces;
    for (size_t i = 0; i < 4; ++i) pieces.emplace_back(1100 * (i + 1), static_cast<char>(name + i));
    spawn(loop, hash(std::move(pieces)));
  }
  loop.run();
  EXPECT_EQ(ended, 5);
}

// Bodies whose pieces come at given times, and when the last one of each was hashed.
struct Pieces {
  using Times = std::vector<int64_t>;
  TestLoop loop;
  std::map<char, int64_t> hashed_ms;

  Task<void> receive(char name, Times at_ms, size_t bytes, bool ends) {
    const std::string piece(bytes, name);
    BodyMd5 md5;
    for (int64_t ms : at_ms) {
      co_await sleep_for(ms * 1'000'000 - loop.now_ns());
      co_await md5.update(piece);
      hashed_ms[name] = loop.now_ns() / 1'000'000;
    }
    if (ends) md5.finish();
    co_await sleep_for(10'000'000'000);  // More is to come, or it is not stored yet.
  }
  // One piece, and so long until its request is answered.
  Task<void> receive_one(char name, int64_t at_ms, int64_t stored_ms) {
    const std::string piece(64 * 1024, name);
    co_await sleep_for(at_ms * 1'000'000);
    BodyMd5 md5;
    co_await md5.update(piece);
    hashed_ms[name] = loop.now_ns() / 1'000'000;
    md5.finish();
    co_await sleep_for(stored_ms * 1'000'000);
  }
  void store(char name, int64_t at_ms, int64_t stored_ms) {
    spawn(loop, receive_one(name, at_ms, stored_ms));
  }
  void begin(char name, Times at_ms, size_t bytes = 64 * 1024, bool ends = false) {
    spawn(loop, receive(name, std::move(at_ms), bytes, ends));
  }
};

TEST(Md5Turn, PiecesOfLongBodiesWaitForEachOther) {
  Pieces pieces;
  pieces.begin('a', {10, 40, 70, 100});
  pieces.begin('b', {10, 40, 70, 108});
  pieces.begin('c', {10, 40, 70, 112});
  pieces.loop.run();
  EXPECT_EQ(pieces.hashed_ms['a'], has_lanes ? 112 : 100);
  EXPECT_EQ(pieces.hashed_ms['b'], has_lanes ? 112 : 108);
  EXPECT_EQ(pieces.hashed_ms['c'], 112);
}

// Several of one body may come at once, after a long time or before it.
TEST(Md5Turn, ThePaceOfABodyIsThatOfManyPieces) {
  Pieces pieces;
  pieces.begin('a', {10, 50, 90, 130, 131});
  pieces.begin('b', {10, 50, 90, 130, 139});
  pieces.begin('c', {10, 50, 90, 130});
  pieces.loop.run();
  EXPECT_EQ(pieces.hashed_ms['a'], has_lanes ? 146 : 131) << "half of 40, 40, 40 and 1";
  EXPECT_EQ(pieces.hashed_ms['b'], has_lanes ? 146 : 139);
}

TEST(Md5Turn, ABodyThatHasEndedIsNotWaitedFor) {
  Pieces pieces;
  pieces.begin('e', {10, 40, 70}, 64 * 1024, true);
  pieces.begin('a', {10, 40, 70, 100});
  pieces.begin('b', {10, 40, 70, 108});
  pieces.begin('c', {10, 40, 70, 112});
  pieces.loop.run();
  EXPECT_EQ(pieces.hashed_ms['a'], has_lanes ? 112 : 100);
}

// As long as bodies are stored: a quarter of what that took lately.
TEST(Md5Turn, FirstPiecesWaitForEachOther) {
  Pieces pieces;
  for (char name : std::string("xyz")) pieces.store(name, 10, 16);
  for (char name : std::string("pqr")) pieces.store(name, 20, 1000);
  pieces.store('a', 100, 1000);
  pieces.store('b', 103, 1000);
  pieces.store('c', 200, 1000);  // Waits for nobody,
  pieces.store('d', 210, 1000);  // so the next ones do not wait.
  pieces.loop.run();
  EXPECT_EQ(pieces.hashed_ms['r'], 20) << "too few before it";
  EXPECT_EQ(pieces.hashed_ms['a'], has_lanes ? 104 : 100);
  EXPECT_EQ(pieces.hashed_ms['b'], has_lanes ? 104 : 103);
  EXPECT_EQ(pieces.hashed_ms['c'], has_lanes ? 204 : 200);
  EXPECT_EQ(pieces.hashed_ms['d'], 210);
}

TEST(Md5Turn, AFirstPieceDoesNotWaitLong) {
  Pieces pieces;
  for (char name : std::string("xyz")) pieces.store(name, 10, 400);
  for (char name : std::string("pqr")) pieces.store(name, 100, 1000);
  pieces.store('a', 600, 1000);
  pieces.loop.run();
  EXPECT_EQ(pieces.hashed_ms['a'], has_lanes ? 605 : 600);
}

TEST(Md5Turn, TwoLongBodiesDoNotWait) {
  Pieces pieces;
  pieces.begin('a', {10, 20, 22, 100});
  pieces.begin('b', {10, 20, 110});
  pieces.loop.run();
  EXPECT_EQ(pieces.hashed_ms['a'], 100);
}

TEST(Md5Turn, AShortBodyEndsTheWaitOfLongOnes) {
  Pieces pieces;
  pieces.begin('a', {10, 20, 22, 100});
  pieces.begin('b', {10, 20, 22});
  pieces.begin('c', {10, 20});
  pieces.begin('s', {103}, 4096);
  pieces.loop.run();
  EXPECT_EQ(pieces.hashed_ms['a'], has_lanes ? 103 : 100);
  EXPECT_EQ(pieces.hashed_ms['s'], 103);
}

TEST(Md5Turn, WhoWaitedForNobodyDoesNotSoonWaitAgain) {
  for (int more = 0; more < 10; ++more) {
    Pieces pieces;
    Pieces::Times times{10, 40, 70, 100};  // Waits until 115, later 20 ms.
    for (int i = 1; i <= more; ++i) times.push_back(200 + 100 * i);
    const bool waits = more == 0 || more == 9;
    pieces.begin('a', times);
    pieces.begin('b', {10, 40, 70});
    pieces.begin('c', {10, 40, 70});
    pieces.loop.run();
    const int64_t waited_ms = more == 0 ? 15 : 20;
    EXPECT_EQ(pieces.hashed_ms['a'], times.back() + (has_lanes && waits ? waited_ms : 0)) << more;
  }
}

// The simulator runs the loops of many nodes on one thread.
TEST(Md5Turn, EachLoopHasItsOwn) {
  Bodies here, there;
  here.begin('a');
  there.begin('b');
  here.loop.post([&] {  // Before the turn ends in which 'a' came.
    there.loop.run();
    EXPECT_EQ(there.order, "b");
    EXPECT_EQ(here.order, "");
  });
  here.loop.run();
  EXPECT_EQ(here.order, "a");
}

}  // namespace
}  // namespace kura::s3
