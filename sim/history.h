// History: what the clients of a run saw, as operations on registers.
//
// Each key of each bucket is a register that holds the value of one write or none; so is the
// existence of each bucket. One request may touch several registers: a page of a listing reads
// every key in its range. The checker judges each register by itself (linearizability is local:
// Herlihy and Wing, Linearizability, 1990).

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/sim_content.h"

namespace kura::sim {

using Value = uint64_t;  // The number of the write that made it; unique in a run.

inline constexpr Value kAbsent = 0;
inline constexpr int64_t kNever = INT64_MAX;

// What must have held where the operation took place.
enum class Holds : uint8_t {
  anything,
  is,          // `operand`
  is_present,  // Any value.
  is_another,  // A value other than `operand`.
};

struct Operation {
  uint64_t number = 0;  // Set by the history.
  std::string what;     // For people: "client 3 GET"
  int64_t invoked_ns = 0;
  int64_t returned_ns = 0;  // kNever: the outcome is unknown; it may happen later, or never.
  Holds holds = Holds::anything;
  Value operand = kAbsent;
  bool writes = false;
  Value written = kAbsent;  // With `writes`; kAbsent: a removal.
  bool at_rest = false;     // After the last fault, with no other operation under way.
};

struct Register {
  std::vector<Operation> operations;
};

class History {
 public:
  // A new value and what its body is.
  Value new_value(Content content);
  const Content& content(Value value) const { return contents_.at(value); }
  Content& content(Value value) { return contents_.at(value); }
  bool knows(Value value) const { return contents_.contains(value); }

  void add(const std::string& name, Operation operation);
  const std::map<std::string, Register>& registers() const { return registers_; }
  uint64_t size() const { return next_ - 1; }

 private:
  uint64_t next_ = 1;
  Value next_value_ = 1;
  std::map<std::string, Register> registers_;  // By name: "bucket" or "bucket/key".
  std::map<Value, Content> contents_;
};

// One line for a person.
std::string describe(const Operation& operation);

}  // namespace kura::sim
