// The aws-chunked framing in its three forms: the same answer however the bytes are cut, and what
// the client's side encodes is decoded.
//
// Input: form, piece, decoded length (2 bytes), then the framed body.

#include "s3/auth/aws_chunked.h"
#include "s3/auth/signer.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

constexpr char kTrailerName[] = "x-amz-checksum-crc32";

struct Form {
  bool is_signed = false;
  bool trailer = false;
};

s3::ChunkSigner seed_signer() {
  const s3::Scope scope{"20130524", "us-east-1", "s3"};
  static const s3::SigningKey key = s3::derive_signing_key("secret", scope);
  return {key, "20130524T000000Z", scope, std::string(64, 'a')};
}

s3::AwsChunkedDecoder::Options options(Form form, uint64_t decoded_bytes) {
  s3::AwsChunkedDecoder::Options out;
  out.decoded_bytes = decoded_bytes;
  if (form.is_signed) out.signer = seed_signer();
  out.trailer = form.trailer;
  if (form.trailer) out.trailer_name = kTrailerName;
  return out;
}

struct Decoded {
  std::string error;
  bool done = false;
  std::string payload;
  std::vector<s3::Headers::Field> trailer;
};

Decoded decode(Form form, uint64_t decoded_bytes, std::string_view wire, size_t piece) {
  s3::AwsChunkedDecoder decoder(options(form, decoded_bytes));
  Decoded out;
  while (!wire.empty()) {
    std::string bytes(wire.substr(0, piece));
    wire.remove_prefix(bytes.size());
    const size_t given = bytes.size();
    if (auto decoded = decoder.decode(&bytes); !decoded) {
      out.error = decoded.error().code;
      return out;
    }
    INVARIANT(bytes.size() <= given, "payload is a part of what was framed");
    out.payload += bytes;
    INVARIANT(out.payload.size() <= decoded_bytes, "never more than was announced");
  }
  out.done = decoder.done();
  out.trailer = decoder.trailer().all();
  return out;
}

void check_round_trip(Form form, std::string_view body, size_t chunk) {
  s3::ChunkSigner signer = seed_signer();
  std::vector<s3::Headers::Field> trailer;
  if (form.trailer) trailer.emplace_back(kTrailerName, "y/Q5Jg==");
  const std::string wire =
      s3::encode_aws_chunked(body, chunk, form.is_signed ? &signer : nullptr, trailer);
  const Decoded out = decode(form, body.size(), wire, chunk);
  INVARIANT(out.error.empty() && out.done && out.payload == body && out.trailer == trailer,
            "a body decodes as it was encoded");
  if (body.empty()) return;
  const Decoded longer = decode(form, body.size() + 1, wire, chunk);
  INVARIANT(longer.error == "IncompleteBody", "a body that is shorter than announced is refused");
}

}  // namespace

void fuzz_one(std::string_view input) {
  Input in(input);
  const auto bits = in.number<uint8_t>();
  const Form form{(bits & 1) != 0, (bits & 2) != 0};
  const size_t piece = size_t{in.number<uint8_t>()} + 1;
  const uint64_t decoded_bytes = in.number<uint16_t>();
  const std::string_view wire = in.rest();
  const Decoded whole = decode(form, decoded_bytes, wire, wire.size() + 1);
  const Decoded cut = decode(form, decoded_bytes, wire, piece);
  INVARIANT(whole.error == cut.error, "the same verdict however it is cut");
  if (!whole.error.empty()) return;
  INVARIANT(whole.done == cut.done && whole.payload == cut.payload && whole.trailer == cut.trailer,
            "the same body however it is cut");
  INVARIANT(!whole.done || whole.payload.size() == decoded_bytes, "as many bytes as announced");
  check_round_trip(form, wire.substr(0, 2000), piece);
}

}  // namespace kura::fuzz
