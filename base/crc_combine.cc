#include "base/crc_combine.h"

namespace kura {
namespace {

// Polynomials over GF(2), reflected: the highest bit is the coefficient of x^0.
template <class Word>
constexpr Word kOne = Word{1} << (sizeof(Word) * 8 - 1);

// a * b modulo the CRC's polynomial.
template <class Word>
Word multiply(Word a, Word b, Word polynomial) {
  Word product = 0;
  for (; a != 0; a <<= 1) {
    if (a & kOne<Word>) product ^= b;
    b = b & 1 ? b >> 1 ^ polynomial : b >> 1;  // b * x.
  }
  return product;
}

// Appending n bytes multiplies the remainder by x^(8n); the all-ones at both ends cancel out.
template <class Word>
Word combine(Word a, Word b, uint64_t b_bytes, Word polynomial) {
  Word shift = kOne<Word>;
  Word square = kOne<Word> >> 8;  // x^8, for one byte; then for 2, 4, 8, ...
  for (uint64_t left = b_bytes; left != 0; left >>= 1) {
    if (left & 1) shift = multiply(shift, square, polynomial);
    square = multiply(square, square, polynomial);
  }
  return multiply(shift, a, polynomial) ^ b;
}

}  // namespace

uint32_t crc32_combine(uint32_t a, uint32_t b, uint64_t b_bytes) {
  return combine<uint32_t>(a, b, b_bytes, 0xedb88320u);
}

uint32_t crc32c_combine(uint32_t a, uint32_t b, uint64_t b_bytes) {
  return combine<uint32_t>(a, b, b_bytes, 0x82f63b78u);
}

uint64_t crc64nvme_combine(uint64_t a, uint64_t b, uint64_t b_bytes) {
  return combine<uint64_t>(a, b, b_bytes, 0x9a6c9329ac4bc9b5u);
}

}  // namespace kura
