// Which forms of output each command has: a form that would mean nothing is refused.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "node/cli/output.h"

namespace kura::node {

struct OutputForms {
  bool name = false;                     // Each item has a name, for a shell's loop.
  std::vector<std::string_view> wide{};  // Columns that only -o wide shows; none: there is no wide.
  std::string_view list = "items";       // The field that holds the items of a list.
  std::string (*table)() = nullptr;      // In place of the columns.
};

// `command`: "drive ls".
const OutputForms& output_forms_of(std::string_view command);

// "table, json, jsonl, yaml, template=TEXT"
std::string list_of(const OutputForms& forms);
bool has(const OutputForms& forms, Kind kind);

}  // namespace kura::node
