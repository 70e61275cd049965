// Details of a completion that was refused, by which the edge knows what to tell its client.

#pragma once

#include <string_view>

namespace kura::refused_completion {

inline constexpr std::string_view kSize = "x-amz-mp-object-size";
inline constexpr std::string_view kAlgorithm = "checksum of another algorithm than the upload's";
inline constexpr std::string_view kType = "checksum of another type than the upload's";

}  // namespace kura::refused_completion
