// What somebody may have meant by a word that is none.

#pragma once

#include <string>
#include <vector>

namespace kura::node {

// "; did you mean status?" of "statsu". Empty: none of `known` is near.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& known);

}  // namespace kura::node
