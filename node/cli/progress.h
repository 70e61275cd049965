// Progress of what takes long, on standard error: a line that is rewritten on a terminal, one line
// every ten seconds elsewhere, or one JSON object for each report.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"

namespace kura::node {

enum class ProgressForm { terminal, lines, json, none };

// What "auto", "json" or "none" mean on this standard error: in a log, in CI and with NO_COLOR set
// no line is rewritten. Nothing: it is none of the three.
std::optional<ProgressForm> progress_form_of(const std::string& wanted);

class Progress {
 public:
  // `what`: "scrub". `clock` outlives it.
  Progress(std::string what, ProgressForm form, const Clock& clock);

  // The text for what has been done by now; empty: it is too early for one.
  std::string report(uint64_t done_bytes, uint64_t planned_bytes);
  // The text at the end, which ends the line of a terminal. Empty: it was too short for lines.
  std::string finish();

 private:
  double seconds_since(int64_t then_ns) const;

  const std::string what_;
  const ProgressForm form_;
  const Clock& clock_;
  const int64_t began_ns_;
  int64_t told_ns_, seen_ns_;
  uint64_t done_bytes_ = 0, planned_bytes_ = 0;
  std::optional<double>
      bytes_per_second_;  // Exponentially weighted: half of it is the last report.
};

}  // namespace kura::node
