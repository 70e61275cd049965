#include "actors/bucket/committer.h"

#include <algorithm>

#include "base/limits.h"
#include "journal/record_codec.h"

namespace kura {
namespace {

// Whoever was just answered asks again. After a commit of so many they are waited for a little, to
// share the next append with those that queued meanwhile, unless as many did: else two halves take
// turns, and each append flushes every mirror for half of what waits. More than what moves bodies
// in the background at a time (BodyMover), so that a lone writer does not wait beside that.
constexpr size_t kGatherFrom = 4;
constexpr int64_t kGatherNsMax = 500'000;  // And a quarter of what the commit took.

}  // namespace

Committer::Committer(Loop& loop, journal::Journal& journal, ViewFold& fold, Options options)
    : loop_(loop), journal_(journal), fold_(fold), options_(std::move(options)) {}

void Committer::observe(PartitionId partition, CommitObserver* observer) {
  std::lock_guard lock(mutex_);
  owners_[partition] = Owner{observer, Epoch{}};
}

void Committer::propose(std::vector<Proposal> proposals) {
  bool start = false;
  {
    std::lock_guard lock(mutex_);
    for (Proposal& proposal : proposals) queue_.push_back(std::move(proposal));
    counters_.waiting = queue_.size();
    start = !running_ && !fatal_ && !queue_.empty();
    if (start) running_ = true;
  }
  if (start) spawn(loop_, run());
}

Committer::Counters Committer::counters() const {
  std::lock_guard lock(mutex_);
  return counters_;
}

// Takes what fits one append. A reserve append holds only proposals that may use the reserve.
std::vector<Proposal> Committer::take_batch() {
  std::lock_guard lock(mutex_);
  std::vector<Proposal> batch;
  uint64_t bytes = 0;
  while (!queue_.empty()) {
    Proposal& next = queue_.front();
    const Owner& owner = owners_[next.record.partition];
    if (next.record.epoch <= owner.lost) {
      queue_.pop_front();
      continue;
    }
    const uint64_t size = journal::encoded_size(next.record);
    if (!batch.empty() && bytes + size > kJournalBatchMax) break;
    bytes += size;
    batch.push_back(std::move(next));
    queue_.pop_front();
  }
  counters_.waiting = queue_.size();
  if (batch.empty()) running_ = false;
  return batch;
}

Task<void> Committer::run() {
  for (;;) {
    std::vector<Proposal> batch = take_batch();
    if (batch.empty()) co_return;
    const size_t count = batch.size();
    const int64_t begun_ns = loop_.clock().monotonic_ns();
    const bool answered = co_await commit(std::move(batch));
    if (is_fatal()) co_return;
    const int64_t took_ns = loop_.clock().monotonic_ns() - begun_ns;
    if (answered && count >= kGatherFrom && counters().waiting < count)
      co_await sleep_for(std::min(took_ns / 4, kGatherNsMax));
  }
}

bool Committer::is_fatal() const {
  std::lock_guard lock(mutex_);
  return fatal_;
}

Task<bool> Committer::commit(std::vector<Proposal> batch) {
  std::vector<journal::Record> records;
  records.reserve(batch.size());
  bool reserve = true;
  for (Proposal& proposal : batch) {
    reserve = reserve && proposal.may_use_reserve;
    records.push_back(std::move(proposal.record));
  }
  if (!view_takes(records, reserve)) {
    lose(batch, Errc::no_space);
    co_return false;
  }
  const auto space = reserve ? journal::AppendClass::reserve : journal::AppendClass::normal;
  Result<std::vector<Offset>> offsets = co_await journal_.append(records, space);
  for (size_t i = 0; i < batch.size(); ++i) batch[i].record = std::move(records[i]);
  if (!offsets) {
    if (offsets.error().code == Errc::no_space) accepts_growth_ = false;
    if (offsets.error().code == Errc::unknown) {
      end_for_good(offsets.error());
      co_return false;
    }
    lose(batch, offsets.error().code);
    co_return false;
  }
  std::vector<ViewFold::Item> items;
  items.reserve(batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    const Offset end = i + 1 < batch.size() ? (*offsets)[i + 1] : journal_.bounds().end;
    items.push_back({&batch[i].record, batch[i].event.get(), (*offsets)[i], end});
  }
  Result<std::vector<bool>> effective = fold_.fold(items);
  if (!effective) {
    end_for_good(effective.error());
    co_return false;
  }
  report(batch, *offsets, *effective);
  co_return true;
}

// What is appended has to be folded. A view whose drive is full keeps that in memory, so it gets
// what frees space only, and in the end claims alone.
bool Committer::view_takes(const std::vector<journal::Record>& records, bool reserve) {
  const KvRoom room = fold_.room();
  if (room == KvRoom::enough) return true;
  accepts_growth_ = false;
  const bool claims = std::all_of(records.begin(), records.end(), [](const journal::Record& r) {
    return r.kind != journal::RecordKind::event;
  });
  return claims || (reserve && room == KvRoom::lacking);
}

void Committer::end_for_good(Error error) {
  {
    std::lock_guard lock(mutex_);
    fatal_ = true;
  }
  options_.on_fatal(std::move(error));
}

void Committer::report(const std::vector<Proposal>& batch, const std::vector<Offset>& offsets,
                       const std::vector<bool>& effective) {
  std::map<PartitionId, std::vector<Folded>> by_partition;
  for (size_t i = 0; i < batch.size(); ++i) {
    const journal::Record& r = batch[i].record;
    by_partition[r.partition].push_back({r.kind, r.epoch, r.seq, offsets[i], effective[i]});
  }
  std::lock_guard lock(mutex_);
  counters_.records += batch.size();
  ++counters_.appends;
  for (auto& [partition, folded] : by_partition) {
    owners_[partition].observer->on_folded(std::move(folded));
  }
}

void Committer::lose(const std::vector<Proposal>& batch, Errc code) {
  std::map<PartitionId, Epoch> lost;
  for (const Proposal& proposal : batch) {
    Epoch& epoch = lost[proposal.record.partition];
    epoch = std::max(epoch, proposal.record.epoch);
  }
  std::lock_guard lock(mutex_);
  for (const auto& [partition, epoch] : lost) {
    Owner& owner = owners_[partition];
    owner.lost = std::max(owner.lost, epoch);
    owner.observer->on_lost(epoch, code);
  }
}

}  // namespace kura
