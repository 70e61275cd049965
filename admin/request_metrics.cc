#include "admin/request_metrics.h"

namespace kura::admin {
namespace {

// JSON string (RFC 8259); bytes that are no UTF-8 come from percent-encoded targets only as
// escapes.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      static constexpr char kHex[] = "0123456789abcdef";
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string seconds(uint64_t us) {
  std::string text = std::to_string(static_cast<double>(us) / 1e6);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

void RequestMetrics::count(const s3::RequestLogEntry& entry) {
  const std::string operation = entry.operation.empty() ? "none" : entry.operation;
  const std::string code =
      entry.error_code.empty() ? std::to_string(entry.status) : entry.error_code;
  const auto us = static_cast<uint64_t>(entry.duration_ns / 1000);
  std::lock_guard lock(mutex_);
  ++requests_[{operation, code}];
  Latency& latency = latency_[operation];
  size_t slot = 0;
  while (slot < kBounds.size() && us > kBounds[slot]) ++slot;
  ++latency.counts[slot];
  latency.sum_ns += static_cast<uint64_t>(entry.duration_ns);
  bytes_in_ += entry.bytes_in;
  bytes_out_ += entry.bytes_out;
}

std::string RequestMetrics::text() const {
  std::lock_guard lock(mutex_);
  std::string out =
      "# HELP kura_s3_requests_total Requests answered.\n# TYPE kura_s3_requests_total counter\n";
  for (const auto& [labels, count] : requests_)
    out += "kura_s3_requests_total{api=\"" + labels.first + "\",code=\"" + labels.second + "\"} " +
           std::to_string(count) + "\n";
  out +=
      "# HELP kura_s3_request_duration_seconds From the whole head to the last byte.\n"
      "# TYPE kura_s3_request_duration_seconds histogram\n";
  for (const auto& [operation, latency] : latency_) {
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
      std::to_string(bytes_in_) +
      "\n# HELP kura_s3_sent_bytes_total Bytes sent to clients.\n"
      "# TYPE kura_s3_sent_bytes_total counter\nkura_s3_sent_bytes_total " +
      std::to_string(bytes_out_) + "\n";
  return out;
}

std::string log_text(const s3::RequestLogEntry& e) {
  return "{\"requestId\":" + quoted(e.request_id) + ",\"remote\":" + quoted(e.peer) +
         ",\"method\":" + quoted(e.method) + ",\"target\":" + quoted(e.target) +
         ",\"operation\":" + quoted(e.operation) + ",\"accessKey\":" + quoted(e.access_key) +
         ",\"status\":" + std::to_string(e.status) + ",\"error\":" + quoted(e.error_code) +
         ",\"cause\":" + quoted(e.cause) + ",\"complete\":" + (e.complete ? "true" : "false") +
         ",\"bytesIn\":" + std::to_string(e.bytes_in) +
         ",\"bytesOut\":" + std::to_string(e.bytes_out) +
         ",\"durationUs\":" + std::to_string(e.duration_ns / 1000) + "}";
}

}  // namespace kura::admin
