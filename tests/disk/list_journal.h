// A pool and a log in front of it, whose small bodies leave it.

#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "journal/journal.h"
#include "journal/record_codec.h"
#include "pool_world.h"

namespace kura::disk {

// A log of real records that is read only, on a loop of its own.
class ListJournal final : public journal::Journal {
 public:
  explicit ListJournal(Loop& loop) : loop_(loop) {}
  JournalId id() const override { return {}; }
  journal::Bounds bounds() const override { return {start_, Offset(end_)}; }
  Task<Result<std::vector<Offset>>> append(std::vector<journal::Record>&,
                                           journal::AppendClass) override {
    co_return fail(Errc::unavailable);
  }
  Task<Result<std::vector<journal::StoredRecord>>> read(Offset, uint64_t) override {
    co_return fail(Errc::unsupported);
  }
  Task<Result<journal::RawRecords>> read_raw(Offset from, Offset below,
                                             uint64_t bytes_max) override {
    EXPECT_TRUE(loop_.is_current()) << "a journal is called on its own loop";
    co_await sleep_for(100 * sim::kMicrosecond);
    journal::RawRecords out{from, from, {}};
    for (const auto& [offset, bytes] : records_) {
      if (offset < from.value) continue;
      if (offset >= below.value) {
        if (out.bytes.empty()) out.from = out.end = Offset(offset);
        break;
      }
      if (out.bytes.empty()) out.from = Offset(offset);
      if (out.bytes.size() >= bytes_max || gaps_.contains(offset)) {
        if (!out.bytes.empty()) break;
      }
      out.bytes += bytes;
      const auto behind = records_.upper_bound(offset);
      out.end = Offset(behind == records_.end() ? end_ : behind->first);
    }
    co_return out;
  }
  Task<Result<std::string>> read_body(v1::JournalBody body) override {
    std::string out;
    uint64_t bytes = 0;
    if (Offset(body.offset()) < start_) co_return fail(Errc::not_found);
    const auto record = records_.find(body.offset());
    if (record == records_.end()) co_return fail(Errc::not_found);
    const auto found = journal::find_body(record->second, {}, body, &out, &bytes);
    if (found != journal::BodyParse::good) co_return fail(Errc::corrupt);
    co_return out;
  }
  bool try_read_body(const v1::JournalBody&, std::string*) override { return false; }
  Task<Result<void>> truncate(Offset below) override {
    start_ = below;
    co_return Result<void>();
  }

  Offset add(const v1::Event& event, std::string body) {
    journal::Record record;
    record.partition = PartitionId{1};
    record.seq = 1;
    record.payload = event.SerializeAsString();
    record.body = std::move(body);
    std::string bytes(journal::kRecordHeaderBytes, '\0');
    journal::encode_record_header(record, {JournalId{}, Offset(end_), 0, 0}, bytes.data());
    bytes += record.payload + record.body;
    bytes.resize(journal::encoded_size(record), '\0');
    const Offset offset(end_);
    end_ += bytes.size();
    records_[offset.value] = std::move(bytes);
    return offset;
  }
  // The next record begins another segment.
  void gap() {
    end_ += 4096;
    gaps_.insert(end_);
  }
  uint64_t end_ = 512;

 private:
  Loop& loop_;
  Offset start_;
  std::map<uint64_t, std::string> records_;
  std::set<uint64_t> gaps_;
};

class DestageWorld : public testing::Test {
 public:
  DestageWorld() : journal_loop(pool.world, "journal", pool.clock), journal(journal_loop) {
    EXPECT_TRUE(pool.start());
  }

  // An inline PUT, folded.
  void put(const std::string& key, uint64_t bytes) {
    v1::Event event;
    v1::PutCommitted& committed = *event.mutable_put_committed();
    committed.set_bucket(7);
    committed.set_key(key);
    const std::string content = content_of(key + std::to_string(journal.end_), bytes);
    auto& body = *committed.mutable_version()->mutable_body()->mutable_journal();
    body.set_length(static_cast<uint32_t>(bytes));
    body.set_crc32c(crc32c(content));
    body.set_offset(0);
    v1::JournalBody folded = body;
    folded.set_offset(journal.add(event, content).value);
    pool.bodies.bodies[key].Clear();
    *pool.bodies.bodies[key].mutable_journal() = folded;
    pool.bodies.content[key] = content;
  }

  Result<Offset> destage(uint64_t from, uint64_t below, uint64_t bytes_max = 64 * kMiB) {
    // Asked from the journal's loop, as the node does.
    Task<Result<Offset>> task = pool.pool->destage(journal, Offset(from), Offset(below), bytes_max);
    Task<Result<Offset>> moved = run_on(static_cast<Loop&>(journal_loop), std::move(task));
    return pool.run<Result<Offset>>(std::move(moved));
  }

  // Every body reads back right: from the log, from where it was archived, or from where it moved.
  void expect_all() {
    auto bodies = pool.pool->inline_bodies(journal);
    for (const auto& [key, body] : pool.bodies.bodies) {
      if (!body.has_journal()) {
        auto read = pool.get_now(key);
        ASSERT_TRUE(read && *read == pool.bodies.content.at(key)) << key;
        continue;
      }
      auto read = pool.run<Result<std::string>>(bodies->read_body(body.journal()));
      ASSERT_TRUE(read) << key << ": " << read.error().detail;
      ASSERT_TRUE(*read == pool.bodies.content.at(key)) << key;
      std::string tried;
      if (bodies->try_read_body(body.journal(), &tried)) {
        ASSERT_TRUE(tried == pool.bodies.content.at(key)) << key;
      }
    }
  }
  uint64_t used_bytes() const {
    uint64_t used = 0;
    for (const auto& disk : pool.disks) used += disk->used_bytes();
    return used;
  }

  PoolWorld pool{6};
  sim::SimLoop journal_loop;
  ListJournal journal;
};

}  // namespace kura::disk
