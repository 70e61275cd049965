#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "s3/codec/uri.h"
#include "sim/sim_client.h"

namespace kura::sim {
namespace {

S3Request request_of(std::string method, std::string bucket, std::string key) {
  S3Request request;
  request.method = std::move(method);
  request.bucket = std::move(bucket);
  request.key = std::move(key);
  return request;
}

}  // namespace

Task<void> SimClient::put(std::string bucket, std::string key, bool create) {
  const std::string name = bucket + "/" + key;
  S3Request request = request_of("PUT", bucket, key);
  Content content{{{random_.draw(), draw_size()}}};
  request.body = content.bytes();
  const std::string etag = s3::hex_encode(s3::md5_of(request.body));
  const Value value = new_value(name, std::move(content), etag);
  request.headers.emplace_back("x-amz-meta-value", std::to_string(value));
  if (random_.pick(4) == 0)
    request.headers.emplace_back("content-md5", s3::base64_encode(s3::md5_of(request.body)));
  const auto demanded = draw_condition(name, &request, create);
  draw_form(&request);
  const std::string what = demanded.first == Holds::anything ? "PUT" : "conditional PUT";
  S3Request again = request;
  Answer answer = co_await perform(std::move(request));
  record_conditional(bucket, name, answer, what, demanded, value);
  if (!answer.ok()) co_return;
  last_seen_[name] = value;
  if (answer.reply.headers.get("etag") != "\"" + etag + "\"")
    shared_.violate("PUT answered with the ETag of other bytes: " +
                        std::string(answer.reply.headers.get("etag")),
                    name);
  if (shared_.lasting.contains(bucket) && random_.pick(100) < shared_.options.repeat_percent)
    co_await repeat(std::move(again), name);
}

Task<void> SimClient::get(std::string bucket, std::string key) {
  const std::string name = bucket + "/" + key;
  S3Request request = request_of("GET", bucket, key);
  std::optional<Value> unless;
  bool ranged = false;
  const uint64_t kind = shared_.at_rest ? 0 : random_.pick(6);
  if (kind == 1 || kind == 2) {
    ranged = true;
    const uint64_t first = random_.pick(kind == 1 ? 2000 : 100'000);
    std::string range = "bytes=" + std::to_string(first) + "-";
    if (random_.pick(2) == 0) range += std::to_string(first + random_.pick(10'000));
    if (random_.pick(8) == 0) range = "bytes=-" + std::to_string(1 + random_.pick(5000));
    request.headers.emplace_back("range", range);
  }
  if (auto seen = last_seen_.find(name); kind == 3 && seen != last_seen_.end() && seen->second) {
    unless = value_of(name, shared_.etags[seen->second]);
    if (unless) request.headers.emplace_back("if-none-match", "\"" + shared_.etags[*unless] + "\"");
  }
  Answer answer = co_await perform(std::move(request));
  record_bucket(bucket, answer, "GET");
  const bool absent = answer.is(404, "NoSuchKey") || answer.is(404, "NoSuchBucket");
  const bool same = answer.is(304, "") && unless;
  const bool beyond = answer.is(416, "") && ranged;
  expect(absent || same || beyond, answer, "GET", name);
  if (absent) record_read(name, answer, "GET", Holds::is, kAbsent);
  if (absent) last_seen_[name] = kAbsent;
  // A copy may have got the same ETag meanwhile: then 304 says less.
  const bool vague = same && value_of(name, shared_.etags[*unless]) != *unless;
  if (same) record_read(name, answer, "GET", vague ? Holds::is_present : Holds::is, *unless);
  if (beyond) record_read(name, answer, "GET", Holds::is_present, kAbsent);
  if (!answer.ok()) co_return;
  auto value = judge_object(name, answer, true);
  if (!value) co_return;
  record_read(name, answer, ranged ? "GET of a range" : "GET", Holds::is, *value);
  last_seen_[name] = *value;
  if (ranged && answer.reply.status != 206)
    shared_.violate("A range was asked for, and the whole object came", name);
}

Task<void> SimClient::head(std::string bucket, std::string key) {
  const std::string name = bucket + "/" + key;
  S3Request request = request_of("HEAD", bucket, key);
  Answer answer = co_await perform(std::move(request));
  expect(answer.is(404, ""), answer, "HEAD", name);
  if (answer.is(404, "")) record_read(name, answer, "HEAD", Holds::is, kAbsent);
  if (!answer.ok()) co_return;
  record_bucket(bucket, answer, "HEAD");
  auto value = judge_object(name, answer, false);
  if (!value) co_return;
  record_read(name, answer, "HEAD", Holds::is, *value);
  last_seen_[name] = *value;
}

Task<void> SimClient::remove(std::string bucket, std::string key) {
  const std::string name = bucket + "/" + key;
  S3Request request = request_of("DELETE", bucket, key);
  Answer answer = co_await perform(std::move(request));
  record_bucket(bucket, answer, "DELETE");
  record_write(name, answer, "DELETE", Holds::anything, kAbsent, kAbsent);
  expect(answer.is(404, "NoSuchBucket"), answer, "DELETE", name);
  if (answer.ok()) last_seen_[name] = kAbsent;
  if (!answer.ok() || !answer.doubtful) co_return;
  // A removal that finds nothing leaves no trace by which a late first attempt could be known.
  Answer earlier = answer;
  earlier.reply = S3Reply{.sent = true};
  record_write(name, earlier, "DELETE, first attempts", Holds::anything, kAbsent, kAbsent);
}

Task<void> SimClient::remove_many(std::string bucket) {
  S3Request request = request_of("POST", bucket, "");
  request.query.emplace_back("delete", "");
  std::set<std::string> chosen;
  for (uint64_t i = 0, n = 1 + random_.pick(5); i < n; ++i) chosen.insert(draw_key(bucket));
  std::string& xml = request.body;
  xml = "<Delete>";
  for (const std::string& key : chosen) {
    xml += "<Object><Key>";
    for (char c : key) {
      if (c == '&')
        xml += "&amp;";
      else if (c == '<')
        xml += "&lt;";
      else if (c == '>')
        xml += "&gt;";
      else
        xml += c;
    }
    xml += "</Key></Object>";
  }
  xml += "</Delete>";
  request.headers.emplace_back("content-md5", s3::base64_encode(s3::md5_of(xml)));
  Answer answer = co_await perform(std::move(request));
  record_bucket(bucket, answer, "DeleteObjects");
  expect(answer.is(404, "NoSuchBucket"), answer, "DeleteObjects", bucket);
  std::set<std::string> deleted;
  for (std::string_view one : xml_elements(answer.reply.body, "Deleted"))
    deleted.insert(xml_text(one, "Key"));
  for (const std::string& key : chosen) {
    Answer each = answer;
    const bool acknowledged = answer.ok() && deleted.contains(key);
    if (answer.ok() && !acknowledged) each.reply = S3Reply{.sent = true};  // An <Error>: unknown.
    const std::string name = bucket + "/" + key;
    record_write(name, each, "DeleteObjects", Holds::anything, kAbsent, kAbsent);
    if (acknowledged) last_seen_[name] = kAbsent;
    if (acknowledged && answer.doubtful) {
      each.reply = S3Reply{.sent = true};
      record_write(name, each, "DeleteObjects, first attempts", Holds::anything, kAbsent, kAbsent);
    }
  }
  if (answer.ok()) probe("several keys deleted at once");
}

Task<void> SimClient::copy(std::string bucket, std::string from, std::string to) {
  const std::string source = bucket + "/" + from;
  const std::string name = bucket + "/" + to;
  auto seen = last_seen_.find(source);
  if (seen == last_seen_.end() || seen->second == kAbsent) co_return;
  const Value original = seen->second;
  if (value_of(source, shared_.etags[original]) != original) co_return;
  S3Request request = request_of("PUT", bucket, to);
  const Content content = shared_.history.content(original);
  // Whatever the source was made of, a copy has the MD5 of its bytes as its ETag.
  const Value value = new_value(name, content, s3::hex_encode(s3::md5_of(content.bytes())));
  request.headers.emplace_back("x-amz-copy-source", "/" + s3::percent_encode(source, true));
  request.headers.emplace_back("x-amz-copy-source-if-match", "\"" + shared_.etags[original] + "\"");
  request.headers.emplace_back("x-amz-metadata-directive", "REPLACE");
  request.headers.emplace_back("x-amz-meta-value", std::to_string(value));
  Answer answer = co_await perform(std::move(request));
  const bool failed = answer.is(412, ""), no_key = answer.is(404, "NoSuchKey");
  expect(failed || no_key, answer, "CopyObject", name);
  record_write(name, answer, "CopyObject of value " + std::to_string(original), Holds::anything,
               kAbsent, value);
  const bool unique = value_of(source, shared_.etags[original]) == original;
  // Of a retried copy it is not known which attempt read the source.
  if (answer.ok() && unique && !answer.doubtful)
    record_read(source, answer, "source of CopyObject", Holds::is, original);
  if (answer.ok()) last_seen_[name] = value;
  if (answer.ok()) probe("copied");
  if (answer.refused() && no_key)
    record_read(source, answer, "source of CopyObject", Holds::is, kAbsent);
  if (answer.refused() && failed && unique)
    record_read(source, answer, "source of CopyObject", Holds::is_another, original);
}

}  // namespace kura::sim
