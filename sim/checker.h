// Checker: whether some order of the operations on a register explains what the clients saw.
//
// Just-in-time linearization (Lowe, Testing for linearizability, 2017): walk over invocations and
// returns, keeping every configuration (value, operations under way that have already taken place)
// that the past allows. An operation must have taken place when it returns. Writes of unknown
// outcome that somebody saw are tightened to the first return of a reader; those that nobody saw
// are interchangeable and are kept as counts, so that unknown outcomes do not multiply
// configurations.

#pragma once

#include <optional>
#include <string>

#include "sim/history.h"

namespace kura::sim {

struct Violation {
  std::string invariant;            // One sentence.
  std::string name;                 // Of the register; empty: none.
  std::vector<std::string> events;  // The last ones that touched it, oldest first.
};

// None: the register's history is linearizable.
std::optional<Violation> check_register(const std::string& name, const Register& history);
// The first violation in the order of names.
std::optional<Violation> check_history(const History& history);

}  // namespace kura::sim
