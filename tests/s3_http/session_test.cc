#include "s3/http/session.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "tests/s3_http/edge.h"

namespace kura::s3 {
namespace {

using sim::kSecond;
constexpr std::string_view kClose = "Connection: close\r\n";

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

std::string chunked_put(std::string_view path, std::string_view chunks,
                        std::string_view fields = {}) {
  return "PUT " + std::string(path) + " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n" +
         std::string(fields) + "\r\n" + std::string(chunks);
}

TEST(Session, EveryAnswerCarriesItsIds) {
  Edge edge;
  const std::string got = edge.talk(get("/x", kClose));
  EXPECT_EQ(statuses(got), "200");
  for (const char* field :
       {"\r\nServer: Kura\r\n", "\r\nDate: Thu, 01 Jan 2026 ",
        "\r\nx-amz-id-2: ", "\r\nContent-Length: 5\r\n", "\r\nConnection: close\r\n"})
    EXPECT_TRUE(has(got, field)) << field;
  EXPECT_TRUE(has(got, "\r\nx-amz-request-id: " + edge.handler.request_ids.at(0) + "\r\n"));
  EXPECT_TRUE(got.ends_with("\r\n\r\nhello"));
  ASSERT_EQ(edge.log.size(), 1u);
  EXPECT_EQ(edge.log[0].request_id, edge.handler.request_ids[0]);
  EXPECT_EQ(edge.log[0].status, 200);
  EXPECT_EQ(edge.log[0].bytes_out, got.size());
  EXPECT_EQ(edge.log[0].bytes_in, get("/x", kClose).size());
  EXPECT_EQ(edge.shared->connections, 0u);
}

TEST(Session, PipelinedRequestsAreAnsweredInOrder) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Edge edge(seed);
    std::string wire, expected;
    for (int i = 0; i < 40; ++i) {
      const std::string body = "body " + std::to_string(i);
      wire += i % 3 == 0 ? chunked_put("/echo", "6\r\nbody 0\r\n0\r\n\r\n") : put("/echo", body);
    }
    wire += get("/slow") + get("/last", kClose);
    const std::string got = edge.talk(wire);
    EXPECT_EQ(edge.handler.seen.size(), 42u);
    EXPECT_EQ(edge.handler.seen.back(), "GET /last");
    size_t at = 0;
    for (int i = 0; i < 40; ++i) {
      const std::string body = i % 3 == 0 ? "body 0" : "body " + std::to_string(i);
      at = got.find("\r\n\r\n" + body, at);
      ASSERT_NE(at, got.npos) << i;
      ++at;
    }
    // What was sent ahead counts for the request that it belongs to.
    uint64_t bytes_in = 0;
    for (const RequestLogEntry& entry : edge.log) bytes_in += entry.bytes_in;
    EXPECT_EQ(bytes_in, wire.size());
    EXPECT_EQ(edge.log.at(1).bytes_in, put("/echo", "body 1").size());
  }
}

// What old clients send behind a body (RFC 9112, 2.2), and no more of it.
TEST(Session, OneEmptyLineBeforeARequestIsPassedOver) {
  Edge edge;
  EXPECT_EQ(statuses(edge.talk(put("/echo", "body") + "\r\n" + get("/last", kClose))), "200 200");
  Edge other;
  EXPECT_EQ(statuses(other.talk("\r\n\r\n" + get("/last", kClose))), "400");
}

TEST(Session, PipelinedRequestsAreWorkedOnInTurn) {
  Edge edge;
  std::string wire;
  for (size_t i = 0; i < 64; ++i) wire += get("/slow");
  edge.talk(wire + get("/last", kClose));
  EXPECT_EQ(edge.handler.seen.size(), 65u);
  EXPECT_EQ(edge.handler.at_once_max, 1u);
  EXPECT_EQ(edge.state->in_flight, 0u);
}

