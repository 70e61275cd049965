// Little-endian numbers in byte formats of member files and drive identities.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kura::disk {

template <class T>
void append_number(std::string& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i)
    out += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
}

// REQUIRES: at + sizeof(T) <= in.size().
template <class T>
T number_at(std::string_view in, size_t at) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value |= static_cast<uint64_t>(static_cast<uint8_t>(in[at + i])) << (8 * i);
  return static_cast<T>(value);
}

template <class T>
void put_number(std::string& out, size_t at, T value) {
  for (size_t i = 0; i < sizeof(T); ++i)
    out[at + i] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
}

}  // namespace kura::disk
