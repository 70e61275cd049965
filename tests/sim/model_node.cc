#include "tests/sim/model_node.h"

#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "s3/codec/uri.h"
#include "s3/codec/xml_writer.h"

namespace kura::sim {
namespace {

std::string etag_of(const std::string& body) { return s3::hex_encode(s3::md5_of(body)); }

std::string unchunked(std::string_view in) {
  std::string out;
  while (true) {
    const size_t size = std::strtoull(std::string(in.substr(0, 20)).c_str(), nullptr, 16);
    const size_t line = in.find("\r\n");
    if (size == 0 || line == std::string_view::npos) return out;
    out += in.substr(line + 2, size);
    in.remove_prefix(line + 2 + size + 2);
  }
}

std::string escaped(const std::string& text) {
  std::string out;
  s3::append_xml_escaped(&out, text);
  return out;
}

}  // namespace

ModelNode::ModelNode(NodeParts parts)
    : parts_(std::move(parts)), random_(parts_.random), clock_(parts_.world) {}

ModelNode::~ModelNode() {
  if (running()) crash(Unsynced::kept);
}

void ModelNode::start() {
  host_ = parts_.network.new_host();
  loop_ = std::make_unique<SimLoop>(parts_.world, "model", clock_);
  acceptor_ = parts_.network.listen(host_, parts_.address);
  spawn(*loop_, accept_all());
}

void ModelNode::crash(Unsynced) {
  if (!running()) return;
  parts_.network.crash(host_);
  loop_->stop();
  destroy_spawned_tasks(*loop_);
  acceptor_ = nullptr;
  loop_ = nullptr;
  if (planted("ack-before-sync")) state_ = synced_;
}

bool ModelNode::stop() {
  crash(Unsynced::kept);
  return true;
}

std::optional<CountedBucket> ModelNode::count(const std::string& bucket) {
  auto it = state_.buckets.find(bucket);
  if (it == state_.buckets.end()) return std::nullopt;
  CountedBucket out;
  out.objects = static_cast<uint64_t>(it->second.counted);
  out.uploads = it->second.uploads.size();
  for (const auto& [key, object] : it->second.objects) out.bytes += object.body.size();
  return out;
}

Task<void> ModelNode::accept_all() {
  while (true) {
    auto stream = co_await acceptor_->accept();
    if (!stream) co_return;
    spawn(*loop_, serve(std::move(*stream)));
  }
}

Task<bool> ModelNode::receive(Stream* stream, std::string* buffer, Call* call) {
  std::string chunk(64 * 1024, '\0');
  size_t head_end;
  while ((head_end = buffer->find("\r\n\r\n")) == std::string::npos) {
    Result<size_t> n = co_await stream->read_some(chunk.data(), chunk.size());
    if (!n || *n == 0) co_return false;
    buffer->append(chunk.data(), *n);
  }
  const std::string head = buffer->substr(0, head_end + 2);
  buffer->erase(0, head_end + 4);
  const size_t a = head.find(' '), b = head.find(' ', a + 1);
  call->method = head.substr(0, a);
  const std::string target = head.substr(a + 1, b - a - 1);
  const size_t question = target.find('?');
  const std::string path =
      target.substr(1, question == std::string::npos ? question : question - 1);
  if (question != std::string::npos) {
    const auto params = s3::parse_query(target.substr(question + 1));
    for (const auto& [name, value] : *params) call->query[name] = value;
  }
  const size_t slash = path.find('/');
  call->bucket = path.substr(0, slash);
  if (slash != std::string::npos) call->key = *s3::percent_decode(path.substr(slash + 1), false);
  for (size_t at = head.find("\r\n") + 2; at < head.size();) {
    const size_t end = head.find("\r\n", at), colon = head.find(": ", at);
    call->headers[head.substr(at, colon - at)] = head.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  if (call->headers.contains("expect")) {
    std::vector<std::string_view> go_on{"HTTP/1.1 100 Continue\r\n\r\n"};
    Result<void> sent = co_await stream->write(std::move(go_on));
    if (!sent) co_return false;
  }
  const size_t length = s3::parse_decimal(call->header("content-length")).value_or(0);
  while (buffer->size() < length) {
    Result<size_t> n = co_await stream->read_some(chunk.data(), chunk.size());
    if (!n || *n == 0) co_return false;
    buffer->append(chunk.data(), *n);
  }
  call->body = buffer->substr(0, length);
  buffer->erase(0, length);
  if (call->header("content-encoding") == "aws-chunked") call->body = unchunked(call->body);
  co_return true;
}

Task<void> ModelNode::serve(std::unique_ptr<Stream> stream) {
  std::string buffer;
  while (true) {
    Call call;
    const bool received = co_await receive(stream.get(), &buffer, &call);
    if (!received) co_return;
    auto bucket = state_.buckets.find(call.bucket);
    const bool judged_early = planted("two-winners") && call.headers.contains("if-none-match") &&
                              call.method == "PUT" && bucket != state_.buckets.end() &&
                              !bucket->second.objects.contains(call.key);
    co_await sleep_for(random_.exponential(2 * kMillisecond));
    if (judged_early) call.headers.erase("if-none-match");
    const std::string id = call.header("amz-sdk-invocation-id");
    const bool known = state_.done.contains(id) && !planted("no-request-ids");
    const Reply reply = known ? state_.done[id] : apply(call);
    if (reply.status < 300 && call.method != "GET" && call.method != "HEAD")
      state_.done.emplace(id, reply);
    if (planted("ack-before-sync")) sync_soon();
    co_await sleep_for(random_.exponential(kMillisecond));
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " X\r\n" + reply.headers;
    if (call.method != "HEAD" || !reply.headers.empty())
      text += "content-length: " + std::to_string(reply.body.size()) + "\r\n";
    text += "\r\n";
    if (call.method != "HEAD" && reply.status != 204 && reply.status != 304) text += reply.body;
    std::vector<std::string_view> pieces{text};
    Result<void> sent = co_await stream->write(std::move(pieces));
    if (!sent) co_return;
  }
}

void ModelNode::sync_soon() {
  loop_->timer().after(3 * kMillisecond, [this] { synced_ = state_; });
}

namespace {

std::string error_xml(const std::string& code) {
  return "<Error><Code>" + code + "</Code></Error>";
}

}  // namespace

ModelNode::Reply ModelNode::apply(const Call& call) {
  if (call.key.empty() && call.method == "PUT") {
    if (state_.buckets.contains(call.bucket))
      return {409, "", error_xml("BucketAlreadyOwnedByYou")};
    state_.buckets[call.bucket] = {};
    return {200, "", ""};
  }
  auto it = state_.buckets.find(call.bucket);
  if (it == state_.buckets.end()) return {404, "", error_xml("NoSuchBucket")};
  Bucket& bucket = it->second;
  if (!call.key.empty())
    return call.has("uploads") || call.has("uploadId") ? upload_call(call, bucket)
                                                       : object_call(call, bucket);
  if (call.method == "HEAD") return {200, "x-model: 1\r\n", ""};
  if (call.method == "DELETE") {
    if (!bucket.objects.empty()) return {409, "", error_xml("BucketNotEmpty")};
    state_.buckets.erase(it);
    return {204, "", ""};
  }
  if (call.method == "POST") {
    Reply reply{200, "", "<DeleteResult>"};
    for (std::string_view one : xml_elements(call.body, "Object")) {
      const std::string key = xml_text(one, "Key");
      if (bucket.objects.erase(key)) --bucket.counted;
      reply.body += "<Deleted><Key>" + escaped(key) + "</Key></Deleted>";
    }
    reply.body += "</DeleteResult>";
    return reply;
  }
  if (call.has("uploads")) {
    Reply reply{200, "", "<IsTruncated>false</IsTruncated>"};
    for (size_t i = 0; i < bucket.uploads.size(); ++i) reply.body += "<Upload></Upload>";
    return reply;
  }
  return list(call, bucket);
}

void ModelNode::store(Bucket& bucket, const std::string& key, Object object) {
  auto it = bucket.objects.find(key);
  if (it == bucket.objects.end())
    ++bucket.counted;
  else
    before_[it->second.etag + key] = it->second;
  bucket.objects[key] = std::move(object);
}

ModelNode::Reply ModelNode::object_call(const Call& call, Bucket& bucket) {
  auto it = bucket.objects.find(call.key);
  const bool there = it != bucket.objects.end();
  if (call.method == "DELETE") {
    if (there) {
      bucket.objects.erase(it);
      if (!planted("wrong-counters") || random_.pick(8)) --bucket.counted;
    }
    return {204, "", ""};
  }
  if (call.method == "PUT") {
    if (call.headers.contains("if-none-match") && there)
      return {412, "", error_xml("PreconditionFailed")};
    const std::string match = call.header("if-match");
    if (!match.empty() && !there) return {404, "", error_xml("NoSuchKey")};
    if (!match.empty() && match != "\"" + it->second.etag + "\"")
      return {412, "", error_xml("PreconditionFailed")};
    Object object{call.body, etag_of(call.body), call.header("x-amz-meta-value")};
    if (call.headers.contains("x-amz-copy-source")) {
      const std::string source = *s3::percent_decode(call.header("x-amz-copy-source"), false);
      auto from = bucket.objects.find(source.substr(call.bucket.size() + 2));
      if (from == bucket.objects.end()) return {404, "", error_xml("NoSuchKey")};
      if (call.header("x-amz-copy-source-if-match") != "\"" + from->second.etag + "\"")
        return {412, "", error_xml("PreconditionFailed")};
      object.body = from->second.body;
      object.etag = etag_of(object.body);
    }
    Reply reply{200, "etag: \"" + object.etag + "\"\r\n", ""};
    store(bucket, call.key, std::move(object));
    return reply;
  }
  if (!there) return {404, "", error_xml("NoSuchKey")};
  Object object = it->second;
  if (planted("stale-read") && random_.pick(20) == 0) {
    for (auto& [name, old] : before_)
      if (name.ends_with(call.key)) object = old;
  }
  if (planted("wrong-bytes") && random_.pick(50) == 0 && !object.body.empty()) object.body[0] ^= 1;
  Reply reply{200, "etag: \"" + object.etag + "\"\r\nx-amz-meta-value: " + object.value + "\r\n",
              object.body};
  if (call.header("if-none-match") == "\"" + object.etag + "\"") return {304, reply.headers, ""};
  std::string range = call.header("range");
  if (range.empty()) return reply;
  size_t first = 0, last = object.body.size() - 1;
  if (range.starts_with("bytes=-")) {
    const size_t n = *s3::parse_decimal(range.substr(7));
    first = n < object.body.size() ? object.body.size() - n : 0;
  } else {
    const size_t dash = range.find('-');
    first = *s3::parse_decimal(range.substr(6, dash - 6));
    if (dash + 1 < range.size()) last = std::min(last, *s3::parse_decimal(range.substr(dash + 1)));
  }
  if (first >= object.body.size()) return {416, "", error_xml("InvalidRange")};
  reply.status = 206;
  reply.headers += "content-range: bytes " + std::to_string(first) + "-" + std::to_string(last) +
                   "/" + std::to_string(object.body.size()) + "\r\n";
  reply.body = object.body.substr(first, last - first + 1);
  return reply;
}

ModelNode::Reply ModelNode::upload_call(const Call& call, Bucket& bucket) {
  if (call.has("uploads")) {
    const std::string id = "upload" + std::to_string(++state_.uploads);
    bucket.uploads[id] = {call.key, call.header("x-amz-meta-value"), {}};
    return {200, "", "<UploadId>" + id + "</UploadId>"};
  }
  auto it = bucket.uploads.find(call.get("uploadId"));
  if (it == bucket.uploads.end()) return {404, "", error_xml("NoSuchUpload")};
  if (call.method == "DELETE") {
    bucket.uploads.erase(it);
    return {204, "", ""};
  }
  if (call.method == "PUT") {
    Object part{call.body, etag_of(call.body), ""};
    Reply reply{200, "etag: \"" + part.etag + "\"\r\n", ""};
    it->second.parts[std::stoi(call.get("partNumber"))] = std::move(part);
    return reply;
  }
  auto existing = bucket.objects.find(call.key);
  const bool there = existing != bucket.objects.end();
  if (call.headers.contains("if-none-match") && there)
    return {412, "", error_xml("PreconditionFailed")};
  const std::string match = call.header("if-match");
  if (!match.empty() && !there) return {404, "", error_xml("NoSuchKey")};
  if (!match.empty() && match != "\"" + existing->second.etag + "\"")
    return {412, "", error_xml("PreconditionFailed")};
  Object object{"", "", it->second.value};
  std::string digests;
  for (const auto& [number, part] : it->second.parts) {
    if (planted("half-upload")) object.body.clear();
    object.body += part.body;
    digests += *s3::hex_decode(part.etag);
  }
  object.etag = etag_of(digests) + "-" + std::to_string(it->second.parts.size());
  Reply reply{200, "", "<ETag>&quot;" + object.etag + "&quot;</ETag>"};
  bucket.uploads.erase(it);
  store(bucket, call.key, std::move(object));
  return reply;
}

ModelNode::Reply ModelNode::list(const Call& call, const Bucket& bucket) {
  const std::string prefix = call.get("prefix"), delimiter = call.get("delimiter");
  const std::string after = call.has("continuation-token")
                                ? *s3::hex_decode(call.get("continuation-token"))
                                : call.get("start-after");
  const bool encode = call.has("encoding-type");
  const size_t keys_max = s3::parse_decimal(call.get("max-keys")).value_or(1000);
  bool skip = planted("skip-in-listing") && random_.pick(10) == 0;
  Reply reply{200, "", "<ListBucketResult>"};
  std::string last;
  size_t shown = 0;
  bool truncated = false;
  for (const auto& [key, object] : bucket.objects) {
    if (!key.starts_with(prefix)) continue;
    const size_t at = delimiter.empty() ? std::string::npos : key.find(delimiter, prefix.size());
    const std::string name = at == std::string::npos ? key : key.substr(0, at + delimiter.size());
    if (name <= after || name == last) continue;
    if (std::exchange(skip, false)) continue;
    if (shown == keys_max) {
      truncated = true;
      break;
    }
    last = name;
    ++shown;
    const std::string text = escaped(s3::list_text(name, encode));
    if (name != key || at != std::string::npos)
      reply.body += "<CommonPrefixes><Prefix>" + text + "</Prefix></CommonPrefixes>";
    else
      reply.body += "<Contents><Key>" + text + "</Key><ETag>&quot;" + object.etag +
                    "&quot;</ETag><Size>" + std::to_string(object.body.size()) +
                    "</Size></Contents>";
  }
  reply.body += std::string("<IsTruncated>") + (truncated ? "true" : "false") + "</IsTruncated>";
  if (truncated)
    reply.body += "<NextContinuationToken>" + s3::hex_encode(last) + "</NextContinuationToken>";
  reply.body += "</ListBucketResult>";
  return reply;
}

std::unique_ptr<SimNode> make_model_node(NodeParts parts) {
  return std::make_unique<ModelNode>(std::move(parts));
}

}  // namespace kura::sim
