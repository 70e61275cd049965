// How long a session waits for its client, and for how much.

#pragma once

#include <cstdint>

#include "base/limits.h"
#include "s3/http/admission.h"

namespace kura::s3 {

struct SessionOptions {
  int64_t head_ns = 30'000'000'000;          // From the first byte of a head to its last.
  int64_t idle_ns = 75'000'000'000;          // Between requests.
  int64_t body_silence_ns = 30'000'000'000;  // For body_progress_bytes more of a body.
  uint64_t body_progress_bytes = 4 * kKiB;
  int64_t write_silence_ns = 60'000'000'000;  // For 288 KiB of an answer.
  uint64_t drain_bytes_max = 256 * kKiB;  // Of a body that the operation left, to go on after it.
  // After an answer that ends the connection, what the client is still sending is read for so long:
  // closing at once would reset the connection, and the answer would be lost.
  int64_t linger_ns = 5'000'000'000;
  uint64_t linger_bytes_max = 64 * kMiB;
  AdmissionLimits admission;
};

}  // namespace kura::s3
