#include "actors/disk/scrub.h"

#include "actors/disk/core.h"
#include "actors/disk/live_ranges.h"
#include "actors/disk/set_reader.h"
#include "base/bounded_drive.h"
#include "base/fail_point.h"

namespace kura::disk {
namespace {

constexpr int64_t kSealNs = 60'000'000'000;
constexpr int64_t kSealNapNs = 50'000'000;

}  // namespace

// Of what can be read of each member. 0: left open by an earlier process, its end is being looked
// for.
uint64_t Scrub::end_of(const SegmentSet& set) const {
  return set.sealed_bytes.value_or(core_->write_sets.good_end(set.id));
}

uint64_t Scrub::planned_bytes() const {
  uint64_t bytes = 0;
  const auto state = core_->ledger.state();
  for (const auto& [id, set] : state->sets)
    if (const uint64_t end = end_of(set); end > kFirstStripeOffset)
      bytes += set.members.size() * (end - kFirstStripeOffset);
  return bytes;
}

Task<void> Scrub::run(const LiveBodies& live) {
  counters_.running = true;
  began_ns_ = core_->loop.clock().monotonic_ns();
  paced_bytes_ = 0;
  counters_.run_bytes = 0;
  counters_.run_bytes_planned = planned_bytes();
  const auto state = core_->ledger.state();
  std::vector<SetId> unsealed;
  for (const auto& [id, set] : state->sets) {
    if (core_->stopping) break;
    const uint64_t until = end_of(set);
    if (until == 0)
      unsealed.push_back(id);
    else
      co_await visit(live, set, until);
  }
  // After a start the end of those that were left open is looked for.
  for (SetId id : unsealed) {
    const SegmentSet set = co_await sealed(id);
    if (!core_->stopping && set.sealed_bytes) co_await visit(live, set, *set.sealed_bytes);
  }
  counters_.running = false;
  if (!core_->stopping) ++counters_.runs;
}

Task<void> Scrub::visit(const LiveBodies& live, SegmentSet set, uint64_t until) {
  SetFiles::Pin pin = core_->files.pin(set.id);
  if (!pin) co_return;
  auto lost = co_await scrub_set(live, set, until);
  // A set that is being dropped, or of a newer format.
  if (!lost) co_return;
  ++counters_.sets;
  counters_.lost_stripes += *lost;
  if (*lost > 0)
    core_->lost_in.insert(set.id);
  else if (!core_->stopping)
    core_->lost_in.erase(set.id);
}

// The set once it is sealed; as it is then if it is dropped, or cannot be sealed for so long.
Task<SegmentSet> Scrub::sealed(SetId id) {
  const int64_t until_ns = began_ns_ + kSealNs;
  for (;;) {
    const auto state = core_->ledger.state();
    auto known = state->sets.find(id);
    if (known == state->sets.end()) co_return SegmentSet{};
    const bool waits = !core_->stopping && core_->loop.clock().monotonic_ns() < until_ns;
    if (known->second.sealed_bytes || !waits) co_return known->second;
    co_await sleep_for(kSealNapNs);
  }
}

Task<Result<uint64_t>> Scrub::scrub_set(const LiveBodies& live, SegmentSet set, uint64_t until) {
  auto ranges = LiveRanges::of(live, *core_->ledger.state(), set);
  if (!ranges) co_return fail(ranges.error());
  co_await check_file_headers(set);
  uint64_t at = kFirstStripeOffset, lost = 0;
  while (at < until && !core_->stopping) {
    auto stripe = co_await find_stripe(core_, set.id, at, until);
    if (!stripe && stripe.error().code != Errc::unavailable) co_return fail(stripe.error());
    if (!stripe || !*stripe) break;
    at = (*stripe)->end();
    const uint64_t bytes = set.members.size() * (at - (*stripe)->offset);
    const bool live_here = ranges->touches((*stripe)->offset, at);
    ranges->cover((*stripe)->offset, at);
    counters_.bytes += bytes;
    counters_.run_bytes += bytes;
    // In an open set an upload may be writing it at this moment.
    if (!set.sealed_bytes && !live_here) continue;
    auto repaired = co_await repair_stripe(core_, **stripe);
    if (!repaired) ++counters_.damaged_shards;  // One at least, that cannot be written anew.
    if (repaired && (live_here || !repaired->lost)) {
      counters_.damaged_shards += repaired->damaged;
      lost += repaired->lost;
    }
    co_await keep_pace(bytes);
  }
  // Live bytes whose stripe has no readable header in any member: how many stripes nobody knows.
  if (!core_->stopping && !ranges->empty() && ranges->begin() < until) ++lost;
  co_return lost;
}

Task<void> Scrub::check_file_headers(const SegmentSet& set) {
  for (uint32_t i = 0; i < set.members.size(); ++i) {
    auto bytes = co_await read_member(core_, set.id, i, 0, kBlockBytes);
    if (!bytes) continue;
    const std::string header = encode(expected_file_header(core_->options.cluster, set, i));
    if (*bytes == header) continue;
    ++counters_.damaged_shards;
    auto file = co_await core_->files.open(set.id, i);
    if (!file) continue;
    std::vector<std::string_view> pieces{header};
    before_step("repair.header");
    auto bounds = std::make_shared<CallBounds>(core_->options.drive_timeout_ns);
    const std::shared_ptr<File> bound = bounded(std::move(*file), std::move(bounds));
    Result<void> written = co_await bound->write_and_sync(0, std::move(pieces));
    if (written) after_step("repair.header");
    if (written) ++core_->counters.repaired_shards;
  }
}

Task<void> Scrub::keep_pace(uint64_t bytes) {
  const uint64_t rate = core_->options.scrub_bytes_per_second;
  if (rate == 0) co_return;
  paced_bytes_ += bytes;
  const int64_t due_ns = began_ns_ + static_cast<int64_t>(static_cast<double>(paced_bytes_) * 1e9 /
                                                          static_cast<double>(rate));
  const int64_t now_ns = core_->loop.clock().monotonic_ns();
  if (due_ns > now_ns) co_await sleep_for(due_ns - now_ns);
}

}  // namespace kura::disk
