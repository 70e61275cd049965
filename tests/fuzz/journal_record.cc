// Records of the journal: a record written and read is the same; bytes that pass for a record are,
// byte by byte, what the writer writes; and a change of any of them is seen.
//
// Input: place and fields of a record, then payload and body; `damage` says which byte to change.

#include "base/crc32c.h"
#include "base/limits.h"
#include "journal/fold.h"
#include "journal/little_endian.h"
#include "journal/record_codec.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

using namespace journal;  // NOLINT: a test of this namespace.

constexpr size_t kCrcAt = kRecordHeaderBytes - 4;

std::string encode(const Record& record, const RecordPlace& place) {
  std::string out(encoded_size(record), '\0');
  encode_record_header(record, place, out.data());
  std::copy(record.payload.begin(), record.payload.end(), out.begin() + kRecordHeaderBytes);
  std::copy(record.body.begin(), record.body.end(),
            out.begin() + static_cast<ptrdiff_t>(kRecordHeaderBytes + record.payload.size()));
  return out;
}

// The bytes as a record at `place`, if they are one: then the writer would write the same.
void check_is_canonical(std::string_view bytes, const RecordPlace& place) {
  const auto size = record_size(bytes, place.journal, place.offset);
  const auto located = locate_record(bytes, place.journal, place.offset);
  const auto view = parse_record(bytes, place.journal, place.offset);
  if (!view) {
    INVARIANT(describe(view.error())[0] != '?', "every fault has a text");
    return;
  }
  INVARIANT(size && located && *size == view->bytes.size() && *size <= kRecordMax, "one size");
  INVARIANT(located->payload == view->payload && located->body == view->body, "one layout");
  RecordPlace found = place;
  found.back = view->back;
  found.since = view->since;
  INVARIANT(encode(view->record(), found) == view->bytes, "a record has one form");
}

Record record_from(Input& in) {
  Record record;
  record.partition = PartitionId{in.number<uint16_t>()};
  record.kind = static_cast<RecordKind>(1 + in.number<uint8_t>() % 4);
  record.open = in.number<uint8_t>() % 2 == 1;
  record.epoch = Epoch{in.number<uint64_t>()};
  record.writer = in.uuid<WriterId>();
  record.seq = in.number<uint64_t>();
  record.lease_ms = in.number<uint32_t>();
  record.seen = Offset{in.number<uint64_t>()};
  record.request_id = in.uuid<RequestId>();
  record.request_digest = in.number<uint64_t>();
  record.payload = in.text();
  record.body = in.long_text();
  return record;
}

// The input itself as a record, its checksum put right: what a codec bug elsewhere could write.
void check_raw(std::string_view input) {
  if (input.size() < kRecordHeaderBytes) return;
  RecordPlace place;
  place.offset = Offset{get_le<uint64_t>(input.data() + 8)};
  place.journal = uuid_from<JournalId>(input.substr(16, 16));
  check_is_canonical(input, place);
  std::string sealed(input);
  const uint64_t payload = get_le<uint32_t>(sealed.data() + 32);
  const uint64_t body = get_le<uint32_t>(sealed.data() + 36);
  if (payload + body > sealed.size() - kRecordHeaderBytes) return;
  const std::string_view bytes(sealed);
  put_le(sealed.data() + 40, crc32c(bytes.substr(kRecordHeaderBytes + payload, body)));
  put_le(sealed.data() + kCrcAt,
         crc32c_extend(crc32c(bytes.substr(0, kCrcAt)), bytes.substr(kRecordHeaderBytes, payload)));
  check_is_canonical(sealed, place);
}

}  // namespace

void fuzz_one(std::string_view input) {
  check_raw(input);
  Input in(input);
  const size_t damage = in.number<uint16_t>();
  const char bits = static_cast<char>(in.number<uint8_t>());
  RecordPlace place;
  place.journal = in.uuid<JournalId>();
  place.offset = Offset{in.number<uint64_t>()};
  place.back = in.number<uint32_t>();
  place.since = in.number<uint32_t>();
  const Record record = record_from(in);

  std::string bytes = encode(record, place);
  const auto view = parse_record(bytes, place.journal, place.offset);
  INVARIANT(view && view->bytes == bytes, "a record reads as it was written");
  check_is_canonical(bytes, place);
  INVARIANT(!parse_record(bytes, place.journal, Offset{place.offset.value + 1}), "at its offset");
  INVARIANT(!parse_record(std::string_view(bytes).substr(0, bytes.size() - 1), place.journal,
                          place.offset),
            "whole");

  PartitionHead head;
  const PartitionHead before = head;
  if (fold_head(head, record) != Verdict::effective)
    INVARIANT(head == before, "a record of no owner changes nothing at the start");

  if (bits == 0) return;
  bytes[damage % bytes.size()] ^= bits;
  INVARIANT(!parse_record(bytes, place.journal, place.offset), "damage is seen");
}

}  // namespace kura::fuzz
