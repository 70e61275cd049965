// Standard output of a command: it has worked only once all of it is written.

#pragma once

#include <string>

#include "base/result.h"

namespace kura::node {

// Opens what the caller closed of the standard descriptors so that no call on it succeeds. Else the
// next file or socket of this process would take its number, and get the output. Before anything
// is opened.
void keep_standard_descriptors();

// Writes `text` at once. What goes wrong is kept for end_of_output().
void write_output(const std::string& text);

// Writes what is still buffered. Errors: io_error if any of the output could not be written.
Result<void> end_of_output();

}  // namespace kura::node
