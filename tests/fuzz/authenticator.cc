// Signing and verifying: what a client signs is accepted, whatever the request; a change of what
// was signed is refused. Requests that come signed in the input are verified as they are.
//
// Input: how to sign, what to change (2 bytes: place; 1: bits), then a request head.

#include "s3/auth/authenticator.h"
#include "s3/auth/signer.h"
#include "s3/codec/encoding.h"
#include "s3/codec/uri.h"
#include "s3/http/parser.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

constexpr char kAccessKey[] = "AKIDEXAMPLE";
constexpr char kSecret[] = "SECRET+EXAMPLE/KEY";
constexpr int64_t kNowMs = 1'767'323'045'000;  // 2026-01-02T03:04:05Z, when the seeds were signed.

class OneKey final : public s3::KeyLookup {
 public:
  std::optional<s3::KeyRecord> find(std::string_view access_key) const override {
    if (access_key != kAccessKey) return std::nullopt;
    s3::KeyRecord record;
    record.secret = kSecret;
    return record;
  }
};

class StoppedClock final : public Clock {
 public:
  int64_t wall_ms() const override { return kNowMs; }
  int64_t monotonic_ns() const override { return 0; }
};

s3::Authenticator& authenticator() {
  static const OneKey keys;
  static const StoppedClock clock;
  static s3::Authenticator instance(keys, clock, {"us-east-1", false});
  return instance;
}

// Names that belong to signing itself: a request that has them already is another case.
bool can_be_signed(const s3::RequestHead& head) {
  for (const char* name :
       {"authorization", "date", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"})
    if (head.headers.has(name)) return false;
  const auto params = s3::parse_query(head.query);
  if (!params || !s3::percent_decode(head.path, false)) return false;
  for (const auto& [name, value] : *params)
    if (name.starts_with("X-Amz-") || name == "AWSAccessKeyId" || name == "Signature") return false;
  return head.headers.has("host");
}

// The signed parts: every one of them changes the signature.
void change(s3::RequestHead* head, size_t place, char bits) {
  if (place % 2 == 0) {
    head->method[place / 2 % head->method.size()] ^= bits;
  } else {
    head->path += static_cast<char>('a' + (bits & 15));
  }
}

void check_signing(s3::RequestHead head, bool presigned, size_t place, char bits) {
  const s3::Signer signer(kAccessKey, kSecret);
  if (presigned) {
    signer.presign(&head, kNowMs, 60);
  } else {
    signer.sign(&head, s3::kUnsignedPayload, kNowMs);
  }
  const auto verified = authenticator().verify(head);
  INVARIANT(verified, "what a client signs is accepted");
  INVARIANT(verified->payload_hash == s3::kUnsignedPayload, "with the payload's hash");
  change(&head, place, bits);
  const auto refused = authenticator().verify(head);
  INVARIANT(!refused && refused.error().code == "SignatureDoesNotMatch", "a change is refused");
}

}  // namespace

void fuzz_one(std::string_view input) {
  Input in(input);
  const bool presigned = (in.number<uint8_t>() & 1) != 0;
  const size_t place = in.number<uint16_t>();
  const char bits = static_cast<char>(in.number<uint8_t>() | 1);
  const auto parsed = s3::parse_head(in.rest());
  if (!parsed || !*parsed) return;
  const s3::RequestHead& head = (*parsed)->head;
  const auto verified = authenticator().verify(head);
  if (verified) INVARIANT(!verified->chunks.previous.empty(), "a seed for the chunks");
  // What the client itself says is given back.
  if (!verified && input.find(kSecret) == input.npos)
    for (const auto& [name, value] : verified.error().details)
      INVARIANT(value.find(kSecret) == std::string::npos, "the secret stays here");
  if (can_be_signed(head)) check_signing(head, presigned, place, bits);
}

}  // namespace kura::fuzz
