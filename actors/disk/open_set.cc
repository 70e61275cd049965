#include "actors/disk/open_set.h"

#include <algorithm>

#include "base/drive_calls.h"
#include "base/fail_point.h"

namespace kura::disk {
namespace {

// Owns what it uses: it may outlive the deadline of its caller.
Task<Result<void>> write_member(std::shared_ptr<File> file, uint32_t member,
                                std::shared_ptr<const CodedRun> run) {
  std::vector<std::string_view> pieces{run->member(member)};
  before_step("stripe.write");
  Result<void> written = co_await file->write(run->offset, std::move(pieces));
  if (written) after_step("stripe.write");
  co_return written;
}

Task<Result<void>> write_and_sync_member(std::shared_ptr<File> file, uint32_t member,
                                         std::shared_ptr<const CodedRun> run) {
  std::vector<std::string_view> pieces{run->member(member)};
  before_step("stripe.write");
  Result<void> written = co_await file->write_and_sync(run->offset, std::move(pieces));
  if (written) after_step("stripe.sync");
  co_return written;
}

Task<Result<void>> sync_member(std::shared_ptr<File> file) {
  before_step("stripe.sync");
  Result<void> synced = co_await file->sync();
  if (synced) after_step("stripe.sync");
  co_return synced;
}

Task<Result<void>> resize_member(std::shared_ptr<File> file, uint64_t bytes) {
  before_step("set.cut");
  Result<void> resized = co_await file->truncate(bytes);
  if (resized) after_step("set.cut");
  co_return resized;
}

std::vector<MemberError> errors_of(const std::vector<Result<void>>& results) {
  std::vector<MemberError> errors;
  for (uint32_t i = 0; i < results.size(); ++i)
    if (!results[i]) errors.push_back({i, results[i].error()});
  return errors;
}

}  // namespace

Task<std::vector<MemberError>> OpenSet::write(std::shared_ptr<const CodedRun> run) {
  std::vector<Task<Result<void>>> calls;
  for (uint32_t i = 0; i < files_.size(); ++i) calls.push_back(write_member(files_[i], i, run));
  auto results = co_await all_within<void>(std::move(calls), timeout_ns_);
  co_return errors_of(results);
}

Task<std::vector<MemberError>> OpenSet::resize(uint64_t bytes) {
  std::vector<Task<Result<void>>> calls;
  for (const auto& file : files_) calls.push_back(resize_member(file, bytes));
  auto results = co_await all_within<void>(std::move(calls), timeout_ns_);
  co_return errors_of(results);
}

uint64_t OpenSet::room() const {
  const uint64_t begin = align_up(next_, kBlockBytes);
  const uint64_t end = set_.member_bytes / kBlockBytes * kBlockBytes;  // A run fills whole blocks.
  return begin < end ? end - begin : 0;
}

uint64_t OpenSet::allocate(uint64_t bytes) {
  INVARIANT(bytes <= room(), "room was checked");
  const uint64_t offset = align_up(next_, kBlockBytes);
  next_ = offset + bytes;
  return offset;
}

Task<OpenSet::Synced> OpenSet::sync(uint64_t end) {
  if (failed()) co_return Synced{};
  co_return co_await suspend<Synced>([this, end](Resolver<Synced> resolve) {
    waiting_.push_back({end, resolve});
    if (syncing_) return;
    syncing_ = true;
    spawn(loop_, sync_rounds());
  });
}

Task<OpenSet::Synced> OpenSet::write_and_sync(std::shared_ptr<const CodedRun> run) {
  std::vector<Task<Result<void>>> calls;
  for (uint32_t i = 0; i < files_.size(); ++i)
    calls.push_back(write_and_sync_member(files_[i], i, run));
  auto results = co_await all_within<void>(std::move(calls), timeout_ns_);
  Synced synced = conclude(results);
  if (synced.durable) good_end_ = std::max(good_end_, run->end);
  co_return synced;
}

OpenSet::Synced OpenSet::conclude(const std::vector<Result<void>>& results) {
  Synced synced;
  synced.errors = errors_of(results);
  if (!synced.errors.empty()) mark_failed();
  synced.durable = !failed();
  return synced;
}

Task<void> OpenSet::sync_rounds() {
  auto self = shared_from_this();
  while (!waiting_.empty()) {
    std::vector<Waiting> round;
    round.swap(waiting_);
    std::vector<Task<Result<void>>> calls;
    for (const auto& file : files_) calls.push_back(sync_member(file));
    auto results = co_await all_within<void>(std::move(calls), timeout_ns_);
    Synced synced = conclude(results);
    for (Waiting& waiter : round) {
      if (synced.durable) good_end_ = std::max(good_end_, waiter.end);
      waiter.resolve(synced);
      synced.errors.clear();
    }
  }
  syncing_ = false;
}

}  // namespace kura::disk
