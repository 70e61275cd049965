// The formats against files that were written by another implementation of the grammar
// (tests/golden/journal/make.py). They never change: a build that fails here cannot read the logs
// of the builds before it.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "journal/embedded/segment_format.h"
#include "journal/record_codec.h"
#include "tests/journal/journal_fixture.h"

namespace kura::journal {
namespace {

template <class IdType>
IdType filled(uint8_t byte) {
  IdType id;
  id.bytes.fill(byte);
  return id;
}

std::string golden(const std::string& name) {
  std::ifstream in(std::string(KURA_GOLDEN_JOURNAL) + "/" + name, std::ios::binary);
  EXPECT_TRUE(in.good()) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<Record> golden_records() {
  Record claim;
  claim.partition = PartitionId{5};
  claim.kind = RecordKind::claim;
  claim.epoch = Epoch{3};
  claim.writer = filled<WriterId>(0x0f);
  claim.lease_ms = 1000;
  Record event = claim;
  event.kind = RecordKind::event;
  event.lease_ms = 0;
  event.open = true;
  event.seq = 1;
  event.seen = Offset{4096};
  for (uint8_t i = 0; i < 16; ++i) event.request_id.bytes[i] = i;
  event.request_digest = 0x1122334455667788;
  event.payload = "payload";
  event.body = "body of 21 bytes long";
  Record noop = claim;
  noop.kind = RecordKind::noop;
  noop.lease_ms = 0;
  noop.open = true;
  noop.seq = 2;
  noop.seen = Offset{4224};
  return {claim, event, noop};
}

MirrorSet golden_set() {
  MirrorSet set;
  set.generation = 2;
  set.journal = filled<JournalId>(0xa1);
  set.cluster = filled<ClusterId>(0xc0);
  set.parity = 1;
  set.drives = {filled<DriveId>(0xd0), filled<DriveId>(0xd1), filled<DriveId>(0xd2)};
  set.members = {set.drives[0], set.drives[1]};
  return set;
}

TEST(Golden, MirrorSetReadsAndWritesTheSameBytes) {
  const std::string bytes = golden("mirrors");
  const auto set = decode_mirror_set(bytes);
  ASSERT_TRUE(set.has_value()) << set.error().detail;
  EXPECT_EQ(*set, golden_set());
  EXPECT_TRUE(encode_mirror_set(golden_set()) == bytes);
}

// A third drive and a mirror more, on the way.
TEST(Golden, AChangeOfTheDrivesReadsAndWritesTheSameBytes) {
  MirrorSet set = golden_set();
  set.generation = 1003;
  set.promised = 2001;
  set.drives_before = {set.drives[0], set.drives[1]};
  const std::string bytes = golden("mirrors2");
  const auto read = decode_mirror_set(bytes);
  ASSERT_TRUE(read.has_value()) << read.error().detail;
  EXPECT_EQ(*read, set);
  EXPECT_TRUE(encode_mirror_set(set) == bytes);
}

TEST(Golden, ASetThatNamesItsWritersReadsAndWritesTheSameBytes) {
  MirrorSet set = golden_set();
  set.generation = 2001;
  set.promised = 3000;
  set.writer = filled<WriterId>(0xe2);
  set.writers = {filled<WriterId>(0xe0), filled<WriterId>(0xe1)};
  set.lagging = {set.drives[2]};
  set.removed = {{filled<DriveId>(0xd3), filled<WriterId>(0xe0)}};
  const std::string bytes = golden("mirrors3");
  const auto read = decode_mirror_set(bytes);
  ASSERT_TRUE(read.has_value()) << read.error().detail;
  EXPECT_EQ(*read, set);
  EXPECT_TRUE(encode_mirror_set(set) == bytes);
}

TEST(Golden, SegmentHeaderReadsAndWritesTheSameBytes) {
  const std::string bytes = golden("0000000000000000.seg").substr(0, kSegmentHeaderBytes);
  const SegmentHeader header{filled<JournalId>(0xa1), 0, 5120};
  const auto read = decode_segment_header(bytes);
  ASSERT_TRUE(read.has_value()) << read.error().detail;
  EXPECT_EQ(*read, header);
  EXPECT_TRUE(encode_segment_header(header) == bytes);
}

// A journal opened on the files reads what is in them, and one that appends the same writes them.
TEST(Golden, ALogOfTheseFilesReadsAndWritesTheSameBytes) {
  const std::string segment = golden("0000000000000000.seg");
  Machine machine(3);
  for (size_t i = 0; i < 2; ++i) {
    machine.disks[i]->files[segment_name(0)] = std::make_shared<MemoryFile>();
    machine.disks[i]->files[segment_name(0)]->bytes = segment;
    machine.disks[i]->files[kMirrorSetFile] = std::make_shared<MemoryFile>();
    machine.disks[i]->files[kMirrorSetFile]->bytes = golden("mirrors");
  }
  std::vector<JournalDrive> drives;
  for (size_t i = 0; i < 2; ++i) {
    drives.push_back({golden_set().drives[i], machine.disks[i]->mount()});
  }
  auto opened = machine.loop->get(EmbeddedJournal::open_read_only(*machine.loop, drives));
  ASSERT_TRUE(opened.has_value()) << opened.error().detail;
  machine.journal = std::move(*opened);
  const std::vector<StoredRecord> found = machine.read_all();
  const std::vector<Record> expected = golden_records();
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(same(found[i].record, expected[i])) << i;
  EXPECT_EQ(found[1].offset, Offset{4224});

  Machine writer(1);
  EmbeddedJournalOptions options = Machine::small(1);
  options.journal = filled<JournalId>(0xa1);
  writer.create(options);
  ASSERT_TRUE(writer.append({expected[0]}).has_value());
  ASSERT_TRUE(writer.append({expected[1], expected[2]}).has_value());
  const std::string& written = writer.disks[0]->files[segment_name(0)]->bytes;
  EXPECT_TRUE(written == segment);
}

}  // namespace
}  // namespace kura::journal
