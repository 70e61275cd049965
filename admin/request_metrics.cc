#include "admin/request_metrics.h"

#include <charconv>
#include <string_view>

#include "s3/codec/time.h"

namespace kura::admin {
namespace {

// One JSON object of a request log: built for each request, so in one string without copies.
class LogLine {
 public:
  LogLine() { out_.reserve(512); }

  LogLine& text(std::string_view name, std::string_view value) {
    begin(name);
    out_ += '"';
    quote(value);
    out_ += '"';
    return *this;
  }
  LogLine& number(std::string_view name, int64_t value) {
    char digits[24];
    begin(name);
    out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    return *this;
  }
  LogLine& boolean(std::string_view name, bool value) {
    begin(name);
    out_ += value ? "true" : "false";
    return *this;
  }
  std::string finish() {
    out_ += '}';
    return std::move(out_);
  }

 private:
  void begin(std::string_view name) {
    out_ += out_.empty() ? "{\"" : ",\"";
    out_ += name;
    out_ += "\":";
  }

  // RFC 8259; bytes that are no UTF-8 come from percent-encoded targets only as escapes.
  void quote(std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    size_t plain = 0;  // Where the run begins that stays as it is.
    for (size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') continue;
      out_ += text.substr(plain, i - plain);
      plain = i + 1;
      if (byte == '"' || byte == '\\')
        (out_ += '\\') += text[i];
      else
        ((out_ += "\\u00") += kHex[byte >> 4]) += kHex[byte & 15];
    }
    out_ += text.substr(plain);
  }

  std::string out_;
};

std::string seconds(uint64_t us) {
  std::string text = std::to_string(static_cast<double>(us) / 1e6);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

void RequestMetrics::count(size_t shard, const s3::RequestLogEntry& entry) {
  const std::string operation = entry.operation.empty() ? "none" : entry.operation;
  const std::string code =
      entry.error_code.empty() ? std::to_string(entry.status) : entry.error_code;
  const auto us = static_cast<uint64_t>(entry.duration_ns / 1000);
  std::lock_guard lock(shards_[shard].mutex);
  Counts& counts = shards_[shard].counts;
  ++counts.requests[{operation, code}];
  Latency& latency = counts.latency[operation];
  size_t slot = 0;
  while (slot < kBounds.size() && us > kBounds[slot]) ++slot;
  ++latency.counts[slot];
  latency.sum_ns += static_cast<uint64_t>(entry.duration_ns);
  counts.bytes_in += entry.bytes_in;
  counts.bytes_out += entry.bytes_out;
}

RequestMetrics::Counts RequestMetrics::total() const {
  Counts total;
  for (const Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    for (const auto& [labels, count] : shard.counts.requests) total.requests[labels] += count;
    for (const auto& [operation, latency] : shard.counts.latency) {
      Latency& sum = total.latency[operation];
      for (size_t i = 0; i < sum.counts.size(); ++i) sum.counts[i] += latency.counts[i];
      sum.sum_ns += latency.sum_ns;
    }
    total.bytes_in += shard.counts.bytes_in;
    total.bytes_out += shard.counts.bytes_out;
  }
  return total;
}

std::string RequestMetrics::text() const {
  const Counts counts = total();
  std::string out =
      "# HELP kura_s3_requests_total Requests answered.\n# TYPE kura_s3_requests_total counter\n";
  for (const auto& [labels, count] : counts.requests)
    out += "kura_s3_requests_total{api=\"" + labels.first + "\",code=\"" + labels.second + "\"} " +
           std::to_string(count) + "\n";
  out +=
      "# HELP kura_s3_request_duration_seconds From the whole head to the last byte.\n"
      "# TYPE kura_s3_request_duration_seconds histogram\n";
  for (const auto& [operation, latency] : counts.latency) {
    const std::string name = "kura_s3_request_duration_seconds";
    uint64_t sum = 0;
    for (size_t i = 0; i < latency.counts.size(); ++i) {
      sum += latency.counts[i];
      const std::string bound = i < kBounds.size() ? seconds(kBounds[i]) : "+Inf";
      out += name + "_bucket{api=\"" + operation + "\",le=\"" + bound + "\"} " +
             std::to_string(sum) + "\n";
    }
    out += name + "_sum{api=\"" + operation + "\"} " + seconds(latency.sum_ns / 1000) + "\n";
    out += name + "_count{api=\"" + operation + "\"} " + std::to_string(sum) + "\n";
  }
  out +=
      "# HELP kura_s3_received_bytes_total Bytes received from clients.\n"
      "# TYPE kura_s3_received_bytes_total counter\nkura_s3_received_bytes_total " +
      std::to_string(counts.bytes_in) +
      "\n# HELP kura_s3_sent_bytes_total Bytes sent to clients.\n"
      "# TYPE kura_s3_sent_bytes_total counter\nkura_s3_sent_bytes_total " +
      std::to_string(counts.bytes_out) + "\n";
  return out;
}

std::string log_text(const s3::RequestLogEntry& e) {
  return LogLine()
      .text("time", s3::iso8601(e.answered_ms))
      .text("requestId", e.request_id)
      .text("remote", e.peer)
      .text("method", e.method)
      .text("target", e.target)
      .text("operation", e.operation)
      .text("accessKey", e.access_key)
      .number("status", e.status)
      .text("error", e.error_code)
      .text("cause", e.cause)
      .boolean("complete", e.complete)
      .number("bytesIn", static_cast<int64_t>(e.bytes_in))
      .number("bytesOut", static_cast<int64_t>(e.bytes_out))
      .number("durationUs", e.duration_ns / 1000)
      .finish();
}

}  // namespace kura::admin
