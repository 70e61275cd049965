#include "journal/embedded/merge.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/concurrently.h"
#include "base/limits.h"
#include "journal/embedded/journal_folder.h"
#include "journal/embedded/segment_format.h"
#include "journal/embedded/segment_reader.h"
#include "journal/embedded/segment_writer.h"
#include "journal/embedded/tail_scan.h"
#include "journal/record_codec.h"

namespace kura::journal {
namespace {

// One segment while it is walked.
struct Walk {
  uint64_t base = 0;
  uint64_t capacity = 0;
  std::vector<SegmentReader> readers;                   // By source.
  std::vector<std::unique_ptr<SegmentWriter>> writers;  // By source, then by fresh; empty: none.
  uint64_t at = kSegmentHeaderBytes;  // In the file: where the next record should be.

  uint64_t offset() const { return base + at; }
  uint64_t room() const { return std::min(kRecordMax, capacity - at); }
};

Task<Done> load(SegmentReader& reader, uint64_t at, uint64_t length) {
  co_await reader.load(at, length);
  co_return Done{};
}

class LogMerge {
 public:
  explicit LogMerge(MergeOrder order) : order_(std::move(order)), write_(order_.write) {}

  Task<Result<MergedLog>> run();

 private:
  Task<Result<void>> list_segments();
  Task<Result<Walk>> open_segment(uint64_t base);
  Task<std::vector<SegmentReader>> open_readers(uint64_t base);
  Task<Result<uint64_t>> check_headers(Walk& walk, std::vector<bool>& right);
  Task<Result<void>> begin_writers(Walk& walk, const std::vector<bool>& headers_right);
  Task<Result<void>> walk_records(Walk& walk);
  Task<Result<bool>> take_record(Walk& walk);
  Task<Result<void>> spread(Walk& walk, size_t from, const RecordView& record);
  Task<bool> follows_in(uint64_t next_base);
  Task<std::optional<uint64_t>> find_proof(Walk& walk);
  Task<Result<void>> close_segment(Walk& walk);
  Task<Result<void>> remove_behind(uint64_t base);
  void note(Mirror& mirror, uint64_t offset, uint64_t length, std::string what);
  Result<void> sealed_off() const;
  bool at_known_end(const Walk& walk) const {
    return order_.known_end && walk.offset() >= *order_.known_end;
  }

