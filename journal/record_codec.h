// The bytes of a record in the embedded log: 128 bytes of header, payload, body, zeros to 16.
// Grammar and a worked example: README.md.
//
// A record is valid only at its own offset of its own journal, with every length and checksum
// right, so neither a torn write nor stale bytes nor another journal's file ever passes for one.
// Every byte of a valid record is fixed by its content: two valid copies are equal byte by byte.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>

#include "base/ids.h"
#include "journal/record.h"
#include "object.pb.h"

namespace kura::journal {

inline constexpr size_t kRecordHeaderBytes = 128;
inline constexpr size_t kRecordAlign = 16;  // Every record begins and ends at a multiple of this.
inline constexpr uint16_t kRecordVersion = 1;
inline constexpr char kRecordMagic[4] = {'K', 'R', 'E', 'C'};

// Where a record goes and how it hangs together with the log before it.
struct RecordPlace {
  JournalId journal;
  Offset offset;
  uint32_t back = 0;   // Bytes from the start of the record before it; 0: it is the first.
  uint32_t since = 0;  // Bytes from the end of the append before it: all below was synced on every
                       // mirror when this record was written.
};

// Bytes that the record takes in the log, header, payload, body and padding.
uint64_t encoded_size(const Record& record);

// Writes the header; the caller writes payload, body and padding behind it. Together they take
// encoded_size(record). REQUIRES: `out` has kRecordHeaderBytes; sizes below 2^32.
void encode_record_header(const Record& record, const RecordPlace& place, char* out);

// A valid record as it lies in a buffer, which must outlive it.
struct RecordView {
  std::string_view bytes;  // All of it, padding included.
  std::string_view payload;
  std::string_view body;
  uint32_t body_crc32c = 0;
  uint32_t back = 0;
  uint32_t since = 0;

  Record record() const;  // Copies.
  bool withdraws() const;
};

// What takes the place of an append that is refused although a mirror that was lost may have it: a
// noop of no writer, which never counts, and which wins over what that mirror has.
Record withdrawal(PartitionId partition);

enum class RecordFault : uint8_t {
  cut = 1,     // Fewer bytes than the record has.
  no_record,   // No magic: never written, or its first bytes are damaged.
  foreign,     // Of another offset or another journal.
  version,     // Of a format this build does not know.
  grammar,     // Lengths or fields outside what the format allows.
  header_crc,  // Header or payload damaged.
  body_crc,
  padding,
};
const char* describe(RecordFault fault);

// Size of the record that begins at `bytes`, by its header alone: magic, place and lengths are
// checked, checksums are not. Needs kRecordHeaderBytes.
tl::expected<uint64_t, RecordFault> record_size(std::string_view bytes, const JournalId& journal,
                                                Offset offset);
// The record at the front of `bytes`, everything checked.
tl::expected<RecordView, RecordFault> parse_record(std::string_view bytes, const JournalId& journal,
                                                   Offset offset);
// Checks magic, place and lengths only, and `bytes` may lack padding where the buffer ends in it:
// for records that were verified before, or a body whose checksum is known from elsewhere.
tl::expected<RecordView, RecordFault> locate_record(std::string_view bytes,
                                                    const JournalId& journal, Offset offset);

// An inline body of which only the place is known, in bytes read from there.
enum class BodyParse : uint8_t { good, more, bad };
// How much to read at first: payloads of small PUTs are a few hundred bytes, so header, payload and
// body come with one read.
uint64_t first_read_bytes(const v1::JournalBody& body);
// The body that `want` names, in `bytes` from its record's first byte on. `record_bytes` is what to
// read if that needs more.
BodyParse find_body(std::string_view bytes, const JournalId& journal, const v1::JournalBody& want,
                    std::string* out, uint64_t* record_bytes);

}  // namespace kura::journal
