#include "base/crc32c.h"

#include <nmmintrin.h>

#include <array>
#include <cstring>

namespace kura {
namespace {

// Polynomials over GF(2) modulo the Castagnoli polynomial, bits reflected: bit 31 is x^0.
constexpr uint32_t kPolynomial = 0x82f63b78;

constexpr uint32_t times_x(uint32_t a) { return a & 1 ? a >> 1 ^ kPolynomial : a >> 1; }

constexpr uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = 1u << 31; bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = times_x(b);
  }
  return product;
}

// x^(8 * bytes): multiplying a checksum's state by it is appending that many zero bytes.
constexpr uint32_t power_of_bytes(uint64_t bytes) {
  uint32_t result = 1u << 31, square = 1u << 23;  // x^0 and x^8.
  for (; bytes != 0; bytes >>= 1) {
    if (bytes & 1) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

using Table = std::array<std::array<uint32_t, 256>, 8>;

// Row k: the state after a byte and k zero bytes, for eight bytes at a time.
constexpr Table make_byte_tables() {
  Table t{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t s = b;
    for (int i = 0; i < 8; ++i) s = times_x(s);
    t[0][b] = s;
  }
  for (size_t k = 1; k < 8; ++k)
    for (uint32_t b = 0; b < 256; ++b) t[k][b] = t[k - 1][b] >> 8 ^ t[0][t[k - 1][b] & 0xff];
  return t;
}
constexpr Table kBytes = make_byte_tables();

// Multiplication by a fixed power, a byte of the state at a time.
struct Shift {
  uint32_t rows[4][256];
  constexpr explicit Shift(uint64_t bytes) : rows{} {
    uint32_t power = power_of_bytes(bytes);
    for (int r = 0; r < 4; ++r)
      for (uint32_t b = 0; b < 256; ++b) rows[r][b] = multiply(b << 8 * r, power);
  }
  uint32_t operator()(uint32_t s) const {
    return rows[0][s & 0xff] ^ rows[1][s >> 8 & 0xff] ^ rows[2][s >> 16 & 0xff] ^ rows[3][s >> 24];
  }
};

// Lengths of the three lanes. The instruction takes three cycles but starts one each cycle, so
// three independent lanes are three times as fast as one.
constexpr size_t kLongLane = 4096, kShortLane = 256;
constexpr Shift kShiftLong(kLongLane), kShiftShort(kShortLane);

uint64_t load64(const char* p) {
  uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}

__attribute__((target("sse4.2"))) uint64_t three_lanes(uint64_t state, const char* p, size_t lane,
                                                       const Shift& shift) {
  uint64_t a = state, b = 0, c = 0;
  for (size_t i = 0; i < lane; i += 8) {
    a = _mm_crc32_u64(a, load64(p + i));
    b = _mm_crc32_u64(b, load64(p + lane + i));
    c = _mm_crc32_u64(c, load64(p + 2 * lane + i));
  }
  uint32_t ab = shift(static_cast<uint32_t>(a)) ^ static_cast<uint32_t>(b);
  return shift(ab) ^ static_cast<uint32_t>(c);
}

using Extend = uint32_t (*)(uint32_t, std::string_view);

Extend choose() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2") ? detail::crc32c_extend_sse42
                                          : detail::crc32c_extend_tables;
}

}  // namespace

namespace detail {

__attribute__((target("sse4.2"))) uint32_t crc32c_extend_sse42(uint32_t crc,
                                                               std::string_view data) {
  const char* p = data.data();
  size_t left = data.size();
  uint64_t state = static_cast<uint32_t>(~crc);
  for (; left >= 3 * kLongLane; p += 3 * kLongLane, left -= 3 * kLongLane)
    state = three_lanes(state, p, kLongLane, kShiftLong);
  for (; left >= 3 * kShortLane; p += 3 * kShortLane, left -= 3 * kShortLane)
    state = three_lanes(state, p, kShortLane, kShiftShort);
  for (; left >= 8; p += 8, left -= 8) state = _mm_crc32_u64(state, load64(p));
  auto s = static_cast<uint32_t>(state);
  for (; left > 0; ++p, --left) s = _mm_crc32_u8(s, static_cast<uint8_t>(*p));
  return ~s;
}

uint32_t crc32c_extend_tables(uint32_t crc, std::string_view data) {
  const char* p = data.data();
  size_t left = data.size();
  uint32_t s = ~crc;
  for (; left >= 8; p += 8, left -= 8) {
    uint64_t v = load64(p) ^ s;
    s = 0;
    for (size_t k = 0; k < 8; ++k) s ^= kBytes[7 - k][v >> 8 * k & 0xff];
  }
  for (; left > 0; ++p, --left) s = s >> 8 ^ kBytes[0][(s ^ static_cast<uint8_t>(*p)) & 0xff];
  return ~s;
}

}  // namespace detail

uint32_t crc32c_extend(uint32_t crc, std::string_view data) {
  static const Extend extend = choose();
  return extend(crc, data);
}

}  // namespace kura
