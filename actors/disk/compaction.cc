#include "actors/disk/compaction.h"

#include <algorithm>

#include "actors/disk/archive.h"
#include "actors/disk/body_mover.h"
#include "actors/disk/core.h"
#include "actors/disk/geometry.h"
#include "actors/disk/set_condition.h"
#include "actors/disk/set_lifecycle.h"
#include "base/chance.h"
#include "base/fail_point.h"

namespace kura::disk {
namespace {

constexpr uint32_t kPage = 256;  // Bodies looked up at once.
constexpr uint64_t kRetryPasses = 60;
constexpr size_t kArchivesPerPass = 500;
constexpr int64_t kAskViewRest = 20;  // Times as long as it took: 5 % of the pool's loop at most.
constexpr size_t kSmallSetsMax = 8;   // Sealed early, by restarts and new drives; more are merged.

uint64_t used_bytes(const SegmentSet& set) { return *set.sealed_bytes - kFirstStripeOffset; }

bool is_small(const SegmentSet& set) { return used_bytes(set) < set.member_bytes / 8; }

}  // namespace

Task<Result<void>> Compaction::pass() {
  ++passes_;
  auto candidates = co_await look_around();
  if (!candidates) co_return fail(candidates.error());
  for (const Candidate& candidate : *candidates) {
    if (core_->stopping) break;
    Result<void> copied = co_await copy_out(candidate);
    if (!copied) not_before_[candidate.set.id] = passes_ + kRetryPasses;
    if (!copied && copied.error().code == Errc::no_space) break;
  }
  co_return co_await clean_archives();
}

Task<Result<void>> Compaction::clean_archives() {
  const auto state = core_->ledger.state();
  auto next = std::find_if(state->archived.begin(), state->archived.end(),
                           [this](const auto& piece) { return cleaned_ < piece->from; });
  if (next == state->archived.end()) next = state->archived.begin();
  Result<void> outcome;
  for (size_t looked = 0; next != state->archived.end() && looked < kArchivesPerPass; ++looked) {
    if (core_->stopping) break;
    const std::shared_ptr<const ArchivedLog> piece = *next++;
    cleaned_ = piece->from;
    auto worth = is_worth_cleaning(*core_, live_, *core_->ledger.state(), *piece);
    if (!worth) co_return fail(worth.error());
    if (!*worth && !chance("archive.clean")) continue;
    auto later = clean_not_before_.find(piece->from);
    if (later != clean_not_before_.end() && later->second > passes_) continue;
    clean_not_before_.erase(piece->from);
    Result<void> cleaned = co_await clean(core_, live_, buckets_, piece);
    const bool unread = !cleaned && (cleaned.error().code == Errc::corrupt ||
                                     cleaned.error().code == Errc::unavailable);
    if (unread && !core_->stopping) {
      const int64_t begun_ns = core_->loop.clock().monotonic_ns();
      if (begun_ns < ask_view_not_before_ns_) continue;
      cleaned = co_await clean_by_names(core_, live_, buckets_, piece);
      const int64_t now_ns = core_->loop.clock().monotonic_ns();
      ask_view_not_before_ns_ = now_ns + (now_ns - begun_ns) * kAskViewRest;
    }
    if (cleaned) continue;
    clean_not_before_[piece->from] = passes_ + kRetryPasses;
    outcome = cleaned;
    if (cleaned.error().code == Errc::no_space) break;
  }
  co_return outcome;
}

// As with bodies: one that cannot be read stays where it is.
Task<Result<void>> Compaction::copy_archives(SetId set, Target target) {
  const auto state = core_->ledger.state();
  Result<void> outcome;
  if (!state->archived_bytes.contains(set)) co_return outcome;
  for (const auto& piece : state->archived) {
    if (core_->stopping) co_return fail(Errc::unavailable, "stopping");
    if (!touches(piece->body, set)) continue;
    auto cleaned = is_worth_cleaning(*core_, live_, *core_->ledger.state(), *piece);
    if (!cleaned) co_return fail(cleaned.error());
    if (*cleaned) continue;  // It is cleaned instead.
    Result<void> copied = co_await archive_again(core_, target, piece);
    if (!copied) outcome = copied;
    if (!copied && copied.error().code == Errc::no_space) break;
  }
  co_return outcome;
}

Task<Result<std::vector<Compaction::Candidate>>> Compaction::look_around() {
  const auto state = core_->ledger.state();
  std::vector<Candidate> out, small;
  std::set<SetId> empty_now;
  for (const auto& [id, set] : state->sets) {
    // In this order: no reservation now means that nothing new becomes live afterwards.
    if (!set.sealed_bytes || core_->reservations.any_in(id)) continue;
    auto live_bytes = live_bytes_in(live_, *core_->ledger.state(), id);
    if (!live_bytes) co_return fail(live_bytes.error());
    if (*live_bytes == 0) {
      // A reader that found the body before it moved gets one more pass to pin the set.
      if (empty_before_.contains(id))
        co_await drop_set(core_, id);
      else
        empty_now.insert(id);
      continue;
    }
    auto later = not_before_.find(id);
    if (later != not_before_.end() && later->second > passes_) continue;
    if (later != not_before_.end()) not_before_.erase(later);
    // Of a set with more members than there are drives one is gone for good.
    const bool too_wide = set.members.size() > core_->drives.all().size();
    if (too_wide || is_sparse(*core_, set, *set.sealed_bytes, *live_bytes))
      out.push_back({set, *live_bytes});
    else if (is_small(set))
      small.push_back({set, *live_bytes});
  }
  empty_before_ = std::move(empty_now);
  if (small.size() > kSmallSetsMax) out.insert(out.end(), small.begin(), small.end());
  std::sort(out.begin(), out.end(), [](const Candidate& a, const Candidate& b) {
    return a.live_bytes != b.live_bytes ? a.live_bytes < b.live_bytes : a.set.id < b.set.id;
  });
  co_return out;
}

Task<Result<void>> Compaction::copy_out(const Candidate& candidate) {
  const SegmentSet& set = candidate.set;
  const uint32_t standard = core_->parity(v1::STANDARD);
  const uint32_t reduced = core_->parity(v1::REDUCED_REDUNDANCY);
  const bool was_reduced = set.parity_shards < standard && set.parity_shards <= reduced;
  const Target target{was_reduced ? reduced : standard, Purpose::reclaim};
  BodyMover mover(core_, buckets_, target);
  std::string after;
  do {
    auto page = live_.bodies_in(set.id, after, kPage);
    if (!page) co_return fail(page.error());
    for (v1::BodiesMoved_Move& place : page->bodies) {
      if (core_->stopping) co_return fail(Errc::unavailable, "stopping");
      v1::BodiesMoved_Move taken = std::move(place);
      Result<void> copied = co_await mover.copy(std::move(taken));
      if (!copied) co_return copied;
    }
    after = page->next;
  } while (!after.empty());
  before_step("compaction");
  Result<void> flushed = co_await mover.flush();
  if (flushed) after_step("compaction");
  core_->counters.bodies_moved += mover.moved();
  // What can be read is out of the set, so what cannot is all that holds it; asked for again later.
  if (!flushed) co_return flushed;
  Result<void> archives = co_await copy_archives(set.id, target);
  if (mover.unread()) co_return fail(*mover.unread());
  co_return archives;
}

}  // namespace kura::disk
