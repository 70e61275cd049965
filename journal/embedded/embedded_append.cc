// Appending: one durable write on every mirror, in parallel.

#include <algorithm>

#include "base/aligned_bytes.h"
#include "base/chance.h"
#include "base/concurrently.h"
#include "base/drive_calls.h"
#include "base/fail_point.h"
#include "journal/embedded/embedded_journal.h"
#include "journal/embedded/segment_format.h"
#include "journal/record_codec.h"

namespace kura::journal {
namespace {

constexpr uint64_t block_of(uint64_t at) { return at / kDirectAlign * kDirectAlign; }

}  // namespace

// The bytes of an append that go into one segment. Whole blocks where that is possible, so that
// they can go past the page cache: the end of the log again as it was, the records, zeros.
struct EmbeddedJournal::Part {
  size_t segment = 0;  // 0: the active one; 1, 2, ...: the spares behind it.
  uint64_t base = 0;   // Of the segment.
  uint64_t limit = 0;  // Bytes of its file.
  size_t records = 0;
  uint64_t at = 0;     // Of the first record in the file.
  uint64_t end = 0;    // Offset behind its last record.
  uint64_t begin = 0;  // Of `bytes` in the file.
  uint64_t length = 0;
  AlignedBytes bytes;

  std::string_view view() const { return bytes.view(0, length); }
  // The last block, up to the end of the log; none if it does not begin in here.
  std::optional<std::string> tail() const {
    const uint64_t block = block_of(end - base);
    if (block < begin) return std::nullopt;
    return std::string(bytes.view(block - begin, end - base - block));
  }
};

struct EmbeddedJournal::Plan {
  std::vector<Offset> offsets;
  std::vector<Part> parts;  // Empty parts are left out; ascending.
  uint64_t last = 0;        // Offset of the last record.
  uint64_t bytes = 0;
  // As they were: end of the log, offset of the last record.
  uint64_t end_before = 0, last_before = 0;

