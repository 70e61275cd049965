// JSON answers for people: lists as tables, documents as lines.

#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace kura::node {

std::string table_of(const nlohmann::ordered_json& json);

}  // namespace kura::node
