// What a request claims about its signature: a claim that passes the rules is complete and bounded,
// and its canonical request says each part of the request once, in one form.

#include "s3/auth/sigv4.h"
#include "s3/codec/encoding.h"
#include "s3/codec/time.h"
#include "s3/codec/uri.h"
#include "s3/http/parser.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

void check_claim_fields(const s3::SignatureClaim& claim) {
  INVARIANT(!claim.access_key.empty() && !claim.signed_headers.empty(), "what a claim needs");
  INVARIANT(!claim.signature.empty(), "a claim has a signature");
  INVARIANT(claim.scope.service == "s3", "only this service");
  const auto time = s3::parse_amz_date(claim.timestamp);
  INVARIANT(time && *time == claim.time_ms, "one time in two forms");
  if (!claim.presigned) return;
  INVARIANT(claim.expires_s >= 1 && claim.expires_s <= s3::kPresignSecondsMax, "a bounded life");
}

// The canonical form of a request and of one whose target is written in another way are equal.
void check_canonical(const s3::RequestHead& head, const s3::SignatureClaim& claim) {
  const auto canonical = s3::canonical_request(head, claim);
  const auto path = s3::percent_decode(head.path, false);
  INVARIANT(canonical.has_value() == path.has_value(), "only a bad escape has no canonical form");
  if (!canonical) return;
  s3::RequestHead other = head;
  other.path = s3::percent_encode(*path, true);
  const auto params = s3::parse_query(head.query);
  INVARIANT(params, "a claim was read from this query");
  other.query.clear();
  for (auto it = params->rbegin(); it != params->rend(); ++it)
    other.query +=
        "&" + s3::percent_encode(it->first, false) + "=" + s3::percent_encode(it->second, false);
  const auto again = s3::canonical_request(other, claim);
  INVARIANT(again && *again == *canonical, "order and escaping do not change what is signed");
  const auto lines = std::count(canonical->begin(), canonical->end(), '\n');
  INVARIANT(lines == static_cast<ptrdiff_t>(claim.signed_header_names().size()) + 5,
            "no part of a request can add a line");
}

void check_time_rules(const s3::SignatureClaim& claim, const s3::RequestHead& head) {
  const auto now = s3::check_claim(claim, head, claim.time_ms, "");
  const auto late =
      s3::check_claim(claim, head, claim.time_ms + (s3::kPresignSecondsMax + 3600) * 1000, "");
  const auto early = s3::check_claim(claim, head, claim.time_ms - 16 * 60 * 1000, "");
  INVARIANT(!late && !early, "a signature has a beginning and an end");
  if (!now) return;
  INVARIANT(claim.scope.date == claim.timestamp.substr(0, 8), "the key is of the same day");
  const auto names = claim.signed_header_names();
  INVARIANT(
      std::find(names.begin(), names.end(), "host") != names.end() || !head.headers.has("host"),
      "the host is signed");
}

}  // namespace

void fuzz_one(std::string_view input) {
  const auto parsed = s3::parse_head(input);
  if (!parsed || !*parsed) return;
  const s3::RequestHead& head = (*parsed)->head;
  const auto claim = s3::parse_claim(head);
  if (!claim) {
    INVARIANT(claim.error().status >= 400 && claim.error().status <= 501, "an answer");
    return;
  }
  if (!*claim) {
    INVARIANT(!head.headers.has("authorization"), "credentials are never passed over");
    return;
  }
  check_claim_fields(**claim);
  check_canonical(head, **claim);
  check_time_rules(**claim, head);
}

}  // namespace kura::fuzz
