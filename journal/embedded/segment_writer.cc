#include "journal/embedded/segment_writer.h"

#include "base/fail_point.h"
#include "journal/embedded/segment_format.h"

namespace kura::journal {
namespace {

constexpr size_t kRunBytesMax = 1 << 20;

std::string fresh_name(uint64_t base) { return unfinished_name(segment_name(base)); }

}  // namespace

Task<Result<void>> SegmentWriter::begin() {
  if (file_) co_return Result<void>();
  fresh_ = true;
  const std::string name = fresh_name(base_);
  Result<void> removed = co_await mirror_->drive->remove(name);
  if (!removed && removed.error().code != Errc::not_found) {
    co_return judged(*mirror_, std::move(removed));
  }
  auto file = co_await mirror_->drive->create(name, capacity_bytes_);
  if (!file) {
    if (file.error().code != Errc::no_space) mirror_->fail(file.error());
    co_return fail(file.error());
  }
  file_ = *file;
  file_bytes_ = capacity_bytes_;
  co_return Result<void>();
}

Task<Result<void>> SegmentWriter::put(uint64_t at, std::string_view bytes) {
  if (!run_.empty() && (run_at_ + run_.size() != at || run_.size() + bytes.size() > kRunBytesMax)) {
    Result<void> flushed = co_await flush();
    if (!flushed) co_return flushed;
  }
  if (run_.empty()) run_at_ = at;
  run_ += bytes;
  co_return Result<void>();
}

Task<Result<void>> SegmentWriter::flush() {
  if (run_.empty()) co_return Result<void>();
  std::vector<std::string_view> pieces{run_};
  Result<void> written = co_await file_->write(run_at_, std::move(pieces));
  run_.clear();
  co_return judged(*mirror_, std::move(written));
}

Task<Result<void>> SegmentWriter::finish() {
  Result<void> done = co_await flush();
  if (!done) co_return done;
  // Also where it was right before: a process that was killed may have written without syncing.
  before_step("journal.merge.sync");
  done = co_await file_->sync();
  if (!done) co_return judged(*mirror_, std::move(done));
  after_step("journal.merge.sync");
  if (file_bytes_ > capacity_bytes_) {
    done = co_await file_->truncate(capacity_bytes_);
    if (!done) co_return judged(*mirror_, std::move(done));
  }
  if (fresh_) {
    const std::string from = fresh_name(base_), to = segment_name(base_);
    before_step("journal.merge.rename");
    done = co_await mirror_->drive->rename(from, to);
    if (done) after_step("journal.merge.rename");
  }
  co_return judged(*mirror_, std::move(done));
}

}  // namespace kura::journal
