#include "sim/checker.h"

#include <algorithm>
#include <set>

#include "base/check.h"

namespace kura::sim {
namespace {

constexpr Value kUnseen = ~Value{0};  // The value of a write that nobody ever saw.
constexpr size_t kPendingMax = 64;
constexpr size_t kEventsShown = 20;

// Writes of unknown outcome and unseen value that demand and do the same.
struct Maybe {
  Holds holds;
  Value operand;
  Value written;
  auto operator<=>(const Maybe&) const = default;
};

using Used = std::vector<uint32_t>;  // By group of Maybe: how many took place.

struct Config {
  Value value = kAbsent;
  uint64_t done = 0;  // By slot: operations under way that took place.
  Used used = {};
};

// Configurations, without those that another one dominates: equal, but with fewer Maybes used.
class Configs {
 public:
  // False: it is dominated.
  bool insert(const Config& config) {
    std::vector<Used>& others = by_state_[{config.value, config.done}];
    for (const Used& other : others)
      if (within(other, config.used)) return false;
    std::erase_if(others, [&](const Used& other) { return within(config.used, other); });
    others.push_back(config.used);
    return true;
  }
  std::vector<Config> all() const {
    std::vector<Config> out;
    for (const auto& [state, useds] : by_state_)
      for (const Used& used : useds) out.push_back({state.first, state.second, used});
    return out;
  }
  bool empty() const { return by_state_.empty(); }
  void clear() { by_state_.clear(); }

 private:
  static bool within(const Used& a, const Used& b) {
    for (size_t i = 0; i < a.size(); ++i)
      if (a[i] > b[i]) return false;
    return true;
  }
  std::map<std::pair<Value, uint64_t>, std::vector<Used>> by_state_;
};

bool allows(Holds holds, Value operand, Value value) {
  switch (holds) {
    case Holds::anything:
      return true;
    case Holds::is:
      return value == operand;
    case Holds::is_present:
      return value != kAbsent;
    case Holds::is_another:
      return value != kAbsent && value != operand;
  }
  return false;
}

class RegisterChecker {
 public:
  explicit RegisterChecker(const Register& history);
  // The first operation that cannot have returned when and what it did.
  const Operation* first_inexplicable();

 private:
  struct Moment {
    int64_t time_ns;
    int kind;  // 0: invoked, 1: returned. Invocations first: the most permissive order.
    size_t index;
    auto operator<=>(const Moment&) const = default;
  };

  void plan();
  void invoke(size_t index);
  bool return_of(size_t index);
  void close();
  void apply_reads(Config* config) const;
  void keep_if_new(Config config, std::vector<Config>* open);

