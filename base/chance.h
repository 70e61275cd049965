// chance("name"): a rare branch that the simulator takes on purpose. Always false in production.
//
// Mark places where something legal but unusual may happen (a short batch, an early seal, a retry).

#pragma once

#include <functional>
#include <string_view>

namespace kura {

// Set once by the simulator before a run; empty in production.
inline std::function<bool(std::string_view)> chance_decider;

inline bool chance(std::string_view name) { return chance_decider && chance_decider(name); }

}  // namespace kura
