#include "actors/disk/packing.h"

#include <algorithm>
#include <set>

#include "actors/disk/geometry.h"
#include "actors/disk/stripe.h"
#include "base/check.h"

namespace kura::disk {
namespace {

constexpr uint64_t kColumnMax = kPackedBodyMax;

struct Building {
  std::vector<PackedSlot> slots;
  std::vector<uint64_t> heights;
  std::set<ReservationId> reservations;

  uint64_t height() const { return *std::max_element(heights.begin(), heights.end()); }
};

// Room in each member, block padding included.
uint64_t cost_packed(const Building& b) {
  return align_up(stripe_header_bytes(b.reservations.size()) + b.height(), kBlockBytes);
}

uint64_t cost_striped(const Building& b, const std::vector<PackItem>& items, uint32_t k) {
  uint64_t sum = 0;
  for (const PackedSlot& slot : b.slots)
    sum += align_up(Striping{k, kPieceBytes, items[slot.item].bytes}.member_bytes(), kBlockBytes);
  return sum;
}

void finish(PackPlan& plan, Building& b, const std::vector<PackItem>& items, uint32_t k) {
  if (b.slots.empty()) return;
  // One read instead of k is worth some room, but not most of it.
  if (2 * cost_striped(b, items, k) <= cost_packed(b)) {
    for (const PackedSlot& slot : b.slots) plan.striped.push_back(slot.item);
  } else {
    plan.packed.push_back({std::move(b.slots),
                           align_up(b.height(), kShardAlignBytes),
                           {b.reservations.begin(), b.reservations.end()}});
  }
  b = Building{.heights = std::vector<uint64_t>(k, 0)};
}

}  // namespace

PackPlan plan_packing(const std::vector<PackItem>& items, uint32_t k) {
  std::vector<size_t> order(items.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  // Largest first into the lowest column keeps the columns even.
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return items[a].bytes > items[b].bytes; });
  PackPlan plan;
  Building open{.heights = std::vector<uint64_t>(k, 0)};
  for (size_t item : order) {
    const uint64_t bytes = items[item].bytes;
    INVARIANT(bytes > 0 && bytes <= kColumnMax, "only small bodies are packed");
    auto lowest = std::min_element(open.heights.begin(), open.heights.end());
    const bool named = open.reservations.contains(items[item].reservation);
    if (*lowest + bytes > kColumnMax ||
        (!named && open.reservations.size() == kStripeReservationsMax)) {
      finish(plan, open, items, k);
      lowest = open.heights.begin();
    }
    open.slots.push_back({item, static_cast<uint32_t>(lowest - open.heights.begin()), *lowest});
    open.reservations.insert(items[item].reservation);
    *lowest += bytes;
  }
  finish(plan, open, items, k);
  return plan;
}

}  // namespace kura::disk
