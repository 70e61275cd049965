// The chunked transfer coding: the same answer however the bytes are cut, and no byte made up.
//
// Input: the size of a piece, then the body.

#include "s3/http/chunked.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

struct Decoded {
  bool good = true;
  bool done = false;
  std::string payload;
  std::string rest;
  std::vector<s3::Headers::Field> trailer;
};

// A failure is reported with what was decoded before it, which depends on the cut.
Decoded decode(std::string_view wire, size_t piece) {
  s3::ChunkedDecoder decoder;
  Decoded out;
  while (!wire.empty() && !decoder.done()) {
    std::string bytes(wire.substr(0, piece));
    const auto step = decoder.decode(bytes.data(), bytes.size());
    if (!step) {
      INVARIANT(step.error().close, "the connection cannot go on");
      out.good = false;
      return out;
    }
    INVARIANT(step->produced <= step->consumed && step->consumed <= bytes.size(), "in place");
    INVARIANT(step->consumed == bytes.size() || decoder.done(), "all is taken until the end");
    out.payload.append(bytes, 0, step->produced);
    wire.remove_prefix(step->consumed);
  }
  out.done = decoder.done();
  out.rest = wire;
  out.trailer = decoder.trailer().all();
  return out;
}

std::string encode(const Decoded& body, size_t chunk) {
  std::string out;
  std::string_view left = body.payload;
  while (!left.empty()) {
    const std::string_view bytes = left.substr(0, chunk);
    left.remove_prefix(bytes.size());
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    out.append(size).append(bytes).append("\r\n");
  }
  out += "0\r\n";
  for (const auto& [name, value] : body.trailer) out += name + ":" + value + "\r\n";
  return out + "\r\n";
}

}  // namespace

void fuzz_one(std::string_view input) {
  Input in(input);
  const size_t piece = size_t{in.number<uint8_t>()} + 1;
  const std::string_view wire = in.rest();
  const Decoded whole = decode(wire, wire.size() + 1);
  const Decoded cut = decode(wire, piece);
  INVARIANT(whole.good == cut.good, "a cut neither mends nor breaks a body");
  if (!whole.good) return;
  INVARIANT(whole.payload == cut.payload && whole.done == cut.done && whole.rest == cut.rest &&
                whole.trailer == cut.trailer,
            "the same body however it is cut");
  if (!whole.done) return;
  const Decoded again = decode(encode(whole, piece), piece);
  INVARIANT(
      again.good && again.done && again.payload == whole.payload && again.trailer == whole.trailer,
      "a body decodes as it was encoded");
}

}  // namespace kura::fuzz
