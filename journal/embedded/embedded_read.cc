// Reading records and bodies, mending what one mirror has wrong from another.

#include <algorithm>

#include "base/chance.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "base/fail_point.h"
#include "journal/embedded/embedded_journal.h"
#include "journal/embedded/read_table.h"
#include "journal/embedded/segment_format.h"
#include "journal/record_codec.h"

namespace kura::journal {
namespace {

constexpr uint64_t kReadBytesMin = 64 * kKiB;

Error truncated(uint64_t offset) {
  return {Errc::not_found, "offset " + std::to_string(offset) + " is not in the journal"};
}

}  // namespace

Bounds EmbeddedJournal::bounds() const {
  return {Offset{segments_.front().base + kSegmentHeaderBytes}, Offset{segments_.back().end}};
}

const LogSegment* EmbeddedJournal::find_segment(uint64_t offset) const {
  for (size_t i = segments_.size(); i-- > 0;) {
    if (offset >= segments_[i].base) return offset <= segments_[i].end ? &segments_[i] : nullptr;
  }
  return nullptr;
}

// The bytes of the record at `offset` from any mirror, and mends the others later. On the loop.
Task<Result<std::string>> EmbeddedJournal::good_record(uint64_t offset) {
  const LogSegment* segment = find_segment(offset);
  if (!segment || offset >= segment->end) co_return fail(truncated(offset));
  const uint64_t base = segment->base, end = segment->end;
  const std::vector<std::shared_ptr<File>> files = segment->files;
  std::optional<std::string> good;
  size_t bad = 0;
  std::string what;
  for (const std::shared_ptr<File>& file : files) {
    if (!file) continue;
    Result<std::string> bytes =
        co_await file->read(offset - base, std::min(kRecordMax, end - offset));
    if (!bytes) {
      ++bad;
      what = bytes.error().detail;
      continue;
    }
    auto record = parse_record(*bytes, set_.journal, Offset{offset});
    if (!record) {
      ++bad;
      what = describe(record.error());
      continue;
    }
    bytes->resize(record->bytes.size());
    good = std::move(*bytes);
    break;
  }
  if (!good) {
    co_return fail(Errc::corrupt,
                   "offset " + std::to_string(offset) + " on every journal mirror: " + what);
  }
  if (bad > 0) mend_later(offset);
  co_return std::move(*good);
}

Task<Result<std::vector<StoredRecord>>> EmbeddedJournal::read(Offset from, uint64_t bytes_max) {
  Result<RawRecords> raw = co_await read_raw(from, Offset{UINT64_MAX}, bytes_max);
  if (!raw) co_return fail(raw.error());
  std::vector<StoredRecord> out;
  for (uint64_t taken = 0; taken < raw->bytes.size();) {
    const Offset offset{raw->from.value + taken};
    const std::string_view rest = std::string_view(raw->bytes).substr(taken);
    auto record = locate_record(rest, set_.journal, offset);
    INVARIANT(record, "records are verified when they are read");
    taken += record->bytes.size();
    const bool last = taken == raw->bytes.size();
    const Offset next = last ? raw->end : Offset{raw->from.value + taken};
    out.push_back({offset, next, record->record()});
  }
  co_return out;
}

Task<Result<RawRecords>> EmbeddedJournal::read_raw(Offset from, Offset below, uint64_t bytes_max) {
  const LogSegment* segment = find_segment(from.value);
  uint64_t at = from.value;
  if (segment && at == segment->end && segment->base != segments_.back().base) {
    segment = find_segment(segment->limit());
    at = segment->base + kSegmentHeaderBytes;
  }
  if (segment && at == segment->base) at += kSegmentHeaderBytes;
  if (!segment) co_return fail(truncated(from.value));
  // Copies: the segment may go while this waits.
  const uint64_t base = segment->base, end = segment->end;
  const bool last = base == segments_.back().base;
  const uint64_t follower = last ? end : segment->limit() + kSegmentHeaderBytes;
  std::shared_ptr<File> file;
  for (const std::shared_ptr<File>& one : segment->files) {
    if (!file) file = one;
  }
  RawRecords out{Offset{at}, Offset{at}, {}};
  if (at == end || at >= below.value || !file) co_return out;
  const uint64_t length = std::min(std::max(bytes_max, kReadBytesMin), end - at);
  Result<std::string> chunk = co_await file->read(at - base, length);
  if (chunk) out.bytes = std::move(*chunk);
  const bool ends_early = at + length < end;  // The last record may be cut there.
  uint64_t taken = 0;
  const uint64_t until = std::min(end, below.value);
  while (at + taken < until && (taken == 0 || taken < bytes_max)) {
    const Offset place{at + taken};
    const std::string_view rest =
        std::string_view(out.bytes).substr(std::min<uint64_t>(taken, out.bytes.size()));
    auto record = parse_record(rest, set_.journal, place);
    uint64_t size = record ? record->bytes.size() : 0;
    if (!record) {
      if (ends_early && length - taken < kRecordMax && taken > 0) break;
      Result<std::string> good = co_await good_record(place.value);
      if (!good) co_return fail(good.error());
      size = good->size();
      if (out.bytes.size() < taken + size) out.bytes.resize(taken + size);
      out.bytes.replace(taken, size, *good);
    }
    taken += size;
    if (chance("journal.read_short")) break;
  }
  out.bytes.resize(taken);
  out.end = Offset{at + taken == end ? follower : at + taken};
  co_return out;
}

bool EmbeddedJournal::try_read_body(const v1::JournalBody& body, std::string* out) {
  if (cache_.find(Offset{body.offset()}, body.length(), out)) return true;
  std::shared_ptr<const ReadTable> view = table();
  const ReadTable::Segment* segment = view ? view->find(body.offset()) : nullptr;
  if (!segment) return false;
  const uint64_t at = body.offset() - segment->base;
  const size_t count = segment->files.size();
  for (size_t i = 0; i < count; ++i) {
    // Readers spread over the mirrors; one record is always read from the same one, which has it
    // in its page cache then.
    const std::shared_ptr<File>& file = segment->files[(body.offset() / 4096 + i) % count];
    std::string bytes;
    if (!file) continue;
    uint64_t length = std::min(first_read_bytes(body), segment->limit - body.offset());
    if (!file->try_read(at, length, &bytes)) continue;
    BodyParse parsed = find_body(bytes, view->journal, body, out, &length);
    if (parsed == BodyParse::more && file->try_read(at, length, &bytes)) {
      parsed = find_body(bytes, view->journal, body, out, &length);
    }
    if (parsed == BodyParse::good) return true;
    if (parsed == BodyParse::bad) return false;  // read_body mends it.
  }
  return false;
}

Task<Result<std::string>> EmbeddedJournal::read_body(v1::JournalBody body) {
  std::string out;
  if (cache_.find(Offset{body.offset()}, body.length(), &out)) co_return out;
  std::shared_ptr<const ReadTable> view = table();
  const ReadTable::Segment* segment = view ? view->find(body.offset()) : nullptr;
  if (!segment) co_return fail(truncated(body.offset()));
  const uint64_t at = body.offset() - segment->base;
  const size_t count = segment->files.size();
  std::shared_ptr<File> file;
  if (count > 0) file = segment->files[body.offset() / 4096 % count];
  if (file) {
    uint64_t length = std::min(first_read_bytes(body), segment->limit - body.offset());
    Result<std::string> bytes = co_await file->read(at, length);
    BodyParse parsed = BodyParse::bad;
    if (bytes) parsed = find_body(*bytes, view->journal, body, &out, &length);
    if (parsed == BodyParse::more) {
      bytes = co_await file->read(at, length);
      parsed = bytes ? find_body(*bytes, view->journal, body, &out, &length) : BodyParse::bad;
    }
    if (parsed == BodyParse::good) co_return out;
  }
  Task<Result<std::string>> mending = good_body(std::move(body));
  co_return co_await run_on(loop_, std::move(mending));
}

// As read_body, from whichever mirror has it right. On the loop.
Task<Result<std::string>> EmbeddedJournal::good_body(v1::JournalBody body) {
  Result<std::string> bytes = co_await good_record(body.offset());
  if (!bytes) co_return bytes;
  auto record = parse_record(*bytes, set_.journal, Offset{body.offset()});
  if (!record || record->body.size() != body.length() || record->body_crc32c != body.crc32c()) {
    co_return fail(Errc::corrupt, "the record at offset " + std::to_string(body.offset()) +
                                      " has another body than its event names");
  }
  mend_later(body.offset());
  co_return std::string(record->body);
}

void EmbeddedJournal::mend_later(uint64_t offset) {
  if (!read_only_ && repairing_.insert(offset).second) in_background(repair_later(offset));
}

Task<void> EmbeddedJournal::repair_later(uint64_t offset) {
  ++counters_.damages;
  TurnQueue::Turn turn = co_await turns_.enter();
  if (writable()) {
    Result<void> repaired = co_await repair(offset);
    if (repaired) ++counters_.repairs;
    const bool lost_one = std::any_of(mirrors_.begin(), mirrors_.end(),
                                      [](const MirrorPtr& mirror) { return is_lost(*mirror); });
    if (lost_one) repaired = co_await restore(end(), set_.parity);
  }
  repairing_.erase(offset);
}

// Brings the record at `offset` to the same bytes on every mirror. With the turn held.
Task<Result<void>> EmbeddedJournal::repair(uint64_t offset) {
  const LogSegment* segment = find_segment(offset);
  if (!segment || offset >= segment->end) co_return fail(truncated(offset));
  const uint64_t at = offset - segment->base;
  const uint64_t length = std::min(kRecordMax, segment->end - offset);
  const std::vector<std::shared_ptr<File>> files = segment->files;
  std::vector<std::string> copies;
  std::string good;
  for (const std::shared_ptr<File>& file : files) {
    Result<std::string> bytes = co_await file->read(at, length);
    copies.push_back(bytes ? std::move(*bytes) : std::string());
    auto record = parse_record(copies.back(), set_.journal, Offset{offset});
    if (record && good.empty()) good = record->bytes;
  }
  if (good.empty()) co_return fail(Errc::corrupt, "no mirror has the record");
  for (size_t i = 0; i < files.size(); ++i) {
    if (std::string_view(copies[i]).substr(0, good.size()) == good) continue;
    std::vector<std::string_view> pieces{good};
    before_step("journal.repair");
    Result<void> written = co_await files[i]->write_and_sync(at, std::move(pieces));
    if (written) after_step("journal.repair");
    if (!written) mirrors_[i]->fail(written.error());
  }
  co_return Result<void>();
}

Task<void> EmbeddedJournal::tracked(Task<void> task) {
  co_await std::move(task);
  --background_;
}

void EmbeddedJournal::in_background(Task<void> task) {
  if (closing_) return;
  ++background_;
  spawn(loop_, tracked(std::move(task)));
}

}  // namespace kura::journal
