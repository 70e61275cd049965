#include "node/cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "node/server/environment.h"

namespace kura::node {
namespace {

constexpr double kSecondsBetweenLines = 10;
constexpr const char* kEraseLine = "\r\x1b[K";

std::string size_text(double bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", bytes,
                      kUnits[unit]);
  return text.data();
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<uint64_t>(std::llround(seconds));
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole / 60 % 60) + " min";
}

}  // namespace

std::optional<ProgressForm> progress_form_of(const std::string& wanted) {
  if (wanted == "json") return ProgressForm::json;
  if (wanted == "none") return ProgressForm::none;
  if (wanted != "auto") return std::nullopt;
  const bool rewritten = ::isatty(STDERR_FILENO) == 1 && !environment_variable("NO_COLOR") &&
                         !environment_variable("CI");
  return rewritten ? ProgressForm::terminal : ProgressForm::lines;
}

Progress::Progress(std::string what, ProgressForm form, const Clock& clock)
    : what_(std::move(what)),
      form_(form),
      clock_(clock),
      began_ns_(clock.monotonic_ns()),
      told_ns_(began_ns_),
      seen_ns_(began_ns_) {}

double Progress::seconds_since(int64_t then_ns) const {
  return static_cast<double>(clock_.monotonic_ns() - then_ns) / 1e9;
}

std::string Progress::report(uint64_t done_bytes, uint64_t planned_bytes) {
  const double seconds = seconds_since(seen_ns_);
  if (seconds > 0 && done_bytes >= done_bytes_) {
    const double rate = static_cast<double>(done_bytes - done_bytes_) / seconds;
    bytes_per_second_ = bytes_per_second_ ? (*bytes_per_second_ + rate) / 2 : rate;
  }
  seen_ns_ = clock_.monotonic_ns();
  done_bytes_ = done_bytes;
  planned_bytes_ = planned_bytes;
  if (form_ == ProgressForm::none) return {};
  if (form_ == ProgressForm::lines && seconds_since(told_ns_) < kSecondsBetweenLines) return {};
  told_ns_ = seen_ns_;
  const double rate = bytes_per_second_.value_or(0);
  const double left = static_cast<double>(planned_bytes - std::min(done_bytes, planned_bytes));
  if (form_ == ProgressForm::json) {
    nlohmann::ordered_json json{{"apiVersion", "kura/v1"},
                                {"progress", what_},
                                {"doneBytes", done_bytes},
                                {"plannedBytes", planned_bytes},
                                {"bytesPerSecond", static_cast<uint64_t>(rate)},
                                {"secondsLeft", nullptr}};
    if (rate > 0) json["secondsLeft"] = std::llround(left / rate);
    return json.dump() + "\n";
  }
  std::string line = what_ + ": " + size_text(static_cast<double>(done_bytes)) + " of " +
                     size_text(static_cast<double>(planned_bytes)) + ", " + size_text(rate) + "/s";
  if (rate > 0) line += ", " + duration_text(left / rate) + " left";
  return form_ == ProgressForm::terminal ? kEraseLine + line : line + "\n";
}

std::string Progress::finish() {
  if (form_ == ProgressForm::none) return {};
  if (form_ == ProgressForm::lines && told_ns_ == began_ns_) return {};
  const double seconds = seconds_since(began_ns_);
  if (form_ == ProgressForm::json)
    return nlohmann::ordered_json{{"apiVersion", "kura/v1"},
                                  {"progress", what_},
                                  {"doneBytes", done_bytes_},
                                  {"plannedBytes", planned_bytes_},
                                  {"seconds", seconds}}
               .dump() +
           "\n";
  return (form_ == ProgressForm::terminal ? kEraseLine : "") + what_ + ": " +
         size_text(static_cast<double>(done_bytes_)) + " in " + duration_text(seconds) + "\n";
}

}  // namespace kura::node