  uint64_t end() const { return parts.back().end; }
  size_t segments() const { return parts.back().segment + 1; }
};

namespace {

// Writes a record as it lies in the log; returns the place behind it.
char* encode_record(const Record& record, const RecordPlace& place, char* out) {
  char* const end = out + encoded_size(record);
  encode_record_header(record, place, out);
  out += kRecordHeaderBytes;
  out += record.payload.copy(out, record.payload.size());
  out += record.body.copy(out, record.body.size());
  return std::fill_n(out, end - out, '\0');
}

}  // namespace

// Gives every record its offset, and the append its parts, still without their bytes.
Result<EmbeddedJournal::Plan> EmbeddedJournal::place_records(
    const std::vector<Record>& records) const {
  Plan plan;
  plan.offsets.reserve(records.size());
  uint64_t base = segments_.back().base, limit = segments_.back().limit(), offset = end();
  size_t segment = 0;
  for (const Record& record : records) {
    const uint64_t size = encoded_size(record);
    if (size > kRecordMax || size > options_.segment_bytes - kSegmentHeaderBytes) {
      return fail(Errc::too_large, "a record of " + std::to_string(size) + " bytes");
    }
    // At most once per append: a chain of nearly empty segments would prove nothing more.
    bool early =
        segment == 0 && offset > base + kSegmentHeaderBytes && chance("journal.roll_early");
    while (early || offset + size > limit) {
      early = false;
      base = limit;
      limit = base +
              (segment < spares_.size() ? spares_[segment].capacity_bytes : options_.segment_bytes);
      ++segment;
      offset = base + kSegmentHeaderBytes;
    }
    if (plan.parts.empty() || plan.parts.back().segment != segment) {
      Part& part = plan.parts.emplace_back();
      part.segment = segment;
      part.base = base;
      part.at = offset - base;
      part.limit = limit - base;
    }
    plan.offsets.push_back(Offset{offset});
    plan.bytes += size;
    plan.parts.back().records += 1;
    offset += size;
    plan.parts.back().end = offset;
  }
  return plan;
}

Result<EmbeddedJournal::Plan> EmbeddedJournal::plan_append(
    const std::vector<Record>& records) const {
  Result<Plan> plan = place_records(records);
  if (!plan) return plan;
  plan->end_before = end();
  plan->last_before = last_;
  uint64_t last = last_;
  size_t i = 0;
  for (Part& part : plan->parts) {
    const bool continues = part.segment == 0 && tail_;
    INVARIANT(!continues || block_of(part.at) + tail_->size() == part.at, "the tail ends the log");
    part.begin = continues ? part.at - tail_->size() : part.at;
    const uint64_t to = std::min(block_of(part.end - part.base + kDirectAlign - 1), part.limit);
    part.bytes = AlignedBytes(to - part.begin);
    part.length = to - part.begin;
    char* out = part.bytes.data();
    if (continues) out += tail_->copy(out, tail_->size());
    for (const size_t behind = i + part.records; i < behind; ++i) {
      const uint64_t offset = plan->offsets[i].value;
      const RecordPlace place{set_.journal, plan->offsets[i],
                              static_cast<uint32_t>(last == 0 ? 0 : offset - last),
                              static_cast<uint32_t>(offset - end())};
      out = encode_record(records[i], place, out);
      last = offset;
    }
    std::fill(out, part.bytes.data() + part.length, '\0');
  }
  plan->last = last;
  return plan;
}

// Sees to it that the append's segments are there, and a spare behind them unless it may use that.
Task<Result<void>> EmbeddedJournal::make_room(size_t segments, AppendClass append_class) {
  const size_t wanted = segments - 1;
  while (spares_.size() < wanted || (spares_.empty() && append_class == AppendClass::normal)) {
    Result<void> made = co_await prepare_spare();
    if (!made) co_return made;
  }
  co_return Result<void>();
}

namespace {

// The fault that options_.ack_before_sync plants: as a store does that syncs now and then.
constexpr int64_t kLateNs = 20'000'000;

Task<void> sync_late(MirrorPtr mirror, std::shared_ptr<File> file) {
  co_await sleep_for(kLateNs);
  Result<void> synced = co_await file->sync();
  if (!synced) mirror->fail(synced.error());
}

// One file's share of an append.
struct Write {
  std::shared_ptr<File> file;  // Without a deadline of its own: one holds for the whole append.
  uint64_t at = 0;
  std::vector<std::string_view> pieces;
};

// May end long after its journal: it uses nothing but what it is given.
Task<Result<void>> write_all(std::shared_ptr<const void> bytes, MirrorPtr to, CallUnderWay token,
                             std::vector<Write> writes, bool ack_before_sync) {
  (void)bytes;
  (void)token;
  before_step("journal.append.mirror");
  if (writes.size() == 1 && !ack_before_sync) {  // One trip to the drive's thread.
    Write& only = writes[0];
    Result<void> done = co_await only.file->write_and_sync(only.at, std::move(only.pieces));
    if (done) after_step("journal.append.mirror");
    co_return judged(*to, std::move(done));
  }
  for (Write& write : writes) {
    Result<void> written = co_await write.file->write(write.at, std::move(write.pieces));
    if (!written) co_return judged(*to, std::move(written));
  }
  for (Write& write : writes) {
    if (ack_before_sync) {
      spawn(*Loop::current(), sync_late(to, write.file));
      continue;
    }
    Result<void> synced = co_await write.file->sync();
    if (!synced) co_return judged(*to, std::move(synced));
  }
  after_step("journal.append.mirror");
  co_return Result<void>();
}

}  // namespace

Task<Result<void>> EmbeddedJournal::write_mirror(std::shared_ptr<const Plan> plan, size_t mirror) {
  const MirrorPtr& to = mirrors_[mirror];
  std::vector<Write> writes;
  for (const Part& part : plan->parts) {
    const LogSegment& segment = part.segment == 0 ? segments_.back() : spares_[part.segment - 1];
    writes.push_back({unbounded(segment.files[mirror]), part.begin, {part.view()}});
  }
  return write_all(std::move(plan), to, CallUnderWay(to->bounds), std::move(writes),
                   options_.ack_before_sync);
}

// Errors: io_error when any mirror failed or hangs; it is sealed off.
Task<Result<void>> EmbeddedJournal::write_everywhere(std::shared_ptr<const Plan> plan) {
  const std::vector<MirrorPtr> mirrors = mirrors_;
  std::vector<Task<Result<void>>> writing;
  for (size_t i = 0; i < mirrors.size(); ++i) writing.push_back(write_mirror(plan, i));
  std::function<bool(size_t)> given_up = [&mirrors](size_t i) { return is_lost(*mirrors[i]); };
  const std::vector<Result<void>> written =
      co_await all_within<void>(std::move(writing), options_.drive_timeout_ns, std::move(given_up));
  counters_.syncs += mirrors.size() * plan->parts.size();
  for (size_t i = 0; i < mirrors.size(); ++i) {
    if (!written[i] && written[i].error().code == Errc::timed_out)
      mirrors[i]->fail(written[i].error());
  }
  for (const MirrorPtr& mirror : mirrors) {
    if (is_lost(*mirror)) co_return fail(Errc::io_error, mirror->reason);
  }
  co_return Result<void>();
}

Task<Result<void>> EmbeddedJournal::undo_mirror(const Plan& plan, std::string withdrawal,
                                                size_t mirror) {
  MirrorPtr on = mirrors_[mirror];
  std::string instead = std::move(withdrawal);  // Then zeros.
  for (const Part& part : plan.parts) {
    const LogSegment* segment = segment_at(part.base);
    if (segment == nullptr) continue;  // Gone, with what was prepared.
    std::shared_ptr<File> file = segment->files[mirror];
    instead.resize(part.begin + part.length - part.at, '\0');
    std::vector<std::string_view> pieces{instead};
    Result<void> written = co_await file->write(part.at, std::move(pieces));
    if (!written) co_return judged(*on, std::move(written));
    instead.clear();
    Result<void> synced = co_await file->sync();
    if (!synced) co_return judged(*on, std::move(synced));
  }
  co_return Result<void>();
}

// Takes an append back from the mirrors that are left, so that it can be refused: a withdrawal
// stands at its place then, because a mirror that was lost may have it and be back at the next
// start. False when none could: its outcome is unknown.
Task<bool> EmbeddedJournal::undo(const Plan& plan, PartitionId partition) {
  drop_failed();
  before_step("journal.undo");
  const uint64_t offset = plan.offsets.front().value;
  std::string bytes(kRecordHeaderBytes, '\0');
  const RecordPlace place{
      set_.journal, Offset{offset},
      static_cast<uint32_t>(plan.last_before == 0 ? 0 : offset - plan.last_before),
      static_cast<uint32_t>(offset - plan.end_before)};
  encode_record(withdrawal(partition), place, bytes.data());
  std::vector<Task<Result<void>>> undoing;
  for (size_t i = 0; i < mirrors_.size(); ++i) undoing.push_back(undo_mirror(plan, bytes, i));
  co_await concurrently(std::move(undoing));
  drop_failed();
  const uint64_t base = plan.parts.front().base;
  // A refill may have taken the append for part of the log.
  while (segments_.back().base > base) {
    LogSegment empty = std::move(segments_.back());
    segments_.pop_back();
    empty.end = empty.base + kSegmentHeaderBytes;
    spares_.insert(spares_.begin(), std::move(empty));
  }
  if (segments_.back().base < base) {
    INVARIANT(!spares_.empty() && spares_.front().base == base,
              "the append began in the next segment");
    segments_.push_back(std::move(spares_.front()));
    spares_.erase(spares_.begin());
  }
  segments_.back().end = offset + bytes.size();
  last_ = offset;
  tail_.reset();
  publish();
  after_step("journal.undo");
  co_return !mirrors_.empty();
}

const LogSegment* EmbeddedJournal::segment_at(uint64_t base) const {
  for (const auto* segments : {&segments_, &spares_})
    for (const LogSegment& segment : *segments)
      if (segment.base == base) return &segment;
  return nullptr;
}

// Keeps the bodies of an append, in the memory that it was written from.
void EmbeddedJournal::cache_bodies(std::shared_ptr<const Plan> plan,
                                   const std::vector<Record>& records) {
  size_t i = 0;
  for (const Part& part : plan->parts) {
    std::vector<BodyCache::Body> bodies;
    for (const size_t behind = i + part.records; i < behind; ++i) {
      const Record& record = records[i];
      const uint64_t at = plan->offsets[i].value - part.base - part.begin + kRecordHeaderBytes +
                          record.payload.size();
      if (!record.body.empty())
        bodies.push_back({plan->offsets[i], part.bytes.view(at, record.body.size())});
    }
    cache_.add(plan, part.length, std::move(bodies));
  }
}

void EmbeddedJournal::finish_append(std::shared_ptr<const Plan> plan,
                                    const std::vector<Record>& records, int64_t started_ns) {
  cache_bodies(plan, records);
  const uint64_t took_ns = static_cast<uint64_t>(loop_.clock().monotonic_ns() - started_ns);
  counters_.count_append(records.size(), plan->bytes, took_ns);
}

Task<Result<std::vector<Offset>>> EmbeddedJournal::append(std::vector<Record>& records,
                                                          AppendClass append_class) {
  if (records.empty()) co_return std::vector<Offset>();
  TurnQueue::Turn turn = co_await turns_.enter();
  if (Result<void> may = writable(); !may) co_return fail(may.error());
  const int64_t started_ns = loop_.clock().monotonic_ns();
  Result<void> done = co_await restore(end(), set_.parity);
  if (!done) co_return fail(done.error());
  Result<Plan> made = plan_append(records);
  if (!made) co_return fail(made.error());
  auto shared = std::make_shared<Plan>(std::move(*made));
  Plan& plan = *shared;
  done = co_await make_room(plan.segments(), append_class);
  if (!done) co_return fail(done.error());
  before_step("journal.append");
  if (plan.segments() > 1) before_step("journal.roll");
  done = co_await write_everywhere(shared);
  if (!done) {
    // The survivors have it; a full set must have it before anybody hears of it.
    Result<void> restored = co_await restore(plan.end(), set_.parity);
    if (!restored) {
      bool undone = false;
      if (!fatal_) undone = co_await undo(plan, records.front().partition);
      if (undone) co_return fail(restored.error());
      fatal_ = true;
      co_return fail(Errc::unknown, "no mirror of the journal is left: " + restored.error().detail);
    }
  } else {
    for (const Part& part : plan.parts) {
      if (part.segment > 0) {
        segments_.push_back(std::move(spares_.front()));
        spares_.erase(spares_.begin());
      }
      segments_.back().end = part.end;
    }
    if (plan.segments() > 1) publish();
  }
  if (plan.segments() > 1) after_step("journal.roll");
  after_step("journal.append");
  last_ = plan.last;
  tail_ = plan.parts.back().tail();
  finish_append(shared, records, started_ns);
  if (spares_.empty()) in_background(prepare_spare_later());
  co_return plan.offsets;
}

Task<Result<void>> EmbeddedJournal::ensure_room(uint64_t bytes) {
  TurnQueue::Turn turn = co_await turns_.enter();
  if (Result<void> may = writable(); !may) co_return may;
  Result<void> whole = co_await restore(end(), set_.parity);
  if (!whole) co_return whole;
  const bool fits = segments_.back().limit() - end() >= bytes;
  co_return co_await make_room(fits ? 1 : 2, AppendClass::reserve);
}

}  // namespace kura::journal