  MergeOrder order_;
  bool write_;
  std::vector<std::set<uint64_t>> held_;  // By source: bases of its segment files.
  std::set<uint64_t> bases_;              // Of any source, from the start on.
  MergedLog log_;
};

void LogMerge::note(Mirror& mirror, uint64_t offset, uint64_t length, std::string what) {
  ++log_.damage_count;
  if (log_.damages.size() >= kDamagesMax) return;
  log_.damages.push_back({mirror.drive->label(), Offset{offset}, length, std::move(what)});
}

Result<void> LogMerge::sealed_off() const {
  for (const auto* mirrors : {&order_.sources, &order_.fresh}) {
    for (const MirrorPtr& mirror : *mirrors) {
      if (is_lost(*mirror)) return kura::fail(Errc::io_error, mirror->reason);
    }
  }
  return {};
}

Task<Result<void>> LogMerge::list_segments() {
  for (const MirrorPtr& mirror : order_.sources) {
    std::set<uint64_t>& held = held_.emplace_back();
    auto names = co_await list_journal(mirror);
    if (!names) co_return kura::fail(names.error());
    for (const std::string& name : *names) {
      const auto base = segment_base(name);
      if (!base || *base < order_.start) continue;
      held.insert(*base);
      bases_.insert(*base);
    }
  }
  co_return Result<void>();
}

Task<std::vector<SegmentReader>> LogMerge::open_readers(uint64_t base) {
  std::vector<SegmentReader> readers;
  for (size_t i = 0; i < order_.sources.size(); ++i) {
    const MirrorPtr& mirror = order_.sources[i];
    std::shared_ptr<File> file;
    uint64_t size = 0;
    if (held_[i].contains(base)) {
      const std::string name = segment_name(base);
      auto opened = co_await mirror->drive->open(name);
      if (opened) {
        auto bytes = (*opened)->size_bytes();
        if (bytes) {
          file = *opened;
          size = *bytes;
        }
        if (!bytes) mirror->fail(bytes.error());
      } else if (opened.error().code != Errc::not_found) {
        mirror->fail(opened.error());
      }
    }
    readers.emplace_back(mirror, std::move(file), size);
  }
  co_return readers;
}

// The capacity, by any right header, else by the next segment or the files' sizes.
Task<Result<uint64_t>> LogMerge::check_headers(Walk& walk, std::vector<bool>& right) {
  uint64_t capacity = 0, largest = 0;
  std::string first_right;
  for (SegmentReader& reader : walk.readers) {
    largest = std::max(largest, reader.file_bytes());
    right.push_back(false);
    if (reader.missing()) continue;
    co_await reader.load(0, kSegmentHeaderBytes);
    const std::string_view bytes = reader.bytes(0, kSegmentHeaderBytes);
    auto header = decode_segment_header(bytes);
    if (!header && header.error().code == Errc::unsupported) co_return kura::fail(header.error());
    if (!header || header->journal != order_.journal || header->base != walk.base) continue;
    if (capacity != 0 && header->capacity_bytes != capacity) {
      co_return kura::fail(Errc::corrupt,
                           segment_name(walk.base) + " has two different headers that are valid");
    }
    capacity = header->capacity_bytes;
    right.back() = true;
  }
  if (capacity != 0) co_return capacity;
  auto next = bases_.upper_bound(walk.base);
  capacity = next != bases_.end() ? *next - walk.base : largest / kSegmentAlign * kSegmentAlign;
  if (capacity <= kSegmentHeaderBytes) {
    co_return kura::fail(Errc::corrupt, segment_name(walk.base) + " is damaged on every mirror");
  }
  co_return capacity;
}

Task<Result<void>> LogMerge::begin_writers(Walk& walk, const std::vector<bool>& headers_right) {
  const SegmentHeader header{order_.journal, walk.base, walk.capacity};
  const std::string bytes = encode_segment_header(header);
  for (size_t i = 0; i < order_.sources.size() + order_.fresh.size(); ++i) {
    const bool source = i < order_.sources.size();
    const MirrorPtr& mirror = source ? order_.sources[i] : order_.fresh[i - order_.sources.size()];
    std::shared_ptr<File> file;
    uint64_t size = 0;
    if (source) {
      SegmentReader& reader = walk.readers[i];
      if (reader.missing()) {
        note(*mirror, walk.base, walk.capacity, "missing segment");
      } else if (reader.file_bytes() < walk.capacity) {
        note(*mirror, walk.base + reader.file_bytes(), walk.capacity - reader.file_bytes(),
             "segment cut short");
      } else {
        if (!headers_right[i]) {
          note(*mirror, walk.base, kSegmentHeaderBytes, "damaged segment header");
        }
        file = reader.file();
        size = reader.file_bytes();
      }
    }
    if (!write_) continue;
    walk.writers.push_back(
        std::make_unique<SegmentWriter>(mirror, walk.base, walk.capacity, file, size));
    SegmentWriter& writer = *walk.writers.back();
    Result<void> begun = co_await writer.begin();
    if (!begun) co_return begun;
    if (!writer.fresh() && headers_right[i]) continue;
    Result<void> put = co_await writer.put(0, bytes);
    if (!put) co_return put;
  }
  co_return Result<void>();
}

Task<Result<Walk>> LogMerge::open_segment(uint64_t base) {
  Walk walk;
  walk.base = base;
  walk.readers = co_await open_readers(base);
  std::vector<bool> right;
  auto capacity = co_await check_headers(walk, right);
  if (!capacity) co_return kura::fail(capacity.error());
  walk.capacity = *capacity;
  Result<void> begun = co_await begin_writers(walk, right);
  if (!begun) co_return kura::fail(begun.error());
  co_return walk;
}

// Brings every other copy to the bytes of `record`, which source `from` has.
Task<Result<void>> LogMerge::spread(Walk& walk, size_t from, const RecordView& record) {
  for (size_t i = 0; i < walk.readers.size(); ++i) {
    SegmentReader& reader = walk.readers[i];
    const std::string_view copy = reader.bytes(walk.at, record.bytes.size());
    const bool equal = i == from || copy == record.bytes;
    if (!equal) {
      auto other = parse_record(copy, order_.journal, Offset{walk.offset()});
      if (other && other->back == record.back) {
        co_return kura::fail(Errc::corrupt, "two different records at offset " +
                                                std::to_string(walk.offset()) + ", on " +
                                                walk.readers[from].mirror().drive->label() +
                                                " and on " + reader.mirror().drive->label());
      }
      if (!reader.missing()) {
        note(reader.mirror(), walk.offset(), record.bytes.size(),
             other ? "stale record" : describe(other.error()));
      }
    }
    if (!write_ || (equal && !walk.writers[i]->fresh())) continue;
    if (!equal) log_.repaired_bytes += record.bytes.size();
    Result<void> put = co_await walk.writers[i]->put(walk.at, record.bytes);
    if (!put) co_return put;
  }
  for (size_t i = walk.readers.size(); i < walk.writers.size(); ++i) {
    Result<void> put = co_await walk.writers[i]->put(walk.at, record.bytes);
    if (!put) co_return put;
  }
  co_return Result<void>();
}

// False when no mirror has a record here that hangs together with the one before.
Task<Result<bool>> LogMerge::take_record(Walk& walk) {
  std::vector<Task<Done>> loads;
  for (SegmentReader& reader : walk.readers) {
    if (!reader.covers(walk.at, walk.room())) loads.push_back(load(reader, walk.at, walk.room()));
  }
  if (!loads.empty()) {
    co_await concurrently(std::move(loads));
    Result<void> fine = sealed_off();
    if (!fine) co_return kura::fail(fine.error());
  }
  for (size_t i = 0; i < walk.readers.size(); ++i) {
    auto record = parse_record(walk.readers[i].bytes(walk.at, walk.room()), order_.journal,
                               Offset{walk.offset()});
    if (!record) continue;
    if (log_.last != 0 && record->back != walk.offset() - log_.last) continue;
    const RecordView view = *record;
    Result<void> put = co_await spread(walk, i, view);
    if (!put) co_return kura::fail(put.error());
    log_.last = walk.offset();
    ++log_.records;
    walk.at += view.bytes.size();
    co_return true;
  }
  co_return false;
}

Task<Result<void>> LogMerge::walk_records(Walk& walk) {
  while (walk.at + kRecordHeaderBytes <= walk.capacity && !at_known_end(walk)) {
    Result<bool> taken = co_await take_record(walk);
    if (!taken) co_return kura::fail(taken.error());
    if (!*taken) break;
  }
  co_return Result<void>();
}

// Whether the record that comes after the last one taken is the first of the segment at
// `next_base`.
Task<bool> LogMerge::follows_in(uint64_t next_base) {
  if (!bases_.contains(next_base) || log_.last == 0) co_return false;
  std::vector<SegmentReader> readers = co_await open_readers(next_base);
  const uint64_t offset = next_base + kSegmentHeaderBytes;
  for (SegmentReader& reader : readers) {
    if (reader.missing()) continue;
    co_await reader.load(kSegmentHeaderBytes, kRecordMax);
    auto record =
        parse_record(reader.bytes(kSegmentHeaderBytes, kRecordMax), order_.journal, Offset{offset});
    if (record && record->back == offset - log_.last) co_return true;
  }
  co_return false;
}

// Offset of the first valid record behind the place where the walk stopped that proves a loss.
Task<std::optional<uint64_t>> LogMerge::find_proof(Walk& walk) {
  std::optional<uint64_t> first;
  const uint64_t end = walk.offset();
  for (SegmentReader& reader : walk.readers) {
    const TailScan scan = co_await scan_tail(reader, order_.journal, walk.base, walk.at, end);
    if (scan.proof && (!first || *scan.proof < *first)) first = scan.proof;
  }
  for (auto base = bases_.upper_bound(walk.base); base != bases_.end() && !first; ++base) {
    std::vector<SegmentReader> readers = co_await open_readers(*base);
    uint64_t most = 0;
    for (SegmentReader& reader : readers) {
      const TailScan scan =
          co_await scan_tail(reader, order_.journal, *base, kSegmentHeaderBytes, end);
      if (scan.proof && (!first || *scan.proof < *first)) first = scan.proof;
      most = std::max(most, scan.bytes());
    }
    log_.cut_bytes += most;
  }
  co_return first;
}

// Zeros what lies behind the last record and makes the segment durable on every mirror.
Task<Result<void>> LogMerge::close_segment(Walk& walk) {
  static const std::string kZeros(64 * kKiB, '\0');
  LogSegment segment{walk.base, walk.capacity, walk.offset(), {}};
  uint64_t most = 0;
  for (size_t i = 0; i < walk.readers.size(); ++i) {
    const TailScan scan =
        co_await scan_tail(walk.readers[i], order_.journal, walk.base, walk.at, UINT64_MAX);
    most = std::max(most, scan.bytes());
    for (const TailScan::Range& range : scan.not_zero) {
      if (!write_ || walk.writers[i]->fresh()) continue;
      const uint64_t end = std::min(range.at + range.length, walk.capacity);
      for (uint64_t at = range.at; at < end;) {
        const uint64_t length = std::min<uint64_t>(kZeros.size(), end - at);
        Result<void> put =
            co_await walk.writers[i]->put(at, std::string_view(kZeros).substr(0, length));
        if (!put) co_return put;
        at += length;
      }
    }
    if (!write_) segment.files.push_back(walk.readers[i].file());
  }
  log_.cut_bytes += most;
  Result<void> fine = sealed_off();
  if (!fine) co_return fine;
  std::vector<Task<Result<void>>> finishing;
  for (auto& writer : walk.writers) finishing.push_back(writer->finish());
  std::vector<Result<void>> finished = co_await concurrently(std::move(finishing));
  for (Result<void>& one : finished) {
    if (!one) co_return kura::fail(one.error());
  }
  for (auto& writer : walk.writers) segment.files.push_back(writer->file());
  log_.segments.push_back(std::move(segment));
  co_return Result<void>();
}

// Segments that were prepared behind the last one, or that a torn append had begun.
Task<Result<void>> LogMerge::remove_behind(uint64_t base) {
  for (size_t i = 0; i < order_.sources.size(); ++i) {
    Mirror& mirror = *order_.sources[i];
    for (auto it = held_[i].upper_bound(base); it != held_[i].end(); ++it) {
      const std::string name = segment_name(*it);
      Result<void> removed = co_await mirror.drive->remove(name);
      if (!removed && removed.error().code != Errc::not_found) {
        co_return judged(mirror, std::move(removed));
      }
    }
  }
  co_return Result<void>();
}

Task<Result<MergedLog>> LogMerge::run() {
  Result<void> done = co_await list_segments();
  if (!done) co_return kura::fail(done.error());
  if (!bases_.contains(order_.start)) {
    co_return kura::fail(Errc::corrupt, segment_name(order_.start) + " is missing on every mirror");
  }
  uint64_t base = order_.start, resume = 0;
  for (;;) {
    Result<Walk> opened = co_await open_segment(base);
    if (!opened) co_return kura::fail(opened.error());
    Walk walk = std::move(*opened);
    if (resume > walk.offset()) walk.at = resume - base;
    std::optional<uint64_t> next_base;
    for (;;) {
      done = co_await walk_records(walk);
      if (!done) co_return kura::fail(done.error());
      if (at_known_end(walk)) break;
      const bool follows = co_await follows_in(walk.base + walk.capacity);
      if (follows) {
        next_base = walk.base + walk.capacity;
        break;
      }
      std::optional<uint64_t> proof = co_await find_proof(walk);
      if (!proof) break;
      log_.holes.push_back({Offset{walk.offset()}, Offset{*proof}});
      write_ = false;  // Only looks for more; the answer will be a refusal.
      log_.last = 0;
      resume = *proof;
      next_base = *std::prev(bases_.upper_bound(*proof));
      if (*next_base != base) break;
      next_base.reset();
      walk.at = resume - base;
    }
    if (order_.known_end && walk.offset() < *order_.known_end && !next_base) {
      log_.holes.push_back({Offset{walk.offset()}, Offset{*order_.known_end}});
      write_ = false;
    }
    if (order_.write && !log_.holes.empty()) walk.writers.clear();
    done = co_await close_segment(walk);
    if (!done) co_return kura::fail(done.error());
    if (!next_base) break;
    base = *next_base;
  }
  if (order_.write && !log_.holes.empty()) {
    co_return kura::fail(Errc::corrupt,
                         "records are lost on every mirror: " + describe(log_.holes));
  }
  if (write_ && !order_.known_end) {
    done = co_await remove_behind(base);
    if (!done) co_return kura::fail(done.error());
  }
  co_return std::move(log_);
}

}  // namespace

std::string describe(const std::vector<Hole>& holes) {
  constexpr size_t kShown = 8;
  std::string out = "offsets ";
  for (size_t i = 0; i < holes.size() && i < kShown; ++i) {
    if (i > 0) out += ", ";
    out += std::to_string(holes[i].from.value) + " to " + std::to_string(holes[i].to.value);
  }
  if (holes.size() > kShown) out += " and " + std::to_string(holes.size() - kShown) + " more";
  return out;
}

Task<Result<MergedLog>> merge_log(MergeOrder order) {
  LogMerge merge(std::move(order));
  co_return co_await merge.run();
}

}  // namespace kura::journal
