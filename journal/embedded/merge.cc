#include "journal/embedded/merge.h"

#include <algorithm>

#include "base/limits.h"
#include "journal/embedded/segment_files.h"
#include "journal/embedded/segment_format.h"
#include "journal/embedded/segment_merge.h"
#include "journal/embedded/tail_scan.h"
#include "journal/record_codec.h"

namespace kura::journal {
namespace {

class LogMerge {
 public:
  explicit LogMerge(MergeOrder order) : order_(std::move(order)), write_(order_.write) {}

  Task<Result<MergedLog>> run();

 private:
  using NextBase = std::optional<uint64_t>;  // None: the log ends here.

  Task<Result<NextBase>> merge_segment(uint64_t base);
  Task<Result<NextBase>> walk(SegmentMerge& segment);
  Task<Result<void>> take_records(SegmentMerge& segment);
  Task<bool> follows_in(uint64_t next_base);
  Task<std::optional<uint64_t>> find_proof(SegmentMerge& segment);
  Task<std::optional<uint64_t>> find_proof_in(uint64_t base, uint64_t log_end);
  void note_hole(SegmentMerge& segment, uint64_t to);
  bool at_known_end(const SegmentMerge& segment) const {
    return order_.known_end && segment.offset() >= *order_.known_end;
  }

  MergeOrder order_;
  bool write_;
  SegmentFiles files_;
  uint64_t go_on_at_ = 0;  // Behind the last hole.
  MergedLog log_;
};

Task<Result<MergedLog>> LogMerge::run() {
  auto files = co_await SegmentFiles::list(order_.sources, order_.start);
  if (!files) co_return kura::fail(files.error());
  files_ = std::move(*files);
  if (!files_.has(order_.start)) {
    co_return kura::fail(Errc::corrupt, segment_name(order_.start) + " is missing on every mirror");
  }
  uint64_t last_base = order_.start;
  for (NextBase base = order_.start; base;) {
    last_base = *base;
    Result<NextBase> next = co_await merge_segment(*base);
    if (!next) co_return kura::fail(next.error());
    base = *next;
  }
  if (order_.write && !log_.holes.empty()) {
    co_return kura::fail(Errc::corrupt,
                         "records are lost on every mirror: " + describe(log_.holes));
  }
  // Segments that were prepared, or that a torn append had begun.
  if (write_ && !order_.known_end) {
    Result<void> removed = co_await files_.remove_behind(last_base);
    if (!removed) co_return kura::fail(removed.error());
  }
  co_return std::move(log_);
}

Task<Result<LogMerge::NextBase>> LogMerge::merge_segment(uint64_t base) {
  std::vector<SegmentReader> readers = co_await files_.open(base);
  SegmentMerge segment(order_, base, std::move(readers), log_);
  Result<void> done = co_await segment.begin(write_, files_.after(base));
  if (!done) co_return kura::fail(done.error());
  if (go_on_at_ > segment.offset()) segment.go_on_at(go_on_at_);
  Result<NextBase> next = co_await walk(segment);
  if (!next) co_return next;
  done = co_await segment.close();
  if (!done) co_return kura::fail(done.error());
  co_return next;
}

// To the end of the segment or of the log, past holes.
Task<Result<LogMerge::NextBase>> LogMerge::walk(SegmentMerge& segment) {
  for (;;) {
    Result<void> taken = co_await take_records(segment);
    if (!taken) co_return kura::fail(taken.error());
    if (at_known_end(segment)) co_return NextBase();
    const bool follows = co_await follows_in(segment.limit());
    if (follows) co_return NextBase(segment.limit());
    const std::optional<uint64_t> proof = co_await find_proof(segment);
    if (!proof) break;
    note_hole(segment, *proof);
    log_.last = 0;
    go_on_at_ = *proof;
    const uint64_t base = files_.holding(*proof);
    if (base != segment.base()) co_return NextBase(base);
    segment.go_on_at(*proof);
  }
  if (order_.known_end) note_hole(segment, *order_.known_end);
  co_return NextBase();
}

// As many as hang together.
Task<Result<void>> LogMerge::take_records(SegmentMerge& segment) {
  while (segment.has_room() && !at_known_end(segment)) {
    Result<bool> taken = co_await segment.take_record();
    if (!taken) co_return kura::fail(taken.error());
    if (!*taken) break;
  }
  co_return Result<void>();
}

// Whether the record that comes after the last one taken is the first of the segment at
// `next_base`.
Task<bool> LogMerge::follows_in(uint64_t next_base) {
  if (!files_.has(next_base) || log_.last == 0) co_return false;
  std::vector<SegmentReader> readers = co_await files_.open(next_base);
  const uint64_t offset = next_base + kSegmentHeaderBytes;
  for (SegmentReader& reader : readers) {
    if (reader.missing()) continue;
    co_await reader.load(kSegmentHeaderBytes, kRecordMax);
    auto record =
        parse_record(reader.bytes(kSegmentHeaderBytes, kRecordMax), order_.journal, Offset{offset});
    if (record && log_.goes_on_with(*record, offset)) co_return true;
  }
  co_return false;
}

// Offset of the first valid record behind the place where the walk stopped that proves a loss.
Task<std::optional<uint64_t>> LogMerge::find_proof(SegmentMerge& segment) {
  std::optional<uint64_t> first = co_await segment.find_proof();
  for (NextBase base = files_.after(segment.base()); base && !first; base = files_.after(*base)) {
    first = co_await find_proof_in(*base, segment.offset());
  }
  co_return first;
}

Task<std::optional<uint64_t>> LogMerge::find_proof_in(uint64_t base, uint64_t log_end) {
  std::optional<uint64_t> first;
  uint64_t most = 0;
  std::vector<SegmentReader> readers = co_await files_.open(base);
  for (SegmentReader& reader : readers) {
    co_await reader.load(0, kSegmentHeaderBytes);
    const auto header = decode_segment_header(reader.bytes(0, kSegmentHeaderBytes));
    const uint64_t until = header ? header->capacity_bytes : reader.file_bytes();
    const TailScan scan =
        co_await scan_tail(reader, order_.journal, base, kSegmentHeaderBytes, until, log_end);
    if (scan.proof && (!first || *scan.proof < *first)) first = scan.proof;
    most = std::max(most, scan.bytes());
  }
  log_.cut_bytes += most;
  co_return first;
}

// From here on it only looks for more; the answer to an order that writes will be a refusal.
void LogMerge::note_hole(SegmentMerge& segment, uint64_t to) {
  log_.holes.push_back({Offset{segment.offset()}, Offset{to}});
  write_ = false;
  segment.stop_writing();
}

}  // namespace

void MergedLog::note(const Mirror& mirror, uint64_t offset, uint64_t length_bytes,
                     std::string what) {
  ++damage_count;
  if (damages.size() >= kDamagesMax) return;
  damages.push_back({mirror.drive->label(), Offset{offset}, length_bytes, std::move(what)});
}

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
