// RequestMetrics: requests by operation and code, and their latency, as Prometheus text
// (prometheus.io/docs/instrumenting/exposition_formats). And the request log's line.

#pragma once

#include <array>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "s3/http/session.h"

namespace kura::admin {

class RequestMetrics {
 public:
  // `shards`: threads that count(), each in a shard of its own, so that none waits for another.
  explicit RequestMetrics(size_t shards) : shards_(shards) {}
  void count(size_t shard, const s3::RequestLogEntry& entry);
  std::string text() const;  // From any thread.

 private:
  // Upper bounds in microseconds; more is +Inf.
  static constexpr std::array<uint64_t, 12> kBounds{
      100, 250, 500, 1000, 2500, 5000, 10'000, 25'000, 100'000, 500'000, 2'500'000, 10'000'000};
  struct Latency {
    std::array<uint64_t, kBounds.size() + 1> counts{};
    uint64_t sum_ns = 0;
  };
  struct Counts {
    std::map<std::pair<std::string, std::string>, uint64_t> requests;  // By operation, code.
    std::map<std::string, Latency> latency;                            // By operation.
    uint64_t bytes_in = 0, bytes_out = 0;
  };
  struct Shard {
    mutable std::mutex mutex;  // Against text() alone.
    Counts counts;
  };
  Counts total() const;

  std::vector<Shard> shards_;
};

// One JSON object without line end.
std::string log_text(const s3::RequestLogEntry& entry);

}  // namespace kura::admin
