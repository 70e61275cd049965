// The contract of Stream and Acceptor (base/stream.h),
// run against every implementation. For one .cc file of a binary:
//
//   INSTANTIATE_TEST_SUITE_P(Tcp, StreamContract, ::testing::Values(make_tcp_subject));

#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/stream.h"
#include "tests/base/background.h"
#include "tests/base/stream_io.h"

namespace kura::testing {

struct StreamSubject {
  virtual ~StreamSubject() = default;
  virtual void run(Task<void> task) = 0;  // On the loop of all streams; returns at its end.
  virtual Acceptor& acceptor() = 0;
  // A client's connection to acceptor(), where accept() has not been called for it yet.
  virtual Task<Result<std::unique_ptr<Stream>>> connect() = 0;
  virtual bool encrypted() const { return false; }
};

class StreamContract
    : public ::testing::TestWithParam<std::function<std::unique_ptr<StreamSubject>()>> {
 protected:
  void SetUp() override { subject_ = GetParam()(); }
  StreamSubject& subject() { return *subject_; }
  void run(Task<void> task) { subject_->run(std::move(task)); }

 private:
  std::unique_ptr<StreamSubject> subject_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StreamContract);

namespace stream_contract {

using StreamPtr = std::unique_ptr<Stream>;

struct Pair {
  StreamPtr client, server;
};

inline Task<Pair> make_pair(StreamSubject& s) {
  Background<Result<StreamPtr>> accepting(s.acceptor().accept());
  Pair pair;
  auto client = co_await s.connect();
  EXPECT_TRUE(client) << client.error().detail;
  if (client) pair.client = std::move(*client);
  auto server = co_await accepting.join();
  EXPECT_TRUE(server && *server);
  if (server && *server) pair.server = std::move(**server);
  co_return pair;
}

inline std::string pattern(size_t size_bytes, uint64_t seed) {
  std::string s(size_bytes, '\0');
  for (char& c : s) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    c = static_cast<char>(seed >> 56);
  }
  return s;
}

inline Task<void> bytes_arrive(StreamSubject& s) {
  Pair p = co_await make_pair(s);
  if (!p.client || !p.server) co_return;
  EXPECT_EQ(p.server->encrypted(), s.encrypted());
  EXPECT_FALSE(p.server->peer().empty());
  std::string head = "hello ", middle, tail = "world";
  std::vector<std::string_view> pieces{head, middle, tail};
  Background<Result<void>> writing(p.client->write(std::move(pieces)));
  Result<std::string> got = co_await read_exactly(*p.server, 11);
  EXPECT_EQ(got.value_or("error"), "hello world");
  auto wrote = co_await writing.join();
  EXPECT_TRUE(wrote && *wrote);
  Background<Result<void>> answering(write_text(*p.server, "yes"));
  Result<std::string> answer = co_await read_exactly(*p.client, 3);
  EXPECT_EQ(answer.value_or("error"), "yes");
  auto answered = co_await answering.join();
  EXPECT_TRUE(answered && *answered);
}

// More than any buffer on the way holds, both ways at once, with an odd read size.
inline Task<void> large_both_ways(StreamSubject& s) {
  Pair p = co_await make_pair(s);
  if (!p.client || !p.server) co_return;
  constexpr size_t kSize = 24'000'001;
  std::string up = pattern(kSize, 1), down = pattern(kSize, 2);
  Background<Result<void>> write_up(write_text(*p.client, up));
  Background<Result<void>> write_down(write_text(*p.server, down));
  Background<Result<std::string>> read_up(read_exactly(*p.server, kSize));
  Result<std::string> got_down = co_await read_exactly(*p.client, kSize);
  EXPECT_TRUE(got_down.value_or("") == down);
  auto got_up = co_await read_up.join();
  EXPECT_TRUE(got_up && got_up->value_or("") == up);
  auto wrote_up = co_await write_up.join();
  auto wrote_down = co_await write_down.join();
  EXPECT_TRUE(wrote_up && *wrote_up);
  EXPECT_TRUE(wrote_down && *wrote_down);
}

inline Task<void> many_pieces(StreamSubject& s) {
  Pair p = co_await make_pair(s);
  if (!p.client || !p.server) co_return;
  std::string all = pattern(300'000, 3);
  std::vector<std::string_view> pieces;
  for (size_t at = 0, i = 0; at < all.size(); ++i) {
    size_t n = std::min<size_t>(i % 700, all.size() - at);
    pieces.push_back(std::string_view(all).substr(at, n));
    at += n;
  }
  Background<Result<void>> writing(p.client->write(std::move(pieces)));
  Result<std::string> got = co_await read_exactly(*p.server, all.size());
  EXPECT_TRUE(got.value_or("") == all);
  auto wrote = co_await writing.join();
  EXPECT_TRUE(wrote && *wrote);
}

inline Task<void> end_of_stream(StreamSubject& s) {
  Pair p = co_await make_pair(s);
  if (!p.client || !p.server) co_return;
  Background<Result<void>> writing(write_text(*p.client, "bye"));
  Result<std::string> got = co_await read_exactly(*p.server, 3);
  EXPECT_EQ(got.value_or("error"), "bye");
  auto wrote = co_await writing.join();
  EXPECT_TRUE(wrote && *wrote);
  p.client->close();
  char byte;
  Result<size_t> n = co_await p.server->read_some(&byte, 1);
  EXPECT_EQ(n.value_or(99), 0u);
}

inline Task<void> closing_wakes_a_reader(StreamSubject& s) {
  Pair p = co_await make_pair(s);
  if (!p.client || !p.server) co_return;
  char byte;
  Background<Result<size_t>> reading(p.server->read_some(&byte, 1));
  co_await sleep_for(2'000'000);
  EXPECT_FALSE(reading.done());
  p.server->close();
  auto n = co_await reading.join();
  EXPECT_TRUE(n) << "the read waits for ever";
  if (n) {
    EXPECT_FALSE(*n);
  }
  if (n && !*n) {
    EXPECT_EQ(n->error().code, Errc::closed);
  }
  Result<size_t> later = co_await p.server->read_some(&byte, 1);
  EXPECT_FALSE(later);
  p.server->close();
}

inline Task<void> who_stops_reading_can_write(StreamSubject& s) {
  Pair p = co_await make_pair(s);
  if (!p.client || !p.server) co_return;
  Background<Result<void>> greeting(write_text(*p.client, "hello"));  // Hands are shaken then.
  Result<std::string> hello = co_await read_exactly(*p.server, 5);
  EXPECT_EQ(hello.value_or("error"), "hello");
  auto greeted = co_await greeting.join();
  EXPECT_TRUE(greeted && *greeted);
  char byte;
  Background<Result<size_t>> reading(p.server->read_some(&byte, 1));
  co_await sleep_for(2'000'000);
  EXPECT_FALSE(reading.done());
  p.server->stop_reading();
  auto n = co_await reading.join();
  EXPECT_TRUE(n) << "the read waits for ever";
  if (n) {
    EXPECT_EQ(n->value_or(0), 0u);
  }
  Result<size_t> later = co_await p.server->read_some(&byte, 1);
  EXPECT_EQ(later.value_or(0), 0u);
  Background<Result<void>> writing(write_text(*p.server, "too late"));
  Result<std::string> got = co_await read_exactly(*p.client, 8);
  EXPECT_EQ(got.value_or("error"), "too late");
  auto wrote = co_await writing.join();
  EXPECT_TRUE(wrote && *wrote);
  p.server->close();
}

inline Task<void> closing_wakes_a_writer(StreamSubject& s) {
  Pair p = co_await make_pair(s);
  if (!p.client || !p.server) co_return;
  // Nobody reads: it fills every buffer and waits.
  Background<Result<void>> writing(write_text(*p.server, std::string(64 << 20, 'x')));
  co_await sleep_for(20'000'000);
  EXPECT_FALSE(writing.done());
  p.server->close();
  auto wrote = co_await writing.join();
  EXPECT_TRUE(wrote) << "the write waits for ever";
  if (wrote) {
    EXPECT_FALSE(*wrote);
  }
  if (wrote && !*wrote) {
    EXPECT_EQ(wrote->error().code, Errc::closed);
  }
}

inline Task<void> writing_to_a_closed_peer_fails(StreamSubject& s) {
  Pair p = co_await make_pair(s);
  if (!p.client || !p.server) co_return;
  p.client.reset();  // Destruction closes.
  Result<void> wrote;
  std::string chunk(64 * 1024, 'x');
  for (int i = 0; i < 1000 && wrote; ++i) {
    wrote = co_await write_text(*p.server, chunk);
    co_await sleep_for(100'000);
  }
  EXPECT_FALSE(wrote);
  if (!wrote) {
    EXPECT_EQ(wrote.error().code, Errc::closed);
  }
}

inline Task<void> acceptor_closes(StreamSubject& s) {
  Background<Result<StreamPtr>> accepting(s.acceptor().accept());
  co_await sleep_for(1'000'000);
  EXPECT_FALSE(accepting.done());
  s.acceptor().close();
  auto got = co_await accepting.join();
  EXPECT_TRUE(got && !*got);
  if (got && !*got) {
    EXPECT_EQ(got->error().code, Errc::closed);
  }
  auto again = co_await s.acceptor().accept();
  EXPECT_FALSE(again);
}

inline Task<void> several_connections(StreamSubject& s) {
  std::vector<Pair> pairs;
  for (int i = 0; i < 20; ++i) {
    Pair p = co_await make_pair(s);
    if (!p.client || !p.server) co_return;
    pairs.push_back(std::move(p));
  }
  for (size_t i = 0; i < pairs.size(); ++i) {
    std::string text = "connection " + std::to_string(i);
    Background<Result<void>> writing(write_text(*pairs[i].client, text));
    Result<std::string> got = co_await read_exactly(*pairs[i].server, text.size());
    EXPECT_EQ(got.value_or("error"), text);
    auto wrote = co_await writing.join();
    EXPECT_TRUE(wrote && *wrote);
  }
}

}  // namespace stream_contract

TEST_P(StreamContract, BytesArrive) { run(stream_contract::bytes_arrive(subject())); }
TEST_P(StreamContract, LargeBothWays) { run(stream_contract::large_both_ways(subject())); }
TEST_P(StreamContract, ManyPieces) { run(stream_contract::many_pieces(subject())); }
TEST_P(StreamContract, EndOfStream) { run(stream_contract::end_of_stream(subject())); }
TEST_P(StreamContract, ClosingWakesAReader) {
  run(stream_contract::closing_wakes_a_reader(subject()));
}
TEST_P(StreamContract, WhoStopsReadingCanWrite) {
  run(stream_contract::who_stops_reading_can_write(subject()));
}
TEST_P(StreamContract, ClosingWakesAWriter) {
  run(stream_contract::closing_wakes_a_writer(subject()));
}
TEST_P(StreamContract, WritingToAClosedPeerFails) {
  run(stream_contract::writing_to_a_closed_peer_fails(subject()));
}
TEST_P(StreamContract, AcceptorCloses) { run(stream_contract::acceptor_closes(subject())); }
TEST_P(StreamContract, SeveralConnections) { run(stream_contract::several_connections(subject())); }

}  // namespace kura::testing
