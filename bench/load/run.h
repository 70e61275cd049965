// The loop: as many connections as asked for, each with one request in flight.
//
// Closed by default: a connection sends its next request when the last is answered. With a rate,
// each request has a time at which it is due, and its latency counts from then, so that a stalled
// server is not asked less and does not look better for it (no co-ordinated omission).

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/load/signer.h"
#include "bench/load/workload.h"

namespace kura::bench {

struct RunOptions {
  uint16_t port = 0;
  uint32_t connections = 64;
  double seconds = 0;         // No new request after so long; 0: no such end.
  uint64_t count = 0;         // Nor after so many; 0: no such end.
  double requests_per_s = 0;  // 0: closed loop.
};

struct Outcome {
  std::string
      error;  // Empty, or the first answer that no workload expects; then nothing else counts.
  double seconds = 0;
  double client_cpu_s = 0;
  uint64_t put_bytes = 0, puts = 0;
  std::vector<float> latencies_us;  // One for each answer.
};

Outcome run(const RunOptions& options, Signer& signer, Workload& workload);

}  // namespace kura::bench
