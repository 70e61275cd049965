// Keys of the view: what was built parses to its parts, what parses is what the builder builds, and
// the order of rows is the order of what they say.
//
// Input: two keys (length first), numbers, then a raw row key.

#include "projections/metadata/rows.h"

#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

void check_raw(std::string_view raw) {
  if (const auto key = row::parse_upload_key(raw))
    INVARIANT(row::upload_key(key->bucket, key->key, key->upload_id) == raw, "upload key");
  if (const auto key = row::parse_extent_key(raw))
    INVARIANT(row::extent_key(key->set, key->offset_bytes, key->member) == raw, "extent key");
  if (const auto key = row::parse_noncurrent_key(raw))
    INVARIANT(row::noncurrent_key(key->bucket, key->key, key->sequence) == raw, "noncurrent key");
  if (const auto value = row::decode_u64(raw))
    INVARIANT(row::encode_u64(*value) == raw, "a number row");
  if (const auto end = row::behind(std::string(raw)))
    INVARIANT(raw < *end && std::string(raw) + "\xff\xff" < *end, "behind all that start so");
}

}  // namespace

void fuzz_one(std::string_view input) {
  Input in(input);
  const std::string a(in.text()), b(in.text());
  const BucketId bucket{in.number<uint64_t>()};
  const uint64_t sequence = in.number<uint64_t>(), other = in.number<uint64_t>();
  std::string upload(in.bytes(16));
  upload.resize(16, '\0');
  check_raw(in.rest());

  const auto parsed_upload = row::parse_upload_key(row::upload_key(bucket, a, upload));
  INVARIANT(parsed_upload && parsed_upload->bucket == bucket && parsed_upload->key == a &&
                parsed_upload->upload_id == upload,
            "an upload key says its parts");
  const auto version = row::parse_noncurrent_key(row::noncurrent_key(bucket, a, sequence));
  INVARIANT(version && version->key == a && version->sequence == sequence, "a version's parts");
  INVARIANT(row::decode_u64(row::encode_u64(sequence)) == sequence, "a number");

  const std::string row_a = row::noncurrent_key(bucket, a, sequence);
  const std::string row_b = row::noncurrent_key(bucket, b, other);
  if (a != b) INVARIANT((row_a < row_b) == (a < b), "rows are in the order of keys");
  if (a == b && sequence != other)
    INVARIANT((row_a < row_b) == (sequence > other), "newest versions first");
  if (a != b) INVARIANT((row::escape(a) < row::escape(b)) == (a < b), "escaping keeps order");
  INVARIANT((row::extent_key(SetId{1}, sequence, 0) < row::extent_key(SetId{1}, other, 0)) ==
                (sequence < other),
            "extents are in the order of offsets");
}

}  // namespace kura::fuzz
