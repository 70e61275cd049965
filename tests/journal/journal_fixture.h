// A machine with in-memory disks and an embedded journal on them.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "journal/embedded/embedded_journal.h"
#include "journal/record_codec.h"
#include "tests/journal/memory_drive.h"
#include "tests/journal/test_loop.h"

namespace kura::journal {

inline DriveId drive_id(size_t n) {
  DriveId id;
  id.bytes[0] = 0xd0;
  id.bytes[15] = static_cast<uint8_t>(n);
  return id;
}

inline JournalId journal_id(uint8_t n = 1) {
  JournalId id;
  for (uint8_t& byte : id.bytes) byte = 0xa0 + n;
  return id;
}

// Of a process of its own.
inline WriterId fresh_writer() {
  static uint64_t processes = 0;
  WriterId id;
  id.bytes[0] = 0xf0;
  const uint64_t n = ++processes;
  for (size_t i = 0; i < 8; ++i) id.bytes[15 - i] = static_cast<uint8_t>(n >> (8 * i));
  return id;
}

inline WriterId writer_id(uint8_t n) {
  WriterId id;
  id.bytes[0] = n;
  return id;
}

// An event with `payload_bytes` and `body_bytes` that depend on `n`.
inline Record test_record(uint64_t n, size_t payload_bytes = 20, size_t body_bytes = 40) {
  Record record;
  record.partition = PartitionId{static_cast<uint16_t>(n % 16)};
  record.kind = RecordKind::event;
  record.open = n % 2 == 1;
  record.epoch = Epoch{7};
  record.writer = writer_id(3);
  record.seq = n;
  record.seen = Offset{n * 3};
  record.request_id.bytes[4] = static_cast<uint8_t>(n);
  record.request_digest = n * 77;
  for (size_t i = 0; i < payload_bytes; ++i)
    record.payload += static_cast<char>('a' + (n + i) % 26);
  for (size_t i = 0; i < body_bytes; ++i) record.body += static_cast<char>(n * 31 + i * 7);
  return record;
}

inline bool same(const Record& a, const Record& b) {
  return a.partition == b.partition && a.kind == b.kind && a.open == b.open && a.epoch == b.epoch &&
         a.writer == b.writer && a.seq == b.seq && a.lease_ms == b.lease_ms && a.seen == b.seen &&
         a.request_id == b.request_id && a.request_digest == b.request_digest &&
         a.payload == b.payload && a.body == b.body;
}

inline bool withdraws(const Record& record) { return same(record, withdrawal(record.partition)); }

inline v1::JournalBody body_of(Offset offset, const Record& record) {
  v1::JournalBody body;
  body.set_offset(offset.value);
  body.set_length(static_cast<uint32_t>(record.body.size()));
  body.set_crc32c(crc32c(record.body));
  return body;
}

class Machine {
 public:
  explicit Machine(size_t disk_count) {
    for (size_t i = 0; i < disk_count; ++i) {
      disks.push_back(std::make_unique<MemoryDisk>("drive " + std::to_string(i), &power));
    }
    boot();
  }
  ~Machine() { halt(); }

  // Options for a log whose segments hold a few records.
  static EmbeddedJournalOptions small(uint32_t mirror_count) {
    EmbeddedJournalOptions options;
    options.journal = journal_id();
    options.writer = fresh_writer();
    options.mirror_count = mirror_count;
    options.segment_bytes = 4096 + 1024;
    options.body_cache_bytes = 0;
    return options;
  }

  std::vector<JournalDrive> drives(std::vector<size_t> which = {}) {
    if (which.empty()) {
      for (size_t i = 0; i < disks.size(); ++i) which.push_back(i);
    }
    std::vector<JournalDrive> out;
    for (size_t i : which) out.push_back({drive_id(i), disks[i]->mount()});
    return out;
  }

  void create(EmbeddedJournalOptions options) {
    auto made = loop->get(EmbeddedJournal::create(*loop, drives(), options));
    ASSERT_TRUE(made.has_value()) << made.error().detail;
    journal = std::move(*made);
  }
  // The error of opening, if any.
  std::optional<Error> open(EmbeddedJournalOptions options, std::vector<size_t> which = {}) {
    journal.reset();
    options.writer = fresh_writer();
    auto opened = loop->run(EmbeddedJournal::open(*loop, drives(which), options));
    if (!opened) return Error{Errc::timed_out, "never returned"};
    if (!*opened) return opened->error();
    journal = std::move(**opened);
    return std::nullopt;
  }
  Result<std::vector<Offset>> append(std::vector<Record> records,
                                     AppendClass append_class = AppendClass::normal) {
    const std::vector<Record> sent = records;
    auto offsets = loop->get(journal->append(records, append_class));
    // Given back whole, also when a drive keeps them.
    EXPECT_TRUE(std::equal(records.begin(), records.end(), sent.begin(), sent.end(), same));
    return offsets;
  }
  std::vector<StoredRecord> read_all(uint64_t bytes_max = 1000) {
    std::vector<StoredRecord> out;
    Offset at = journal->bounds().start;
    for (;;) {
      auto some = loop->get(journal->read(at, bytes_max));
      EXPECT_TRUE(some.has_value()) << some.error().detail;
      if (!some || some->empty()) return out;
      for (StoredRecord& record : *some) out.push_back(std::move(record));
      at = out.back().end;
    }
  }
  // Everything in memory is gone; the disks stay.
  void halt() {
    for (auto& disk : disks) disk->stuck.clear();
    if (loop) loop->stop();
    journal.reset();
    loop.reset();
  }
  void boot() {
    halt();
    power = Power{};
    loop = std::make_unique<TestLoop>();
    loop->halted = [this] { return power.off(); };
  }
  void crash(Unsynced policy, uint64_t seed = 1) {
    halt();
    for (size_t i = 0; i < disks.size(); ++i) disks[i]->crash(policy, seed + i * 1000);
    boot();
  }

  Power power;
  std::vector<std::unique_ptr<MemoryDisk>> disks;
  std::unique_ptr<TestLoop> loop;
  std::unique_ptr<EmbeddedJournal> journal;
};

}  // namespace kura::journal
