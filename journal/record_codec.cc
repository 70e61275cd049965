#include "journal/record_codec.h"

#include <algorithm>
#include <cstring>

#include "base/crc32c.h"
#include "base/limits.h"
#include "journal/little_endian.h"

namespace kura::journal {
namespace {

// Byte positions in the header.
enum At : size_t {
  kMagicAt = 0,
  kVersionAt = 4,
  kPartitionAt = 6,
  kOffsetAt = 8,
  kJournalAt = 16,
  kPayloadBytesAt = 32,
  kBodyBytesAt = 36,
  kBodyCrcAt = 40,
  kSinceAt = 44,
  kKindAt = 48,
  kFlagsAt = 49,
  kZeroAt = 50,
  kLeaseAt = 52,
  kEpochAt = 56,
  kWriterAt = 64,
  kSeqAt = 80,
  kSeenAt = 88,
  kRequestAt = 96,
  kDigestAt = 112,
  kBackAt = 120,
  kCrcAt = 124,
};

constexpr uint8_t kOpenFlag = 1;
constexpr uint64_t kPayloadGuessBytes = 1024;

constexpr uint64_t padded(uint64_t bytes) {
  return (bytes + kRecordAlign - 1) / kRecordAlign * kRecordAlign;
}

template <class IdType>
void put_id(char* out, const IdType& id) {
  std::memcpy(out, id.bytes.data(), id.bytes.size());
}

bool all_zero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

}  // namespace

uint64_t encoded_size(const Record& record) {
  return padded(kRecordHeaderBytes + record.payload.size() + record.body.size());
}

void encode_record_header(const Record& record, const RecordPlace& place, char* out) {
  std::memcpy(out + kMagicAt, kRecordMagic, sizeof kRecordMagic);
  put_le(out + kVersionAt, kRecordVersion);
  put_le(out + kPartitionAt, record.partition.value);
  put_le(out + kOffsetAt, place.offset.value);
  put_id(out + kJournalAt, place.journal);
  put_le(out + kPayloadBytesAt, static_cast<uint32_t>(record.payload.size()));
  put_le(out + kBodyBytesAt, static_cast<uint32_t>(record.body.size()));
  put_le(out + kBodyCrcAt, crc32c(record.body));
  put_le(out + kSinceAt, place.since);
  out[kKindAt] = static_cast<char>(record.kind);
  out[kFlagsAt] = static_cast<char>(record.open ? kOpenFlag : 0);
  put_le(out + kZeroAt, uint16_t{0});
  put_le(out + kLeaseAt, record.lease_ms);
  put_le(out + kEpochAt, record.epoch.value);
  put_id(out + kWriterAt, record.writer);
  put_le(out + kSeqAt, record.seq);
  put_le(out + kSeenAt, record.seen.value);
  put_id(out + kRequestAt, record.request_id);
  put_le(out + kDigestAt, record.request_digest);
  put_le(out + kBackAt, place.back);
  put_le(out + kCrcAt, crc32c_extend(crc32c({out, kCrcAt}), record.payload));
}

Record RecordView::record() const {
  const char* in = bytes.data();
  Record record;
  record.partition = PartitionId{get_le<uint16_t>(in + kPartitionAt)};
  record.kind = static_cast<RecordKind>(in[kKindAt]);
  record.open = (in[kFlagsAt] & kOpenFlag) != 0;
  record.epoch = Epoch{get_le<uint64_t>(in + kEpochAt)};
  record.writer = uuid_from<WriterId>(bytes.substr(kWriterAt, 16));
  record.seq = get_le<uint64_t>(in + kSeqAt);
  record.lease_ms = get_le<uint32_t>(in + kLeaseAt);
  record.seen = Offset{get_le<uint64_t>(in + kSeenAt)};
  record.request_id = uuid_from<RequestId>(bytes.substr(kRequestAt, 16));
  record.request_digest = get_le<uint64_t>(in + kDigestAt);
  record.payload = payload;
  record.body = body;
  return record;
}

Record withdrawal(PartitionId partition) {
  Record record;
  record.partition = partition;
  record.kind = RecordKind::noop;
  return record;
}

bool RecordView::withdraws() const {
  const char* in = bytes.data();
  return in[kKindAt] == static_cast<char>(RecordKind::noop) &&
         get_le<uint64_t>(in + kEpochAt) == 0 && all_zero(bytes.substr(kWriterAt, 16));
}

const char* describe(RecordFault fault) {
  switch (fault) {
    case RecordFault::cut:
      return "cut short";
    case RecordFault::no_record:
      return "no record";
    case RecordFault::foreign:
      return "of another place or journal";
    case RecordFault::version:
      return "of an unknown format";
    case RecordFault::grammar:
      return "malformed header";
    case RecordFault::header_crc:
      return "damaged header or payload";
    case RecordFault::body_crc:
      return "damaged body";
    case RecordFault::padding:
      return "damaged padding";
  }
  return "?";
}

tl::expected<uint64_t, RecordFault> record_size(std::string_view bytes, const JournalId& journal,
                                                Offset offset) {
  auto fault = [](RecordFault f) { return tl::unexpected<RecordFault>(f); };
  if (bytes.size() < kRecordHeaderBytes) return fault(RecordFault::cut);
  const char* in = bytes.data();
  if (std::memcmp(in, kRecordMagic, sizeof kRecordMagic) != 0) return fault(RecordFault::no_record);
  if (get_le<uint64_t>(in + kOffsetAt) != offset.value) return fault(RecordFault::foreign);
  if (bytes.substr(kJournalAt, 16) != journal.view()) return fault(RecordFault::foreign);
  if (get_le<uint16_t>(in + kVersionAt) != kRecordVersion) return fault(RecordFault::version);
  const uint64_t payload = get_le<uint32_t>(in + kPayloadBytesAt);
  const uint64_t body = get_le<uint32_t>(in + kBodyBytesAt);
  const uint64_t size = padded(kRecordHeaderBytes + payload + body);
  if (size > kRecordMax) return fault(RecordFault::grammar);
  return size;
}

tl::expected<RecordView, RecordFault> locate_record(std::string_view bytes,
                                                    const JournalId& journal, Offset offset) {
  auto size = record_size(bytes, journal, offset);
  if (!size) return tl::unexpected<RecordFault>(size.error());
  const char* in = bytes.data();
  const uint32_t payload = get_le<uint32_t>(in + kPayloadBytesAt);
  const uint32_t body = get_le<uint32_t>(in + kBodyBytesAt);
  if (bytes.size() < kRecordHeaderBytes + uint64_t{payload} + body) {
    return tl::unexpected<RecordFault>(RecordFault::cut);
  }
  RecordView view;
  view.bytes = bytes.substr(0, *size);
  view.payload = bytes.substr(kRecordHeaderBytes, payload);
  view.body = bytes.substr(kRecordHeaderBytes + payload, body);
  view.body_crc32c = get_le<uint32_t>(in + kBodyCrcAt);
  view.back = get_le<uint32_t>(in + kBackAt);
  view.since = get_le<uint32_t>(in + kSinceAt);
  return view;
}

tl::expected<RecordView, RecordFault> parse_record(std::string_view bytes, const JournalId& journal,
                                                   Offset offset) {
  auto fault = [](RecordFault f) { return tl::unexpected<RecordFault>(f); };
  auto view = locate_record(bytes, journal, offset);
  if (!view) return view;
  const char* in = bytes.data();
  if (view->bytes.size() != padded(kRecordHeaderBytes + view->payload.size() + view->body.size())) {
    return fault(RecordFault::cut);
  }
  if (get_le<uint32_t>(in + kCrcAt) != crc32c_extend(crc32c({in, kCrcAt}), view->payload)) {
    return fault(RecordFault::header_crc);
  }
  if (in[kKindAt] < 1 || in[kKindAt] > static_cast<char>(RecordKind::release) ||
      (in[kFlagsAt] & ~kOpenFlag) != 0 || get_le<uint16_t>(in + kZeroAt) != 0) {
    return fault(RecordFault::grammar);
  }
  if (view->body_crc32c != crc32c(view->body)) return fault(RecordFault::body_crc);
  const size_t used = kRecordHeaderBytes + view->payload.size() + view->body.size();
  if (!all_zero(view->bytes.substr(used))) return fault(RecordFault::padding);
  return view;
}

uint64_t first_read_bytes(const v1::JournalBody& body) {
  return std::min<uint64_t>(kRecordHeaderBytes + kPayloadGuessBytes + body.length(), kRecordMax);
}

BodyParse find_body(std::string_view bytes, const JournalId& journal, const v1::JournalBody& want,
                    std::string* out, uint64_t* record_bytes) {
  auto size = record_size(bytes, journal, Offset{want.offset()});
  if (!size) return BodyParse::bad;
  *record_bytes = *size;
  auto record = locate_record(bytes, journal, Offset{want.offset()});
  if (!record) return bytes.size() < *size ? BodyParse::more : BodyParse::bad;
  if (record->body.size() != want.length() || crc32c(record->body) != want.crc32c()) {
    return BodyParse::bad;
  }
  out->assign(record->body);
  return BodyParse::good;
}

}  // namespace kura::journal
