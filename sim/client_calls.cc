// How a client calls, retries, and records; the calls themselves are in client_objects.cc,
// client_uploads.cc and client_buckets.cc.

#include "s3/codec/encoding.h"
#include "sim/sim_client.h"

namespace kura::sim {
namespace {

constexpr int kAttemptsMax = 4;

std::string status_text(const Answer& answer) {
  if (!answer.reply.answered) return answer.reply.sent ? "no answer" : "not sent";
  std::string out = std::to_string(answer.reply.status);
  if (!answer.reply.code.empty()) out += " " + answer.reply.code;
  return out;
}

std::string unquoted(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

}  // namespace

SimClient::SimClient(Shared& shared, uint32_t number)
    : shared_(shared),
      number_(number),
      random_(shared.random.fork("client", number)),
      s3_(shared.network, shared.address,
          s3::Signer(shared.options.access_key, shared.options.secret)) {}

Task<Answer> SimClient::perform(S3Request request) {
  Answer answer;
  request.invocation_id = "sim-" + std::to_string(number_) + "-" + std::to_string(++calls_);
  const int64_t attempts_max = shared_.at_rest ? 200 : random_.between(1, kAttemptsMax);
  answer.invoked_ns = shared_.world.now_ns();
  while (true) {
    const WorkloadOptions& options = shared_.options;
    const bool impatient = !shared_.at_rest && random_.pick(100) < options.impatient_percent;
    const int64_t timeout_ns = impatient ? random_.between(kMillisecond, options.impatient_ns)
                                         : random_.between(10 * kSecond, 30 * kSecond);
    answer.attempted_ns = shared_.world.now_ns();
    ++answer.attempts;
    S3Request attempt = request;
    answer.reply = co_await s3_.call(std::move(attempt), timeout_ns);
    request.abandon_after.reset();
    if (answer.reply.answered && answer.reply.status < 500) break;
    if (answer.attempts >= attempts_max) break;
    answer.doubtful |= answer.reply.sent;
    if (!impatient) co_await sleep_for(random_.between(kMillisecond, 200 * kMillisecond));
  }
  answer.returned_ns = shared_.world.now_ns();
  if (answer.reply.answered) ++shared_.answered;
  shared_.world.trace("answer", static_cast<uint64_t>(answer.reply.status),
                      hash_bytes(answer.reply.body));
  if (answer.reply.ok() && answer.doubtful) probe("acknowledged after a doubtful attempt");
  if (!answer.reply.answered && answer.reply.sent) probe("outcome unknown");
  if (answer.reply.answered && answer.reply.status >= 500) probe("answered 5xx");
  if (shared_.at_rest && !(answer.reply.answered && answer.reply.status < 500))
    shared_.violate("At rest a " + request.method + " got no answer but " +
                        std::to_string(answer.reply.status) + " " + answer.reply.code,
                    request.key);
  if (answer.reply.status == 501)
    shared_.violate("A request of the workload was answered 501: " + request.method, request.key);
  co_return answer;
}

Task<void> SimClient::repeat(S3Request request, std::string name) {
  request.invocation_id = "sim-" + std::to_string(number_) + "-" + std::to_string(calls_);
  request.abandon_after.reset();
  s3_.disconnect();
  co_await sleep_for(random_.exponential(50 * kMillisecond));
  const std::string method = request.method;
  S3Reply reply = co_await s3_.call(std::move(request), 10 * kSecond);
  if (reply.ok()) probe("acknowledged request repeated");
  if (!reply.answered || reply.ok() || reply.status >= 500) co_return;
  shared_.violate("A repeated " + method + " did not get its first answer but " +
                      std::to_string(reply.status) + " " + reply.code,
                  name);
}

Operation SimClient::operation(const Answer& answer, const std::string& what) const {
  Operation op;
  op.what = "client " + std::to_string(number_) + " " + what + " -> " + status_text(answer);
  if (answer.attempts > 1) op.what += " (" + std::to_string(answer.attempts) + " attempts)";
  op.invoked_ns = answer.invoked_ns;
  op.returned_ns = answer.returned_ns;
  op.at_rest = shared_.at_rest;
  return op;
}

void SimClient::record_read(const std::string& name, const Answer& answer, const std::string& what,
                            Holds holds, Value operand) {
  Operation op = operation(answer, what);
  op.invoked_ns = answer.attempted_ns;
  op.holds = holds;
  op.operand = operand;
  shared_.history.add(name, std::move(op));
}

void SimClient::record_write(const std::string& name, const Answer& answer, const std::string& what,
                             Holds holds, Value operand, Value written) {
  if (answer.refused()) return;
  if (!answer.ok() && !answer.reply.sent && !answer.doubtful) return;  // Never left this client.
  Operation op = operation(answer, what);
  op.holds = holds;
  op.operand = operand;
  op.writes = true;
  op.written = written;
  if (!answer.ok()) op.returned_ns = kNever;
  shared_.history.add(name, std::move(op));
}

void SimClient::record_bucket(const std::string& bucket, const Answer& answer,
                              const std::string& what) {
  if (!answer.reply.answered || answer.reply.status >= 500) return;
  if (shared_.lasting.contains(bucket)) {
    if (answer.reply.code == "NoSuchBucket") shared_.violate("A bucket is gone: " + what, bucket);
    return;
  }
  if (answer.reply.code == "NoSuchBucket")
    record_read(bucket, answer, what, Holds::is, kAbsent);
  else if (answer.ok() || answer.reply.code == "NoSuchKey" || answer.reply.status == 412)
    record_read(bucket, answer, what, Holds::is_present, kAbsent);
}

std::pair<Holds, Value> SimClient::draw_condition(const std::string& name, S3Request* request,
                                                  bool create) {
  const std::pair<Holds, Value> none{Holds::anything, kAbsent};
  if (!create && random_.pick(100) >= shared_.options.condition_percent) return none;
  switch (create ? 0 : random_.pick(2)) {
    case 0:
      request->headers.emplace_back("if-none-match", "*");
      return {Holds::is, kAbsent};
    default: {
      auto seen = last_seen_.find(name);
      if (seen == last_seen_.end() || seen->second == kAbsent) return none;
      const std::string& etag = shared_.etags[seen->second];
      if (value_of(name, etag) != seen->second) return none;
      request->headers.emplace_back("if-match", "\"" + etag + "\"");
      return {Holds::is, seen->second};
    }
  }
}

void SimClient::record_conditional(const std::string& bucket, const std::string& name,
                                   const Answer& answer, const std::string& what,
                                   std::pair<Holds, Value> demanded, Value written) {
  auto [holds, operand] = demanded;
  const bool create = holds == Holds::is && operand == kAbsent;
  const bool match = holds == Holds::is && operand != kAbsent;
  // Another value has got the same ETag meanwhile: the condition says less.
  const bool vague = match && value_of(name, shared_.etags[operand]) != operand;
  if (vague) holds = Holds::is_present;
  record_bucket(bucket, answer, what);
  record_write(name, answer, what, holds, operand, written);
  if (!answer.refused()) return;
  const bool no_bucket = answer.is(404, "NoSuchBucket");
  const bool failed = answer.is(412, "");
  const bool no_key = answer.is(404, "NoSuchKey");
  const bool allowed = answer.is(409, "ConditionalRequestConflict") || no_bucket ||
                       (failed && (create || match)) || (no_key && match);
  expect(allowed, answer, what, name);
  if (failed && create) {
    probe("If-None-Match refused");
    record_read(name, answer, what, Holds::is_present, kAbsent);
  } else if (failed && match) {
    probe("If-Match refused");
    record_read(name, answer, what, vague ? Holds::is_present : Holds::is_another, operand);
  } else if (no_key || no_bucket) {
    record_read(name, answer, what, Holds::is, kAbsent);
  }
}

void SimClient::expect(bool allowed, const Answer& answer, const std::string& what,
                       const std::string& name) {
  if (allowed || !answer.reply.answered || answer.ok() || answer.reply.status >= 500) return;
  // The server gave up on a body that came too slowly or not at all.
  if (answer.reply.code == "RequestTimeout" || answer.reply.code == "IncompleteBody") return;
  if (answer.doubtful && answer.reply.status != 400 && answer.reply.status != 403) return;
  shared_.violate("An answer that no state of the store allows: " + what + " -> " +
                      status_text(answer) + " " + answer.reply.body.substr(0, 400),
                  name);
}

std::optional<Value> SimClient::judge_object(const std::string& name, const Answer& answer,
                                             bool has_body) {
  const S3Reply& reply = answer.reply;
  const auto parsed = s3::parse_decimal(reply.headers.get("x-amz-meta-value"));
  if (!parsed || !shared_.history.knows(*parsed)) {
    shared_.violate("An object has metadata that nobody wrote: x-amz-meta-value is '" +
                        std::string(reply.headers.get("x-amz-meta-value")) + "'",
                    name);
    return std::nullopt;
  }
  const Value value = *parsed;
  const Content& content = shared_.history.content(value);
  const std::string etag = unquoted(reply.headers.get("etag"));
  if (etag != shared_.etags[value])
    shared_.violate("Value " + std::to_string(value) + " has ETag " + etag + " instead of " +
                        shared_.etags[value],
                    name);
  uint64_t from = 0, length = content.size_bytes();
  if (reply.status == 206) {
    unsigned long long first = 0, last = 0, total = 0;
    const std::string range(reply.headers.get("content-range"));
    if (std::sscanf(range.c_str(), "bytes %llu-%llu/%llu", &first, &last, &total) != 3 ||
        total != content.size_bytes() || first > last || last >= total) {
      shared_.violate("Content-Range of value " + std::to_string(value) + " is wrong: " + range,
                      name);
      return value;
    }
    from = first;
    length = last - first + 1;
  }
  const auto told = s3::parse_decimal(reply.headers.get("content-length"));
  if (told != length || (has_body && reply.body != content.bytes(from, length)))
    shared_.violate("Wrong bytes: value " + std::to_string(value) + " from byte " +
                        std::to_string(from) + ", " + std::to_string(length) + " bytes long",
                    name);
  return value;
}

Value SimClient::new_value(const std::string& name, Content content, std::string etag) {
  const Value value = shared_.history.new_value(std::move(content));
  if (!etag.empty()) {
    shared_.by_etag[{name, etag}].insert(value);
    shared_.etags[value] = std::move(etag);
  }
  return value;
}

std::optional<Value> SimClient::value_of(const std::string& name, const std::string& etag) const {
  auto it = shared_.by_etag.find({name, etag});
  if (it == shared_.by_etag.end() || it->second.size() != 1) return std::nullopt;
  return *it->second.begin();
}

uint64_t SimClient::draw_size() {
  switch (random_.pick(16)) {
    case 0:
      return random_.pick(16);
    case 1:
      return static_cast<uint64_t>(random_.between(16 * 1024 - 3, 16 * 1024 + 3));
    case 2:
    case 3:
      return random_.pick(140 * 1024);
    case 4:
      return random_.pick(shared_.options.large_bytes);
    default:
      return 16 + random_.pick(5000);
  }
}

std::string SimClient::draw_key(const std::string& bucket) {
  const auto& keys = shared_.keys[bucket];
  size_t choices = keys.size();
  const bool hot = random_.pick(100) < shared_.options.hot_percent;
  // Hot keys sort first: their names begin with a digit.
  if (hot) choices = std::min<size_t>(choices, shared_.options.hot_keys);
  auto it = keys.begin();
  std::advance(it, static_cast<ptrdiff_t>(random_.pick(choices)));
  return *it;
}

void SimClient::draw_form(S3Request* request) {
  constexpr BodyForm kForms[] = {BodyForm::hash, BodyForm::unsigned_payload, BodyForm::chunked,
                                 BodyForm::chunked_trailer};
  request->form = kForms[random_.pick(4)];
  request->expect_continue = random_.pick(4) == 0;
  if (!shared_.at_rest && random_.pick(50) == 0) {
    request->abandon_after = random_.pick(request->body.size() + 1);
    probe("body abandoned");
  }
}

}  // namespace kura::sim