  std::vector<Operation> required_;
  std::vector<std::pair<int64_t, Maybe>> maybes_;  // By invocation.
  std::vector<Maybe> groups_;
  std::vector<uint32_t> invoked_of_group_;
  std::vector<Moment> moments_;
  std::vector<int> slot_of_;   // By index of required_.
  std::vector<int> index_of_;  // By slot; -1: free.
  Configs configs_;
};

// Gives every write of unknown outcome that somebody saw the time by which it must have taken
// place: the first return of an operation that saw its value.
std::vector<Operation> tighten(std::vector<Operation> operations) {
  std::map<Value, int64_t> seen_by;
  for (bool changed = true; changed;) {
    changed = false;
    for (const Operation& op : operations) {
      if (op.holds != Holds::is || op.returned_ns == kNever) continue;
      auto [it, fresh] = seen_by.emplace(op.operand, op.returned_ns);
      it->second = std::min(it->second, op.returned_ns);
    }
    for (Operation& op : operations) {
      if (op.returned_ns != kNever || !op.writes || op.written == kAbsent) continue;
      auto seen = seen_by.find(op.written);
      if (seen == seen_by.end()) continue;
      op.returned_ns = std::max(seen->second, op.invoked_ns);
      changed = true;  // It may itself have seen another such value.
    }
  }
  return operations;
}

RegisterChecker::RegisterChecker(const Register& history) {
  std::set<Value> named{kAbsent};  // Values that some operation tells from others.
  for (const Operation& op : history.operations) named.insert(op.operand);
  for (Operation& op : tighten(history.operations)) {
    if (op.returned_ns != kNever) {
      required_.push_back(std::move(op));
    } else if (op.writes) {
      const Value written = named.contains(op.written) ? op.written : kUnseen;
      maybes_.push_back({op.invoked_ns, {op.holds, op.operand, written}});
    }  // Else a read that told nobody anything.
  }
  plan();
}

void RegisterChecker::plan() {
  std::sort(maybes_.begin(), maybes_.end());
  std::set<Maybe> groups;
  for (const auto& [time, maybe] : maybes_) groups.insert(maybe);
  groups_.assign(groups.begin(), groups.end());
  invoked_of_group_.assign(groups_.size(), 0);
  for (size_t i = 0; i < required_.size(); ++i) {
    moments_.push_back({required_[i].invoked_ns, 0, i});
    moments_.push_back({required_[i].returned_ns, 1, i});
  }
  std::sort(moments_.begin(), moments_.end());
  slot_of_.assign(required_.size(), -1);
}

const Operation* RegisterChecker::first_inexplicable() {
  configs_.insert(Config{kAbsent, 0, Used(groups_.size(), 0)});
  size_t next_maybe = 0;
  for (const Moment& moment : moments_) {
    for (; next_maybe < maybes_.size() && maybes_[next_maybe].first <= moment.time_ns;
         ++next_maybe) {
      auto group = std::lower_bound(groups_.begin(), groups_.end(), maybes_[next_maybe].second);
      ++invoked_of_group_[static_cast<size_t>(group - groups_.begin())];
    }
    if (moment.kind == 0)
      invoke(moment.index);
    else if (!return_of(moment.index))
      return &required_[moment.index];
  }
  return nullptr;
}

void RegisterChecker::invoke(size_t index) {
  auto free = std::find(index_of_.begin(), index_of_.end(), -1);
  if (free == index_of_.end()) free = index_of_.insert(free, -1);
  INVARIANT(index_of_.size() <= kPendingMax, "few operations are under way at once on one key");
  *free = static_cast<int>(index);
  slot_of_[index] = static_cast<int>(free - index_of_.begin());
}

// Every configuration goes on by any operation under way until nothing new appears; those in which
// the returning operation took place survive.
bool RegisterChecker::return_of(size_t index) {
  close();
  const int slot = slot_of_[index];
  const uint64_t bit = uint64_t{1} << slot;
  Configs kept;
  for (Config& config : configs_.all()) {
    if (!(config.done & bit)) continue;
    config.done &= ~bit;
    kept.insert(config);
  }
  configs_ = std::move(kept);
  index_of_[static_cast<size_t>(slot)] = -1;
  return !configs_.empty();
}

void RegisterChecker::apply_reads(Config* config) const {
  for (size_t slot = 0; slot < index_of_.size(); ++slot) {
    if (index_of_[slot] < 0 || (config->done >> slot & 1)) continue;
    const Operation& op = required_[static_cast<size_t>(index_of_[slot])];
    // A read that may take place now loses nothing by doing so.
    if (!op.writes && allows(op.holds, op.operand, config->value))
      config->done |= uint64_t{1} << slot;
  }
}

void RegisterChecker::keep_if_new(Config config, std::vector<Config>* open) {
  apply_reads(&config);
  if (configs_.insert(config)) open->push_back(std::move(config));
}

void RegisterChecker::close() {
  std::vector<Config> open;
  const std::vector<Config> before = configs_.all();
  configs_.clear();
  for (const Config& config : before) keep_if_new(config, &open);
  while (!open.empty()) {
    const Config from = std::move(open.back());
    open.pop_back();
    for (size_t slot = 0; slot < index_of_.size(); ++slot) {
      if (index_of_[slot] < 0 || (from.done >> slot & 1)) continue;
      const Operation& op = required_[static_cast<size_t>(index_of_[slot])];
      if (!op.writes || !allows(op.holds, op.operand, from.value)) continue;
      Config to = from;
      to.value = op.written;
      to.done |= uint64_t{1} << slot;
      keep_if_new(std::move(to), &open);
    }
    for (size_t g = 0; g < groups_.size(); ++g) {
      const Maybe& maybe = groups_[g];
      if (from.used[g] >= invoked_of_group_[g] || maybe.written == from.value ||
          !allows(maybe.holds, maybe.operand, from.value))
        continue;
      Config to = from;
      to.value = maybe.written;
      ++to.used[g];
      keep_if_new(std::move(to), &open);
    }
  }
}

std::vector<std::string> last_events(const Register& history, const Operation& last) {
  std::vector<const Operation*> before;
  for (const Operation& op : history.operations)
    if (op.invoked_ns <= last.returned_ns) before.push_back(&op);
  std::stable_sort(before.begin(), before.end(), [](const Operation* a, const Operation* b) {
    return a->invoked_ns < b->invoked_ns;
  });
  if (before.size() > kEventsShown)
    before.erase(before.begin(), before.end() - static_cast<ptrdiff_t>(kEventsShown));
  std::vector<std::string> out;
  out.reserve(before.size());
  for (const Operation* op : before) out.push_back(describe(*op));
  return out;
}

std::string sentence(const Operation& op) {
  const std::string subject = op.what + " (operation " + std::to_string(op.number) + ")";
  if (op.at_rest && op.holds == Holds::is && op.operand == kAbsent)
    return "An acknowledged write is lost: " + subject + " found nothing at the end.";
  if (op.at_rest)
    return "The state at the end is none that the acknowledged operations allow: " + subject +
           " does not fit.";
  return "The history is not linearizable: no order of the operations explains " + subject + ".";
}

}  // namespace

std::optional<Violation> check_register(const std::string& name, const Register& history) {
  std::set<Value> written{kAbsent};
  for (const Operation& op : history.operations)
    if (op.writes) written.insert(op.written);
  for (const Operation& op : history.operations) {
    if (op.holds == Holds::is && op.returned_ns != kNever && !written.contains(op.operand))
      return Violation{"A value was read that was never written there: " + describe(op), name,
                       last_events(history, op)};
  }
  RegisterChecker checker(history);
  const Operation* bad = checker.first_inexplicable();
  if (!bad) return std::nullopt;
  return Violation{sentence(*bad), name, last_events(history, *bad)};
}

std::optional<Violation> check_history(const History& history) {
  for (const auto& [name, one] : history.registers())
    if (auto violation = check_register(name, one)) return violation;
  return std::nullopt;
}

}  // namespace kura::sim
