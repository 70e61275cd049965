// RequestMetrics: requests by operation and code, and their latency, as Prometheus text
// (prometheus.io/docs/instrumenting/exposition_formats). And the request log's line.

#pragma once

#include <array>
#include <map>
#include <mutex>
#include <string>

#include "s3/http/session.h"

namespace kura::admin {

class RequestMetrics {
 public:
  void count(const s3::RequestLogEntry& entry);  // From any thread.
  std::string text() const;

 private:
  // Upper bounds in microseconds; more is +Inf.
  static constexpr std::array<uint64_t, 12> kBounds{
      100, 250, 500, 1000, 2500, 5000, 10'000, 25'000, 100'000, 500'000, 2'500'000, 10'000'000};
  struct Latency {
    std::array<uint64_t, kBounds.size() + 1> counts{};
    uint64_t sum_ns = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, uint64_t> requests_;  // By operation, code.
  std::map<std::string, Latency> latency_;                            // By operation.
  uint64_t bytes_in_ = 0, bytes_out_ = 0;
};

// One JSON object without line end.
std::string log_text(const s3::RequestLogEntry& entry);

}  // namespace kura::admin
