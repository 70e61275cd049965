#include "tests/s3_op/op_world.h"

#include <utility>

#include "base/limits.h"
#include "s3/auth/signer.h"

namespace kura::s3 {
namespace {

// The bytes of a request as a session gives them.
class SentBody final : public BodySource {
 public:
  explicit SentBody(const std::string& bytes) : bytes_(bytes) {}
  Task<S3Result<std::string>> next() override {
    co_await sleep_for(1000);
    std::string piece = bytes_.substr(given_, 7000);
    given_ += piece.size();
    co_return piece;
  }
  std::optional<uint64_t> length_bytes() const override { return bytes_.size(); }
  const Headers& trailer() const override { return trailer_; }

 private:
  const std::string& bytes_;
  size_t given_ = 0;
  Headers trailer_;
};

RequestHead head_of(const Sent& request, int64_t now_ms) {
  RequestHead head;
  head.method = request.method;
  size_t question = request.target.find('?');
  head.path = request.target.substr(0, question);
  if (question != std::string::npos) head.query = request.target.substr(question + 1);
  bool has_host = false;
  for (const auto& [name, value] : request.headers) {
    has_host = has_host || name == "host";
    head.headers.add(name, value);
  }
  if (!has_host) head.headers.add("host", "127.0.0.1:9000");
  head.content_length = request.body.size();
  Signer signer("AKIDROOT", "secret");
  if (request.presigned) {
    signer.presign(&head, now_ms, 600);
  } else {
    signer.sign(&head, payload_hash_of(request.body), now_ms);
  }
  return head;
}

}  // namespace

std::string Got::element(std::string_view name) const {
  std::vector<std::string> all = elements(name);
  return all.empty() ? "<none>" : all.front();
}

std::vector<std::string> Got::elements(std::string_view name) const {
  std::vector<std::string> found;
  std::string open = "<" + std::string(name) + ">", close = "</" + std::string(name) + ">";
  size_t at = 0;
  while ((at = body.find(open, at)) != std::string::npos) {
    at += open.size();
    size_t end = body.find(close, at);
    if (end == std::string::npos) break;
    found.push_back(body.substr(at, end - at));
  }
  return found;
}

OpWorld::OpWorld(uint64_t seed) : world(seed), random(seed) {}

Task<void> OpWorld::run(Dispatcher& dispatcher, const Sent& request, Got* got) {
  RequestHead head = head_of(request, clock.wall_ms());
  SentBody body(request.body);
  ConnectionInfo connection{"127.0.0.1:40123", request.encrypted, "REQUESTID"};
  Reply reply = co_await dispatcher.handle(head, body, connection);
  Response& response = reply.response;
  got->operation = reply.operation;
  got->code = response.error_code;
  got->headers = response.headers;
  got->body = response.body;
  got->length_bytes = response.body.size();
  if (response.stream || response.head_only) got->length_bytes = response.stream_bytes;
  while (response.stream) {
    Result<std::string> chunk = co_await response.stream->next();
    got->cut = !chunk;
    if (!chunk || chunk->empty()) break;
    got->body += *chunk;
  }
  got->status = response.status;
}

Got OpWorld::send(Sent request) {
  std::vector<Sent> one;
  one.push_back(std::move(request));
  return send_all(std::move(one)).front();
}

std::vector<Got> OpWorld::send_all(std::vector<Sent> requests) {
  std::vector<Got> answers(requests.size());
  Dispatcher dispatcher(authenticator, store, settings);
  for (size_t i = 0; i < requests.size(); ++i) {
    spawn(loop, run(dispatcher, requests[i], &answers[i]));
  }
  auto done = [&] {
    for (const Got& got : answers)
      if (got.status == 0) return false;
    return true;
  };
  INVARIANT(world.run_until(done, world.now_ns() + 3600 * sim::kSecond), "every request ends");
  return answers;
}

std::string content(uint64_t bytes, uint64_t seed) {
  std::string out(bytes, '\0');
  sim::SimRandom random(seed);
  for (uint64_t i = 0; i < bytes; i += 8) {
    uint64_t word = random.draw();
    for (uint64_t j = i; j < bytes && j < i + 8; ++j, word >>= 8) out[j] = static_cast<char>(word);
  }
  return out;
}

}  // namespace kura::s3
