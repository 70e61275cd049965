// The table of operations in README, made from routes().

#pragma once

#include <string>

namespace kura::s3 {

// Markdown: operation, request line, answer.
std::string operations_table();

}  // namespace kura::s3
