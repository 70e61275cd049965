// How the command line shows answers and failures: tables for people, documents for scripts.

#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace kura::node {

enum class Format { table, json, jsonl, yaml, name };

const std::vector<std::string>& format_names();
Format format_of(const std::string& name);  // REQUIRES: one of format_names().

// jsonl: one line for each item of a list. name: what identifies each item, for a shell's loop.
std::string render(const nlohmann::ordered_json& answer, Format format);

// What went wrong, with stable field names.
struct Failure {
  int exit_code = 1;
  std::string code;  // "NoSuchKey": S3's name where there is one.
  std::string message;
  std::string resource;    // What was asked for, as in the admin API.
  std::string request_id;  // Empty if no node answered.
};

// One line of text for people, one object for every other format.
std::string render(const Failure& failure, Format format);

}  // namespace kura::node
