#include "journal/embedded/segment_merge.h"

#include "base/concurrently.h"
#include "journal/embedded/tail_scan.h"

namespace kura::journal {
namespace {

Task<Done> load(SegmentReader& reader, uint64_t at, uint64_t length) {
  co_await reader.load(at, length);
  co_return Done{};
}

}  // namespace

Result<void> SegmentMerge::sealed_off() const {
  for (const auto* mirrors : {&order_.sources, &order_.fresh}) {
    for (const MirrorPtr& mirror : *mirrors) {
      if (is_lost(*mirror)) return kura::fail(Errc::io_error, mirror->reason);
    }
  }
  return {};
}

Task<Result<void>> SegmentMerge::begin(bool write, std::optional<uint64_t> next) {
  auto right = co_await check_headers(next);
  if (!right) co_return kura::fail(right.error());
  for (size_t i = 0; i < readers_.size(); ++i) {
    const bool header_right = (*right)[i];
    std::shared_ptr<File> file = file_to_mend(readers_[i], header_right);
    if (!write) continue;
    const uint64_t file_bytes = file ? readers_[i].file_bytes() : 0;
    Result<void> added = co_await add_writer(order_.sources[i], file, file_bytes, header_right);
    if (!added) co_return added;
  }
  for (const MirrorPtr& mirror : order_.fresh) {
    if (!write) break;
    const std::shared_ptr<File> none;
    Result<void> added = co_await add_writer(mirror, none, 0, false);
    if (!added) co_return added;
  }
  co_return Result<void>();
}

// By source, whether its header is right. The capacity is by any that is, else by the next segment
// or the files' sizes.
Task<Result<std::vector<bool>>> SegmentMerge::check_headers(std::optional<uint64_t> next) {
  std::vector<bool> right;
  uint64_t largest = 0;
  for (SegmentReader& reader : readers_) {
    largest = std::max(largest, reader.file_bytes());
    right.push_back(false);
    if (reader.missing()) continue;
    co_await reader.load(0, kSegmentHeaderBytes);
    auto header = decode_segment_header(reader.bytes(0, kSegmentHeaderBytes));
    if (!header && header.error().code == Errc::unsupported) co_return kura::fail(header.error());
    if (!header || header->journal != order_.journal || header->base != base_) continue;
    if (capacity_ != 0 && header->capacity_bytes != capacity_) {
      co_return kura::fail(Errc::corrupt,
                           segment_name(base_) + " has two different headers that are valid");
    }
    capacity_ = header->capacity_bytes;
    right.back() = true;
  }
  if (capacity_ != 0) co_return right;
  capacity_ = next ? *next - base_ : largest / kSegmentAlign * kSegmentAlign;
  if (capacity_ <= kSegmentHeaderBytes) {
    co_return kura::fail(Errc::corrupt, segment_name(base_) + " is damaged on every mirror");
  }
  co_return right;
}

// Null: there is none of full size, and one has to be built.
std::shared_ptr<File> SegmentMerge::file_to_mend(SegmentReader& reader, bool header_right) {
  if (reader.missing()) {
    log_.note(reader.mirror(), base_, capacity_, "missing segment");
    return nullptr;
  }
  if (reader.file_bytes() < capacity_) {
    log_.note(reader.mirror(), base_ + reader.file_bytes(), capacity_ - reader.file_bytes(),
              "segment cut short");
    return nullptr;
  }
  if (!header_right) {
    log_.note(reader.mirror(), base_, kSegmentHeaderBytes, "damaged segment header");
  }
  return reader.file();
}

Task<Result<void>> SegmentMerge::add_writer(MirrorPtr mirror, std::shared_ptr<File> file,
                                            uint64_t file_bytes, bool header_right) {
  writers_.push_back(std::make_unique<SegmentWriter>(mirror, base_, capacity_, file, file_bytes));
  SegmentWriter& writer = *writers_.back();
  Result<void> begun = co_await writer.begin();
  if (!begun) co_return begun;
  if (!writer.fresh() && header_right) co_return Result<void>();
  const std::string bytes = encode_segment_header({order_.journal, base_, capacity_});
  co_return co_await writer.put(0, bytes);
}

// What may be the next record, of every source.
Task<Result<void>> SegmentMerge::load_ahead() {
  std::vector<Task<Done>> loads;
  for (SegmentReader& reader : readers_) {
    if (!reader.covers(at_, room())) loads.push_back(load(reader, at_, room()));
  }
  if (loads.empty()) co_return Result<void>();
  co_await concurrently(std::move(loads));
  co_return sealed_off();
}

// The next record of the log, if this source has it.
std::optional<RecordView> SegmentMerge::record_of(size_t source) const {
  auto record = parse_record(readers_[source].bytes(at_, room()), order_.journal, Offset{offset()});
  if (!record || !log_.goes_on_with(*record, offset())) return std::nullopt;
  if (order_.known_end && offset() + record->bytes.size() > *order_.known_end) return std::nullopt;
  return *record;
}

Task<Result<bool>> SegmentMerge::take_record() {
  Result<void> loaded = co_await load_ahead();
  if (!loaded) co_return kura::fail(loaded.error());
  size_t from = 0;
  std::optional<RecordView> record;
  for (; from < readers_.size(); ++from) {
    record = record_of(from);
    if (record) break;
  }
  if (!record) co_return false;
  for (size_t i = from + 1; i < readers_.size() && !order_.known_end; ++i) {
    if (readers_[i].bytes(at_, record->bytes.size()) == record->bytes) continue;
    const std::optional<RecordView> other = record_of(i);
    if (!other || !other->withdraws()) continue;
    record = other;
    from = i;
    break;
  }
  Result<void> put = co_await spread(from, *record);
  if (!put) co_return kura::fail(put.error());
  log_.last = offset();
  log_.last_append = Offset{offset() - record->since};
  ++log_.records;
  at_ += record->bytes.size();
  if (record->withdraws()) log_.withdrawn = offset();
  co_return true;
}

// Source `other` has other bytes where `from` has `record`.
Result<void> SegmentMerge::note_other(size_t from, RecordView record, size_t other) {
  Mirror& on = readers_[other].mirror();
  if (readers_[other].missing()) return {};
  auto found = parse_record(readers_[other].bytes(at_, room()), order_.journal, Offset{offset()});
  std::string what = found ? "stale record" : describe(found.error());
  if (found && found->back == record.back && log_.goes_on_with(*found, offset())) {
    if (!record.withdraws() && !found->withdraws()) {
      return kura::fail(Errc::corrupt, "two different records at offset " +
                                           std::to_string(offset()) + ", on " +
                                           readers_[from].mirror().drive->label() + " and on " +
                                           on.drive->label());
    }
    what = "record that was withdrawn";
    disagrees_[other] = true;
  }
  log_.note(on, offset(), record.bytes.size(), std::move(what));
  return {};
}

// Brings every other copy to the bytes of `record`, which source `from` has.
Task<Result<void>> SegmentMerge::spread(size_t from, RecordView record) {
  for (size_t i = 0; i < readers_.size(); ++i) {
    SegmentReader& reader = readers_[i];
    const std::string_view copy = reader.bytes(at_, record.bytes.size());
    const bool equal = i == from || copy == record.bytes;
    if (!equal) {
      Result<void> compared = note_other(from, record, i);
      if (!compared) co_return compared;
    }
    if (!writes() || (equal && !writers_[i]->fresh())) continue;
    if (!equal) log_.repaired_bytes += record.bytes.size();
    Result<void> put = co_await writers_[i]->put(at_, record.bytes);
    if (!put) co_return put;
  }
  for (size_t i = readers_.size(); i < writers_.size(); ++i) {
    Result<void> put = co_await writers_[i]->put(at_, record.bytes);
    if (!put) co_return put;
  }
  co_return Result<void>();
}

Task<std::optional<uint64_t>> SegmentMerge::find_proof() {
  std::optional<uint64_t> first;
  for (SegmentReader& reader : readers_) {
    const TailScan scan =
        co_await scan_tail(reader, order_.journal, base_, at_, capacity_, offset());
    if (scan.proof && (!first || *scan.proof < *first)) first = scan.proof;
  }
  co_return first;
}

Task<Result<void>> SegmentMerge::zero(SegmentWriter& writer, uint64_t at, uint64_t end) {
  static const std::string kZeros(64 * kKiB, '\0');
  while (at < end) {
    const uint64_t length = std::min<uint64_t>(kZeros.size(), end - at);
    Result<void> put = co_await writer.put(at, std::string_view(kZeros).substr(0, length));
    if (!put) co_return put;
    at += length;
  }
  co_return Result<void>();
}

Task<Result<void>> SegmentMerge::close() {
  LogSegment segment{base_, capacity_, offset(), {}};
  uint64_t most = 0;
  for (size_t i = 0; i < readers_.size(); ++i) {
    // What a file has behind the segment's end is not of the log; mending cuts it off.
    const TailScan scan =
        co_await scan_tail(readers_[i], order_.journal, base_, at_, capacity_, UINT64_MAX);
    most = std::max(most, scan.bytes());
    if (!writes()) segment.files.push_back(disagrees_[i] ? nullptr : readers_[i].file());
    if (!writes() || writers_[i]->fresh()) continue;
    for (const TailScan::Range& range : scan.not_zero) {
      const uint64_t end = std::min(range.at + range.length, capacity_);
      Result<void> zeroed = co_await zero(*writers_[i], range.at, end);
      if (!zeroed) co_return zeroed;
    }
  }
  log_.cut_bytes += most;
  Result<void> fine = sealed_off();
  if (!fine) co_return fine;
  std::vector<Task<Result<void>>> finishing;
  for (auto& writer : writers_) finishing.push_back(writer->finish());
  std::vector<Result<void>> finished = co_await concurrently(std::move(finishing));
  for (Result<void>& one : finished) {
    if (!one) co_return kura::fail(one.error());
  }
  for (auto& writer : writers_) segment.files.push_back(writer->file());
  log_.segments.push_back(std::move(segment));
  co_return Result<void>();
}

}  // namespace kura::journal
