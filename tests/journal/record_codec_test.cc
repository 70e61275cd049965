#include "journal/record_codec.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/limits.h"
#include "tests/journal/journal_fixture.h"

namespace kura::journal {
namespace {

std::string encode(const Record& record, const RecordPlace& place) {
  std::string out(kRecordHeaderBytes, '\0');
  encode_record_header(record, place, out.data());
  out += record.payload;
  out += record.body;
  out.resize(encoded_size(record), '\0');
  return out;
}

template <class IdType>
IdType any_id() {
  IdType id;
  for (uint8_t& byte : id.bytes) byte = *rc::gen::arbitrary<uint8_t>();
  return id;
}

Record any_record() {
  Record r;
  r.partition = PartitionId{*rc::gen::arbitrary<uint16_t>()};
  r.kind = *rc::gen::element(RecordKind::claim, RecordKind::event, RecordKind::noop,
                             RecordKind::release);
  r.open = *rc::gen::arbitrary<bool>();
  r.epoch = Epoch{*rc::gen::arbitrary<uint64_t>()};
  r.writer = any_id<WriterId>();
  r.seq = *rc::gen::arbitrary<uint64_t>();
  r.lease_ms = *rc::gen::arbitrary<uint32_t>();
  r.seen = Offset{*rc::gen::arbitrary<uint64_t>()};
  r.request_id = any_id<RequestId>();
  r.request_digest = *rc::gen::arbitrary<uint64_t>();
  r.payload = *rc::gen::arbitrary<std::string>();
  r.body = *rc::gen::arbitrary<std::string>();
  return r;
}

RecordPlace any_place() {
  return {any_id<JournalId>(), Offset{*rc::gen::arbitrary<uint64_t>()},
          *rc::gen::arbitrary<uint32_t>(), *rc::gen::arbitrary<uint32_t>()};
}

TEST(RecordCodec, GivesBackWhatItTook) {
  EXPECT_TRUE(rc::check([] {
    const Record record = any_record();
    const RecordPlace place = any_place();
    std::string bytes = encode(record, place);
    RC_ASSERT(bytes.size() % kRecordAlign == 0);
    RC_ASSERT(record_size(bytes, place.journal, place.offset) == bytes.size());
    bytes += *rc::gen::arbitrary<std::string>();  // What follows does not matter.
    const auto view = parse_record(bytes, place.journal, place.offset);
    RC_ASSERT(view.has_value());
    RC_ASSERT(same(view->record(), record));
    RC_ASSERT(view->bytes.size() == encoded_size(record));
    RC_ASSERT(view->body_crc32c == crc32c(record.body));
    RC_ASSERT(view->back == place.back);
    RC_ASSERT(view->since == place.since);
    const bool of_nobody = record.epoch == Epoch{} && record.writer.is_nil();
    RC_ASSERT(view->withdraws() == (of_nobody && record.kind == RecordKind::noop));
  }));
}

TEST(RecordCodec, AWithdrawalIsANoopOfNoWriter) {
  const RecordPlace place{journal_id(), Offset{4096}, 0, 0};
  auto withdrawn = [&place](const Record& record) {
    const std::string bytes = encode(record, place);
    return parse_record(bytes, place.journal, place.offset)->withdraws();
  };
  const Record record = withdrawal(PartitionId{7});
  EXPECT_EQ(encoded_size(record), kRecordHeaderBytes);  // The least: it fits in place of any.
  EXPECT_TRUE(withdrawn(record));
  Record other = record;
  other.epoch = Epoch{1};
  EXPECT_FALSE(withdrawn(other));
  other = record;
  other.writer = writer_id(1);
  EXPECT_FALSE(withdrawn(other));
  other = record;
  other.kind = RecordKind::release;
  EXPECT_FALSE(withdrawn(other));
}

TEST(RecordCodec, IsValidOnlyAtItsOwnPlaceOfItsOwnJournal) {
  EXPECT_TRUE(rc::check([] {
    const RecordPlace place = any_place();
    const std::string bytes = encode(any_record(), place);
    const Offset elsewhere{place.offset.value + *rc::gen::inRange<uint64_t>(1, 1 << 20)};
    RC_ASSERT(parse_record(bytes, place.journal, elsewhere).error() == RecordFault::foreign);
    JournalId other = place.journal;
    other.bytes[*rc::gen::inRange<size_t>(0, 16)] ^= 1;
    RC_ASSERT(parse_record(bytes, other, place.offset).error() == RecordFault::foreign);
  }));
}

TEST(RecordCodec, RefusesEveryFlippedBitAndEveryCut) {
  const RecordPlace place{journal_id(), Offset{4096}, 0, 0};
  for (const Record& record :
       {test_record(1, 21, 45), test_record(2, 0, 0), test_record(3, 32, 0)}) {
    const std::string bytes = encode(record, place);
    for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
      EXPECT_FALSE(parse_record(flipped, place.journal, place.offset).has_value()) << bit;
    }
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(parse_record(bytes.substr(0, size), place.journal, place.offset)) << size;
    }
  }
}

TEST(RecordCodec, SurvivesAnyBytes) {
  EXPECT_TRUE(rc::check([] {
    std::string bytes = encode(any_record(), {journal_id(), Offset{16}, 0, 0});
    const auto changes = *rc::gen::arbitrary<std::vector<std::pair<uint16_t, uint8_t>>>();
    for (auto [at, value] : changes) bytes[at % bytes.size()] = static_cast<char>(value);
    (void)parse_record(bytes, journal_id(), Offset{16});
    (void)locate_record(bytes, journal_id(), Offset{16});
  }));
}

TEST(RecordCodec, RefusesALengthBeyondTheLimit) {
  Record record = test_record(1);
  const RecordPlace place{journal_id(), Offset{16}, 0, 0};
  std::string bytes = encode(record, place);
  bytes[32 + 3] = 0x7f;  // Payload length, highest byte.
  EXPECT_EQ(record_size(bytes, place.journal, place.offset).error(), RecordFault::grammar);
}

}  // namespace
}  // namespace kura::journal
