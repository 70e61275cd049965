// Recovery of the log from damaged mirrors: a merge gives back the records that were written, in
// order, or refuses; after it has written, all mirrors are equal and a second merge finds nothing.
// A journal that runs knows where its log ends: then no record is lost without a word.
//
// Input: how the records lie (sizes, appends), then damages: mirror, file position, length, kind.
// The last byte: odd for a journal that runs.

#include <set>

#include "base/limits.h"
#include "journal/embedded/embedded_journal.h"
#include "journal/embedded/merge.h"
#include "journal/embedded/segment_format.h"
#include "journal/record_codec.h"
#include "tests/fuzz/fuzz.h"
#include "tests/journal/memory_drive.h"
#include "tests/journal/test_loop.h"

namespace kura::fuzz {
namespace {

using namespace journal;  // NOLINT: a test of this namespace.

constexpr uint64_t kCapacityBytes = 6 * 1024;
constexpr size_t kMirrors = 2;

struct Written {
  std::string bytes;
  uint64_t synced = 0;  // All below was synced on every mirror when this record was sent.
};

// What was written: the files of a mirror, and each record by its offset.
struct Log {
  JournalId journal;
  std::map<std::string, std::string> files;
  std::map<uint64_t, Written> records;
  uint64_t end = kSegmentHeaderBytes;
};

std::string encoded(const Record& record, const RecordPlace& place) {
  std::string out(encoded_size(record), '\0');
  encode_record_header(record, place, out.data());
  std::copy(record.payload.begin(), record.payload.end(), out.begin() + kRecordHeaderBytes);
  return out;
}

Log write_log(Input& in) {
  Log log;
  log.journal.bytes[3] = 7;
  const size_t count = in.number<uint8_t>() % 40;
  uint64_t base = 0, at = kSegmentHeaderBytes, last = 0, end = at, synced = at;
  auto open = [&] {
    std::string& file = log.files[segment_name(base)];
    file = encode_segment_header({log.journal, base, kCapacityBytes});
    file.resize(kCapacityBytes, '\0');
  };
  open();
  for (size_t i = 0; i < count; ++i) {
    Record record;
    const auto shape = in.number<uint8_t>();
    record.payload.assign(shape, static_cast<char>('a' + i % 26));
    record.epoch = Epoch{1};
    record.seq = i + 1;
    if (at + encoded_size(record) > kCapacityBytes) {
      base += kCapacityBytes;
      at = kSegmentHeaderBytes;
      open();
    }
    if (shape % 3 != 0) synced = end;  // A new append; else one more record of the same.
    const uint64_t offset = base + at;
    const RecordPlace place{log.journal, Offset{offset},
                            static_cast<uint32_t>(last == 0 ? 0 : offset - last),
                            static_cast<uint32_t>(offset - synced)};
    const std::string bytes = encoded(record, place);
    log.files[segment_name(base)].replace(at, bytes.size(), bytes);
    log.records[offset] = {bytes, synced};
    last = offset;
    at += bytes.size();
    log.end = end = base + at;
  }
  return log;
}

using Disks = std::vector<std::unique_ptr<MemoryDisk>>;

void damage(Input& in, Disks& disks) {
  for (int i = 0; i < 8 && !in.empty(); ++i) {
    MemoryDisk& disk = *disks[in.number<uint8_t>() % disks.size()];
    if (disk.files.empty()) return;
    auto it = std::next(disk.files.begin(), in.number<uint8_t>() % disk.files.size());
    std::string& bytes = it->second->bytes;
    const uint64_t at = in.number<uint16_t>() % kCapacityBytes;
    const uint64_t length = std::min<uint64_t>(in.number<uint8_t>() * 16, kCapacityBytes - at);
    switch (in.number<uint8_t>() % 4) {
      case 0:
        if (at < bytes.size()) bytes[at] ^= static_cast<char>(1 << (length / 16 % 8));
        break;
      case 1:
        for (uint64_t j = at; j < std::min<uint64_t>(at + length, bytes.size()); ++j) bytes[j] = 0;
        break;
      case 2:
        bytes.resize(std::min<uint64_t>(at, bytes.size()));
        break;
      default:
        disk.files.erase(it);
        break;
    }
  }
}

bool holds(const MemoryDisk& disk, uint64_t offset, const std::string& bytes) {
  const uint64_t base = offset / kCapacityBytes * kCapacityBytes;
  auto file = disk.files.find(segment_name(base));
  return file != disk.files.end() && offset - base < file->second->bytes.size() &&
         file->second->bytes.compare(offset - base, bytes.size(), bytes) == 0;
}

// Offsets of the records that some mirror still has.
std::set<uint64_t> intact(const Log& log, const Disks& disks) {
  std::set<uint64_t> out;
  for (const auto& [offset, written] : log.records)
    for (const auto& disk : disks)
      if (holds(*disk, offset, written.bytes)) out.insert(offset);
  return out;
}

// What a merge gave back is a prefix of what was written, and lacks nothing that a record behind it
// proves to have been acknowledged.
void check_merged(const Log& log, const MergedLog& merged, const std::set<uint64_t>& found,
                  const Disks& disks) {
  size_t records = 0;
  uint64_t end = kSegmentHeaderBytes;
  for (const auto& [offset, written] : log.records) {
    if (offset <= merged.last) {
      ++records;
      end = offset + written.bytes.size();
      for (const auto& disk : disks)
        INVARIANT(holds(*disk, offset, written.bytes),
                  "every record up to the last, on each mirror");
      continue;
    }
    INVARIANT(!found.contains(offset) || written.synced <= end, "a proven record was cut off");
  }
  INVARIANT(records == merged.records, "and no other");
}

MergeOrder order_of(const Log& log, Disks& disks, bool runs, bool write) {
  MergeOrder order;
  order.journal = log.journal;
  order.write = write;
  if (runs) order.known_end = log.end;
  std::vector<JournalDrive> drives;
  for (size_t i = 0; i < disks.size(); ++i) {
    DriveId id;
    id.bytes[0] = static_cast<uint8_t>(i + 1);
    drives.push_back({id, disks[i]->mount()});
  }
  order.sources = as_mirrors(drives);
  return order;
}

}  // namespace

void fuzz_one(std::string_view input) {
  Input in(input);
  const Log log = write_log(in);
  Disks disks;
  for (size_t i = 0; i < kMirrors; ++i) {
    disks.push_back(std::make_unique<MemoryDisk>("drive " + std::to_string(i)));
    for (const auto& [name, bytes] : log.files) {
      disks[i]->files[name] = std::make_shared<MemoryFile>();
      disks[i]->files[name]->bytes = bytes;
    }
  }
  damage(in, disks);
  const bool runs = !input.empty() && input.back() % 2 != 0;
  const std::set<uint64_t> found = intact(log, disks);
  TestLoop loop;
  const auto looked = loop.get(merge_log(order_of(log, disks, runs, false)));
  const auto merged = loop.get(merge_log(order_of(log, disks, runs, true)));
  if (looked && looked->holes.empty())
    INVARIANT(merged && merged->records == looked->records, "looking says what writing does");
  if (!merged) return;
  INVARIANT(merged->holes.empty(), "holes are refused");
  INVARIANT(!runs || merged->records == log.records.size(), "all that was acknowledged");
  check_merged(log, *merged, found, disks);
  for (const auto& [name, file] : disks[0]->files)
    INVARIANT(disks[1]->files.contains(name) && disks[1]->files[name]->bytes == file->bytes,
              "mirrors are equal after a merge");
  const auto again = loop.get(merge_log(order_of(log, disks, runs, true)));
  INVARIANT(again && again->records == merged->records && again->damage_count == 0 &&
                again->repaired_bytes == 0 && again->cut_bytes == 0,
            "a second merge finds nothing to do");
}

}  // namespace kura::fuzz