TEST(Session, ABodyOfAnySizeArrivesWhole) {
  for (size_t size : {0u, 1u, 16384u, 300'000u, 3'000'000u}) {
    std::string body(size, 'x');
    for (size_t i = 0; i < size; ++i) body[i] = static_cast<char>('a' + i * 31 % 23);
    Edge edge(size + 1);
    const std::string got = edge.talk(put("/echo", body, kClose));
    EXPECT_EQ(statuses(got), "200");
    EXPECT_TRUE(got.ends_with("\r\n\r\n" + body));
    EXPECT_EQ(edge.log.at(0).bytes_in, put("/echo", body, kClose).size());
  }
}

TEST(Session, ContinueIsSaidWhenTheBodyIsWanted) {
  Edge edge;
  const std::string head =
      "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n"
      "Connection: close\r\n\r\n";
  const std::string got = edge.talk({{head}, {"abc", kSecond}});
  EXPECT_TRUE(got.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"));
  EXPECT_TRUE(got.ends_with("abc"));
}

TEST(Session, ARefusedBodyIsNeverAskedFor) {
  Edge edge;
  const std::string head =
      "PUT /deny HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
  const std::string got = edge.talk({{head}, {"abc" + get("/smuggled"), kSecond}});
  EXPECT_EQ(statuses(got), "403");
  EXPECT_TRUE(has(got, "\r\nConnection: close\r\n"));
  EXPECT_EQ(edge.handler.seen.size(), 1u);  // What follows is no request.
}

// botocore up to 1.35 answers the next such request with this one's status when no 100 came.
TEST(Session, ContinueIsSaidBeforeAnEmptyBodyToo) {
  const std::string expect = "Host: h\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n";
  Edge edge;
  const std::string got =
      edge.talk({{"PUT /echo HTTP/1.1\r\n" + expect}, {get("/next", kClose), kSecond}});
  EXPECT_TRUE(got.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"));
  Edge refusing;
  const std::string refused =
      refusing.talk({{"PUT /deny HTTP/1.1\r\n" + expect}, {get("/next", kClose), kSecond}});
  EXPECT_EQ(statuses(refused), "403");
  EXPECT_TRUE(has(refused, "\r\nConnection: close\r\n"));
}

TEST(Session, NothingIsSaidWhereNoBodyIsAnnounced) {
  Edge edge;
  EXPECT_EQ(statuses(edge.talk("GET /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n" +
                               get("/next", kClose))),
            "200 200");
}

TEST(Session, ASmallUnreadBodyIsPassedOver) {
  Edge edge;
  const std::string got =
      edge.talk(put("/deny", std::string(1000, 'x')) +
                chunked_put("/deny", "3\r\nabc\r\n0\r\n\r\n") + get("/next", kClose));
  EXPECT_EQ(statuses(got), "403 403 200");
}

TEST(Session, ALargeUnreadBodyEndsTheConnectionAfterTheAnswer) {
  Edge edge;
  const std::string got = edge.talk(put("/deny", std::string(2'000'000, 'x')) + get("/next"));
  EXPECT_EQ(statuses(got), "403");
  EXPECT_TRUE(has(got, "\r\nConnection: close\r\n"));
  EXPECT_EQ(edge.handler.seen.size(), 1u);
}

TEST(Session, SmuggledRequestsAreNeverSeen) {
  const std::string hidden = get("/hidden");
  for (const std::string& wire : std::vector<std::string>{
           "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: "
           "chunked\r\n\r\n"
           "0\r\n\r\n" +
               hidden,
           "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 50\r\n\r\n" +
               hidden,
           "PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
           "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" +
               hidden,
           "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length : 5\r\n\r\n" + hidden,
           "PUT /echo HTTP/1.1\r\nHost: h\r\nA: b\r\n Content-Length: 50\r\n\r\n" + hidden,
           chunked_put("/echo", "1;ext=\"\r\na\r\n0\r\n\r\n") + hidden,
           chunked_put("/echo", "1\r\nabc\r\n0\r\n\r\n") + hidden,
           chunked_put("/echo", "-1\r\n\r\n") + hidden}) {
    Edge edge;
    const std::string got = edge.talk(wire);
    EXPECT_EQ(statuses(got), "400") << wire;
    EXPECT_TRUE(has(got, "<Code>BadRequest</Code>")) << wire;
    for (const std::string& seen : edge.handler.seen) EXPECT_EQ(seen, "PUT /echo") << wire;
    EXPECT_TRUE(edge.closed);
    ASSERT_EQ(edge.log.size(), 1u);
    EXPECT_EQ(edge.log[0].status, 400);
  }
}

TEST(Session, ABodyThatEndsEarlyIsIncomplete) {
  Edge edge;
  edge.connect({{"PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"}});
  edge.world.run_for(kSecond);
  edge.client->close();
  edge.world.run_for(kSecond);
  EXPECT_EQ(edge.handler.last_error, "IncompleteBody");
  EXPECT_EQ(edge.shared->connections, 0u);
}

TEST(Session, HeadHasTheLengthAndNoBody) {
  Edge edge;
  const std::string got = edge.talk(
      "HEAD /stream/12345 HTTP/1.1\r\nHost: h\r\n\r\n"
      "HEAD /deny HTTP/1.1\r\nHost: h\r\n\r\n" +
      get("/x", kClose));
  EXPECT_EQ(statuses(got), "200 403 200");
  EXPECT_TRUE(has(got, "\r\nContent-Length: 12345\r\n\r\nHTTP/1.1 403"));
  EXPECT_TRUE(has(got, "\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200"));
}

TEST(Session, NoContentHasNoLength) {
  Edge edge;
  const std::string got = edge.talk(get("/empty", kClose));
  EXPECT_EQ(statuses(got), "204");
  EXPECT_FALSE(has(got, "Content-Length"));
}

TEST(Session, AStreamedBodyArrivesWhole) {
  for (uint64_t size : {0u, 1u, 1u << 20, (1u << 20) + 1, 5'000'000u}) {
    Edge edge(size + 1);
    const std::string got = edge.talk(get("/stream/" + std::to_string(size), kClose));
    const size_t body = got.find("\r\n\r\n") + 4;
    EXPECT_EQ(got.size() - body, size);
    EXPECT_TRUE(has(got, "\r\nContent-Length: " + std::to_string(size) + "\r\n"));
  }
}

TEST(Session, AStoreThatFailsBeforeTheFirstByteIsAnError) {
  Edge edge;
  const std::string got = edge.talk(get("/stream/5000000?0", kClose));
  EXPECT_EQ(statuses(got), "503");
  EXPECT_TRUE(has(got, "<Code>ServiceUnavailable</Code>"));
  EXPECT_FALSE(has(got, "secret"));
}

TEST(Session, AStoreThatFailsLaterCutsTheConnection) {
  Edge edge;
  const std::string got = edge.talk(get("/stream/5000000?2000000") + get("/next"));
  EXPECT_EQ(statuses(got), "200");
  EXPECT_LT(got.size(), 5'000'000u);
  EXPECT_TRUE(edge.closed);
  EXPECT_FALSE(edge.log.at(0).complete);
}

TEST(Session, HeaderValuesCannotInject) {
  Edge edge;
  const std::string got = edge.talk(get("/inject", kClose));
  EXPECT_EQ(statuses(got), "500");
  EXPECT_FALSE(has(got, "Set-Cookie"));
}

TEST(Session, LogsHoldNoSignature) {
  Edge edge;
  edge.talk(get("/x?X-Amz-Signature=abcdef&prefix=p", kClose));
  EXPECT_EQ(edge.log.at(0).target, "/x?X-Amz-Signature=REDACTED&prefix=p");
}

// Clients that keep a connection busy with nothing.
int64_t lifetime_ns(std::vector<Step> steps, bool reads = true) {
  Edge edge;
  edge.reads = reads;
  const int64_t began = edge.world.now_ns();
  edge.connect(std::move(steps));
  edge.world.run_until(
      [&] {
        return edge.shared->connections == 0 && edge.state->stream == nullptr &&
               edge.world.now_ns() > began + kSecond;
      },
      began + 10'000 * kSecond);
  EXPECT_EQ(edge.shared->connections, 0u);
  return edge.world.now_ns() - began;
}

TEST(Session, SlowClientsAreCutOff) {
  const SessionOptions options;
  const auto near = [](int64_t got, int64_t wanted) {
    EXPECT_GE(got, wanted);
    EXPECT_LE(got, wanted + 12 * kSecond);
  };
  near(lifetime_ns({}), options.idle_ns);
  near(lifetime_ns({{get("/x")}}), options.idle_ns);
  near(lifetime_ns({{"GET / HT"}}), options.head_ns);
  std::vector<Step> drip_head = {{"GET / HTTP/1.1\r\nHost: h\r\nA: "}};
  std::vector<Step> drip_body = {
      {"PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n"}};
  for (int i = 0; i < 300; ++i) {
    drip_head.push_back({"a", kSecond});
    drip_body.push_back({"a", kSecond});
  }
  near(lifetime_ns(drip_head), options.head_ns);
  near(lifetime_ns(drip_body), options.body_silence_ns);
  near(lifetime_ns({{put("/echo", "").substr(0, 30)}}), options.head_ns);
  near(lifetime_ns({{"PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
                     "Expect: 100-continue\r\n\r\n"}}),
       options.body_silence_ns);
  near(lifetime_ns({{get("/stream/50000000")}}, /*reads=*/false), options.write_silence_ns);
}

TEST(Session, AnUploadThatStallsIsToldWhy) {
  for (const char* head :
       {"PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\na",
        "PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na"}) {
    Edge edge;
    const std::string got = edge.talk(std::string(head));
    EXPECT_EQ(statuses(got), "400") << got;
    EXPECT_NE(got.find("<Code>RequestTimeout</Code>"), std::string::npos);
    EXPECT_NE(got.find("Connection: close"), std::string::npos) << got;
  }
}

TEST(Session, ASlowUploadThatGoesOnIsNotCutOff) {
  Edge edge;
  std::vector<Step> steps = {
      {"PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 40960\r\n"
       "Connection: close\r\n\r\n"}};
  for (int i = 0; i < 10; ++i) steps.push_back({std::string(4096, 'a'), 20 * kSecond});
  EXPECT_EQ(statuses(edge.talk(steps)), "200");
}

TEST(Session, ADrainFinishesTheRequestUnderWay) {
  Edge edge;
  edge.connect({{get("/slow") + get("/next")}});
  edge.world.run_for(kSecond / 2);
  edge.shared->draining = true;
  edge.world.run_until([&] { return edge.closed; }, 100 * kSecond);
  EXPECT_EQ(statuses(edge.received), "200");
  EXPECT_TRUE(has(edge.received, "\r\nConnection: close\r\n"));
}

TEST(Session, NoiseIsRefused) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Edge edge(seed);
    sim::SimRandom random(seed);
    std::string noise(random.pick(5000) + 1, '\0');
    for (char& c : noise) c = static_cast<char>(random.pick(256));
    if (seed % 2 == 0)
      noise = "PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + noise;
    const std::string got = edge.talk(noise);
    EXPECT_TRUE(edge.closed);
    EXPECT_FALSE(has(statuses(got), "200")) << seed;
  }
}

}  // namespace
}  // namespace kura::s3
