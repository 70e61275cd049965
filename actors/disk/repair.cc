#include "actors/disk/repair.h"

#include "actors/disk/core.h"
#include "actors/disk/set_reader.h"
#include "base/crc32c.h"
#include "base/drive_calls.h"
#include "base/fail_point.h"

namespace kura::disk {
namespace {

constexpr size_t kRepairsMax = 4096;
constexpr int64_t kBusyNapNs = 5'000'000;  // Rare: scrub and a read met the same damage.

Task<Result<void>> rewrite(std::shared_ptr<File> file, uint64_t offset, std::string header,
                           std::string payload) {
  std::vector<std::string_view> pieces{header, payload};
  before_step("repair.stripe");
  Result<void> written = co_await file->write(offset, std::move(pieces));
  if (!written) co_return written;
  Result<void> synced = co_await file->sync();
  if (synced) after_step("repair.stripe");
  co_return synced;
}

// Marks parity that is not what the good data shards give: a write by a broken program or drive.
void check_parity(const StripeHeader& like, std::vector<Shard>& shards) {
  std::vector<uint32_t> want;
  for (uint32_t i = 0; i < shards.size(); ++i) {
    if (i < like.data_shards && shards[i].state != Shard::State::good) return;
    if (i >= like.data_shards && shards[i].state == Shard::State::good) want.push_back(i);
  }
  auto right = mend(like, shards, want);
  if (!right) return;
  for (size_t i = 0; i < want.size(); ++i)
    if ((*right)[i] != shards[want[i]].payload()) shards[want[i]].state = Shard::State::damaged;
}

// The shard of `like.member`.
Task<Result<void>> write_anew(std::shared_ptr<DiskCore> core, StripeHeader like,
                              std::string payload) {
  auto file = co_await core->files.open(like.set, like.member);
  if (!file) co_return fail(file.error());
  like.payload_crc32c = crc32c(payload);
  Task<Result<void>> writing = rewrite(*file, like.offset, encode(like), std::move(payload));
  Result<void> written = co_await within<void>(std::move(writing), core->options.drive_timeout_ns);
  if (!written) co_return written;
  auto again = co_await read_shard(core, like, like.member);
  if (!again || again->state != Shard::State::good)
    co_return fail(Errc::io_error, "a repaired shard reads back wrong");
  co_return Result<void>();
}

Task<Result<StripeRepair>> repair_alone(std::shared_ptr<DiskCore> core, StripeHeader like) {
  std::vector<Shard> shards = co_await read_stripe(core, like);
  check_parity(like, shards);
  StripeRepair out;
  std::vector<uint32_t> damaged;
  for (uint32_t i = 0; i < shards.size(); ++i) {
    if (shards[i].state == Shard::State::good) like = shards[i].header;
    if (shards[i].state == Shard::State::damaged) damaged.push_back(i);
    if (shards[i].state == Shard::State::offline) ++out.offline;
  }
  out.damaged = static_cast<uint32_t>(damaged.size());
  out.lost = shards.size() - out.damaged - out.offline < like.data_shards;
  if (damaged.empty() || out.lost) co_return out;
  auto mended = mend(like, shards, damaged);
  if (!mended) co_return fail(mended.error());
  Result<void> all_written;
  for (size_t i = 0; i < damaged.size(); ++i) {
    like.member = static_cast<uint8_t>(damaged[i]);
    Result<void> written = co_await write_anew(core, like, std::move((*mended)[i]));
    if (written)
      ++core->counters.repaired_shards;
    else if (all_written)
      all_written = written;
  }
  if (!all_written) co_return fail(all_written.error());
  co_return out;
}

}  // namespace

Task<Result<StripeRepair>> repair_stripe(std::shared_ptr<DiskCore> core, StripeHeader like) {
  const SetId set = like.set;
  const uint64_t offset = like.offset;
  while (!core->repairs.begin(set, offset)) co_await sleep_for(kBusyNapNs);
  auto repaired = co_await repair_alone(core, std::move(like));
  core->repairs.end(set, offset);
  co_return repaired;
}

void RepairQueue::add(SetId set, uint64_t offset) {
  if (!enabled_) return;
  auto core = core_.shared_from_this();
  core_.loop.post([core, set, offset] {
    RepairQueue& queue = core->repairs;
    if (core->stopping || queue.waiting_.size() >= kRepairsMax) return;
    queue.waiting_.insert({set, offset});
    if (queue.running_) return;
    queue.running_ = true;
    spawn_on(core, queue.run());
  });
}

Task<void> RepairQueue::run() {
  auto core = core_.shared_from_this();
  while (!waiting_.empty() && !core->stopping) {
    const auto [set, offset] = *waiting_.begin();
    waiting_.erase(waiting_.begin());
    SetFiles::Pin pin = core->files.pin(set);
    if (!pin) continue;
    auto stripe = co_await locate_stripe(core, set, offset);
    if (!stripe || !*stripe) continue;
    // What cannot be mended now is found again by the next read or scrub.
    (void)co_await repair_stripe(core, **stripe);
  }
  running_ = false;
}

}  // namespace kura::disk
