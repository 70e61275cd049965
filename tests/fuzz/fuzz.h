// What a fuzz target is, and how it reads its input.
//
// A target defines fuzz_one() in a file of its own. libFuzzer calls it with what it invents
// (`./dev fuzz`), and replay.cc with what is stored under corpus/ (`./dev test`). A target states
// what must hold with INVARIANT, which ends the process with the place and the reason.

#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"

namespace kura::fuzz {

// `input` lies in memory of exactly its size, so that the sanitizers see a read beyond it.
void fuzz_one(std::string_view input);

// Takes an input apart, front to back. Behind its end all numbers are 0 and all texts are empty.
class Input {
 public:
  explicit Input(std::string_view bytes) : left_(bytes) {}

  template <class Number>
  Number number() {  // Little-endian.
    uint64_t value = 0;
    const std::string_view raw = bytes(sizeof(Number));
    for (size_t i = 0; i < raw.size(); ++i)
      value |= static_cast<uint64_t>(static_cast<uint8_t>(raw[i])) << (8 * i);
    return static_cast<Number>(value);
  }
  std::string_view bytes(size_t count) {
    const std::string_view out = left_.substr(0, count);
    left_.remove_prefix(out.size());
    return out;
  }
  std::string_view text() { return bytes(number<uint8_t>()); }  // Its length first.
  std::string_view long_text() { return bytes(number<uint16_t>()); }
  std::string_view rest() { return bytes(left_.size()); }
  bool empty() const { return left_.empty(); }

  // Of 16 bytes, as the ids of the product are.
  template <class Uuid>
  Uuid uuid() {
    Uuid id;
    const std::string_view raw = bytes(id.bytes.size());
    std::copy(raw.begin(), raw.end(), id.bytes.begin());
    return id;
  }

 private:
  std::string_view left_;
};

}  // namespace kura::fuzz
