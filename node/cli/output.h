// How the command line shows answers and failures: tables for people, documents for scripts.

#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace kura::node {

enum class Kind { table, wide, json, jsonl, yaml, name, filled };

struct Format {
  Kind kind = Kind::table;
  std::string form;  // Of `filled`.
};

// What follows -o: table, wide, json, jsonl, yaml, name or template=TEXT. None: something else.
std::optional<Format> format_of(const std::string& text);

struct OutputForms;

// jsonl: one line for each item of a list. name: what identifies each item, for a shell's loop.
// table: without the columns that only wide shows. filled: the form for each item, with {{.field}}
// and {{.field.within}} replaced, and \n and \t.
std::string render(const nlohmann::ordered_json& answer, const Format& format,
                   const OutputForms& forms);

// What went wrong, with stable field names.
struct Failure {
  int exit_code = 1;
  std::string code;  // "NoSuchKey": S3's name where there is one.
  std::string message;
  std::string resource;    // What was asked for, as in the admin API.
  std::string request_id;  // Empty if no node answered.
  std::string hint;        // What may help. Empty: what helps with others of this exit code.
};

// One line of text for people, one object for every other format.
std::string render(const Failure& failure, const Format& format);

}  // namespace kura::node
