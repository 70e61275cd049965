// Hex, base64 and decimal numbers, strictly: what is not exactly in the grammar is refused. Pure.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kura::s3 {

int hex_digit(char c);                           // -1: not one.
std::string hex_encode(std::string_view bytes);  // Lower case.
std::optional<std::string> hex_decode(std::string_view text);

// RFC 4648, section 4, with padding.
std::string base64_encode(std::string_view bytes);
// None unless `text` is canonical: padded, no other characters, unused bits zero.
std::optional<std::string> base64_decode(std::string_view text);

// Decimal digits only: no sign, no space. None if empty or above 2^64 - 1.
std::optional<uint64_t> parse_decimal(std::string_view text);

std::string lower_case(std::string_view text);        // ASCII.
std::string_view trim_spaces(std::string_view text);  // Spaces, tabs and line ends.
bool is_token(std::string_view text);                 // As a field name is: RFC 9110, 5.6.2.
// Bytes that may stand in a field value: no control character but the tab (RFC 9110, 5.5).
bool is_field_value(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);  // ASCII.

}  // namespace kura::s3
