#include "sim/run_sim.h"

#include <algorithm>
#include <charconv>

namespace kura::sim {
namespace {

// A set of fewer runs may miss a probe without fault.
constexpr uint64_t kProbedRuns = 100;

std::optional<uint64_t> number_of(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string hex(uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<uint8_t>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", c);
      out += escape;
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string_view profile_name(Profile profile) {
  constexpr std::string_view kNames[] = {"quiet", "crash", "swarm", "power", "drives"};
  return kNames[static_cast<size_t>(profile)];
}

std::string replay(const SimOptions& options, uint64_t seed) {
  std::string out = "./dev sim run --seed " + std::to_string(seed) + " --profile " +
                    std::string(profile_name(options.profile)) + " --virtual " +
                    std::to_string(options.virtual_ns / kMillisecond) + "ms";
  if (!options.planted.empty()) out += " --plant " + options.planted;
  return out;
}

std::string json_of(const SimOptions& options, const RunResult& result) {
  std::string out = "{\"seed\":" + std::to_string(result.seed) + ",\"hash\":\"" + hex(result.hash) +
                    "\",\"steps\":" + std::to_string(result.steps) +
                    ",\"virtualMs\":" + std::to_string(result.virtual_ns / kMillisecond) +
                    ",\"operations\":" + std::to_string(result.operations) +
                    ",\"answered\":" + std::to_string(result.answered);
  if (result.violation) {
    out += ",\"violation\":{\"invariant\":" + quoted(result.violation->invariant) +
           ",\"key\":" + quoted(result.violation->name) + ",\"events\":[";
    for (size_t i = 0; i < result.violation->events.size(); ++i)
      out += (i ? "," : "") + quoted(result.violation->events[i]);
    out += "],\"replay\":" + quoted(replay(options, result.seed)) + "}";
  }
  return out + "}";
}

void print_violation(const SimOptions& options, const RunResult& result, const Print& print) {
  print(false, "seed " + std::to_string(result.seed) + ", step " + std::to_string(result.steps) +
                   ", hash " + hex(result.hash) + ": VIOLATION");
  print(false, result.violation->invariant);
  if (!result.violation->name.empty()) {
    print(false, "last events of " + result.violation->name + ":");
    for (const std::string& event : result.violation->events) print(false, "  " + event);
  }
  print(false, "replay: " + replay(options, result.seed));
}

class Session {
 public:
  Session(const SimOptions& options, const NodeFactory& make_node, Clock& clock, const Print& print)
      : options_(options),
        make_node_(make_node),
        clock_(clock),
        print_(print),
        started_ns_(clock.monotonic_ns()) {}

  int run();

 private:
  RunOptions options_of(uint64_t seed) const;
  bool same_again(const RunResult& first);
  void name_divergence(const RunResult& first, const RunResult& second);
  int verdict(uint64_t runs, uint64_t violations, bool out_of_time);
  int64_t elapsed_ms() const { return (clock_.monotonic_ns() - started_ns_) / kMillisecond; }

  const SimOptions& options_;
  const NodeFactory& make_node_;
  Clock& clock_;
  const Print& print_;
  int64_t started_ns_;
  Probes probes_;
  uint64_t steps_ = 0, answered_ = 0;
};

RunOptions Session::options_of(uint64_t seed) const {
  RunOptions run;
  run.seed = seed;
  run.virtual_ns = options_.virtual_ns;
  run.profile = options_.profile;
  run.planted = options_.planted;
  run.watch_first = options_.watch_first;
  run.watch_last = options_.watch_last;
  run.log = options_.log;
  return run;
}

int Session::run() {
  uint64_t runs = 0, violations = 0;
  for (uint64_t seed = options_.first_seed; seed <= options_.last_seed; ++seed) {
    if (options_.budget_ms && elapsed_ms() > options_.budget_ms)
      return verdict(runs, violations, true);
    const RunResult result = run_once(options_of(seed), make_node_);
    ++runs;
    steps_ += result.steps;
    answered_ += result.answered;
    for (const auto& [name, times] : result.probes) probes_[name] += times;
    for (const std::string& line : result.window) print_(false, line);
    if (options_.json) {
      print_(false, json_of(options_, result));
    } else if (result.violation) {
      print_violation(options_, result, print_);
    } else {
      print_(true, "seed " + std::to_string(seed) + " hash " + hex(result.hash) + " steps " +
                       std::to_string(result.steps) + " answered " +
                       std::to_string(result.answered));
    }
    const bool twice =
        options_.twice_every && (seed - options_.first_seed) % options_.twice_every == 0;
    if (twice && !same_again(result)) return kSimNondeterminism;
    if (!result.violation) continue;
    ++violations;
    if (!options_.keep_going) break;
  }
  return verdict(runs, violations, false);
}

bool Session::same_again(const RunResult& first) {
  const RunResult second = run_once(options_of(first.seed), make_node_);
  if (second.hash == first.hash && second.steps == first.steps) return true;
  name_divergence(first, second);
  return false;
}

void Session::name_divergence(const RunResult& first, const RunResult& second) {
  uint64_t block = 0;
  while (block < std::min(first.prefixes.size(), second.prefixes.size()) &&
         first.prefixes[block] == second.prefixes[block])
    ++block;
  print_(false, "seed " + std::to_string(first.seed) + ": NOT DETERMINISTIC: hashes " +
                    hex(first.hash) + " and " + hex(second.hash) + " part between steps " +
                    std::to_string(block * SimWorld::kPrefixSteps) + " and " +
                    std::to_string((block + 1) * SimWorld::kPrefixSteps));
  RunOptions watched = options_of(first.seed);
  watched.watch_first = block * SimWorld::kPrefixSteps;
  watched.watch_last = watched.watch_first + SimWorld::kPrefixSteps;
  const RunResult a = run_once(watched, make_node_), b = run_once(watched, make_node_);
  size_t i = 0;
  while (i < std::min(a.window.size(), b.window.size()) && a.window[i] == b.window[i]) ++i;
  for (size_t j = i > 5 ? i - 5 : 0; j < i; ++j) print_(false, "  both:  " + a.window[j]);
  if (i < a.window.size()) print_(false, "  one:   " + a.window[i]);
  if (i < b.window.size()) print_(false, "  other: " + b.window[i]);
}

int Session::verdict(uint64_t runs, uint64_t violations, bool out_of_time) {
  print_(true, std::to_string(runs) + " runs, " + std::to_string(violations) + " violations, " +
                   std::to_string(answered_) + " requests answered, " + std::to_string(steps_) +
                   " steps, " + std::to_string(elapsed_ms()) + " ms");
  if (!options_.json)
    for (const auto& [name, times] : probes_)
      print_(true, "  reached " + std::to_string(times) + " times: " + name);
  if (!options_.planted.empty()) {
    if (violations > 0) return kSimOk;
    print_(false, "The planted fault '" + options_.planted + "' was not found.");
    return kSimViolation;
  }
  if (violations > 0) return kSimViolation;
  bool all_reached = true;
  for (const std::string& probe : required_probes(options_.profile)) {
    if (runs < kProbedRuns || probes_[probe] > 0) continue;
    print_(false, "Never reached in " + std::to_string(runs) + " runs: " + probe);
    all_reached = false;
  }
  if (!all_reached) return kSimViolation;
  return out_of_time ? kSimBudget : kSimOk;
}

// "8s", "500ms", "10m".
std::optional<int64_t> duration_ms(std::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  const auto value = number_of(text.substr(0, digits));
  const std::string_view unit = text.substr(digits);
  if (!value || *value > 1'000'000'000) return std::nullopt;
  const auto n = static_cast<int64_t>(*value);
  if (unit == "ms") return n;
  if (unit == "s") return n * 1000;
  if (unit == "m") return n * 60'000;
  return std::nullopt;
}

std::optional<std::pair<uint64_t, uint64_t>> range_of(std::string_view text) {
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos) return std::nullopt;
  const auto first = number_of(text.substr(0, dots)), last = number_of(text.substr(dots + 2));
  if (!first || !last || *last < *first) return std::nullopt;
  return std::pair{*first, *last};
}

// Takes one flag with its value; false: the value is not allowed.
bool take(SimOptions* options, const std::string& flag, const std::string& value) {
  if (flag == "--seed" || flag == "--twice-every") {
    const auto n = number_of(value);
    if (n && flag == "--seed") options->first_seed = options->last_seed = *n;
    if (n && flag == "--twice-every") options->twice_every = *n;
    return n.has_value();
  }
  if (flag == "--seeds" || flag == "--trace") {
    const auto range = range_of(value);
    if (range && flag == "--seeds") std::tie(options->first_seed, options->last_seed) = *range;
    if (range && flag == "--trace") std::tie(options->watch_first, options->watch_last) = *range;
    return range.has_value();
  }
  if (flag == "--virtual" || flag == "--time-budget") {
    const auto ms = duration_ms(value);
    if (ms && flag == "--virtual") options->virtual_ns = *ms * kMillisecond;
    if (ms && flag == "--time-budget") options->budget_ms = *ms;
    return ms.has_value();
  }
  if (flag == "--plant") {
    options->planted = value;
    return !value.empty();
  }
  for (Profile profile :
       {Profile::quiet, Profile::crash, Profile::swarm, Profile::power, Profile::drives}) {
    if (value != profile_name(profile)) continue;
    options->profile = profile;
    return true;
  }
  return false;
}

}  // namespace

std::string sim_usage() {
  return "usage: sim run [--seed N | --seeds A..B] [--profile quiet|crash|swarm|power|drives]\n"
         "               [--virtual 8s] [--plant FAULT] [--twice-every N] [--keep-going] "
         "[--time-budget 10m]\n"
         "               [--trace FIRST..LAST] [--log] [--json]\n"
         "Runs a node, its drives, its network and its clients in one thread, chosen by the seed.\n"
         "Exit codes: 0 ok, 2 usage, 10 invariant violated, 11 not deterministic, 12 out of time.";
}

Result<SimOptions> parse_sim_options(const std::vector<std::string>& arguments) {
  SimOptions options;
  const bool named = !arguments.empty() && arguments[0] == "run";
  for (size_t i = named ? 1 : 0; i < arguments.size(); ++i) {
    const std::string& flag = arguments[i];
    if (flag == "--json") {
      options.json = true;
    } else if (flag == "--log") {
      options.log = true;
    } else if (flag == "--keep-going") {
      options.keep_going = true;
    } else if (flag == "--twice") {
      options.twice_every = 1;
    } else {
      constexpr std::string_view kFlags[] = {"--seed",    "--seeds",      "--profile",
                                             "--virtual", "--plant",      "--twice-every",
                                             "--trace",   "--time-budget"};
      if (std::find(std::begin(kFlags), std::end(kFlags), flag) == std::end(kFlags))
        return fail(Errc::invalid_argument, "unknown argument " + flag);
      if (i + 1 == arguments.size()) return fail(Errc::invalid_argument, flag + " needs a value");
      if (!take(&options, flag, arguments[++i]))
        return fail(Errc::invalid_argument, flag + " cannot be '" + arguments[i] + "'");
    }
  }
  return options;
}

int run_sim(const SimOptions& options, const NodeFactory& make_node, Clock& clock,
            const Print& print) {
  return Session(options, make_node, clock, print).run();
}

}  // namespace kura::sim
