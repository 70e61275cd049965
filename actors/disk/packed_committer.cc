#include "actors/disk/packed_committer.h"

#include <algorithm>

#include "actors/disk/core.h"
#include "actors/disk/geometry.h"
#include "base/crc32c.h"

namespace kura::disk {
namespace {

constexpr uint64_t kGroupBytesMax = 8 * kMiB;  // Of bodies; about 64 of the largest.

v1::Extent packed_extent(SetId set, uint64_t payload_offset, const PackedSlot& slot,
                         const std::string& body) {
  v1::Extent extent;
  extent.set_set(set.value);
  extent.set_offset(payload_offset + slot.column_offset);
  extent.set_stored_bytes(body.size());
  extent.set_layout(v1::Extent::PACKED);
  extent.set_member(slot.member);
  extent.set_crc32c(crc32c(body));
  return extent;
}

}  // namespace

Task<Result<std::vector<v1::Extent>>> PackedCommitter::put(Target target,
                                                           std::vector<SmallBody> bodies) {
  Call call;
  call.bodies = std::move(bodies);
  call.left = call.bodies.size();
  call.extents.resize(call.left);
  if (call.left == 0) co_return std::move(call.extents);
  co_await suspend<Done>([this, target, &call](Resolver<Done> resolve) {
    call.resolve = resolve;
    Queue& queue = queues_[target];
    for (size_t i = 0; i < call.bodies.size(); ++i) queue.items.push_back({&call, i});
    if (queue.running) return;
    queue.running = true;
    spawn_on(core_.shared_from_this(), commit_rounds(target));
  });
  if (call.error) co_return fail(*call.error);
  co_return std::move(call.extents);
}

Task<void> PackedCommitter::commit_rounds(Target target) {
  Queue& queue = queues_[target];
  while (!queue.items.empty()) {
    uint64_t bytes = 0;
    size_t count = 0;
    while (count < queue.items.size() && bytes < kGroupBytesMax)
      bytes += queue.items[count++].body().bytes->size();
    const auto end = queue.items.begin() + static_cast<ptrdiff_t>(count);
    std::vector<Item> items(queue.items.begin(), end);
    queue.items.erase(queue.items.begin(), end);
    co_await commit(target, std::move(items));
  }
  queue.running = false;
}

Task<void> PackedCommitter::commit(Target target, std::vector<Item> items) {
  while (!items.empty()) {
    auto use = co_await core_.write_sets.current(target);
    if (use) {
      co_await write_group(*use, items);
      continue;
    }
    for (const Item& item : items) {
      item.call->error = use.error();
      if (--item.call->left == 0) item.call->resolve(Done{});
    }
    co_return;
  }
}

// Writes those of `items` that fit and takes them out once they are durable. What is left goes to
// another set: this one is then full or has failed.
Task<void> PackedCommitter::write_group(SetUse& use, std::vector<Item>& items) {
  const std::shared_ptr<OpenSet>& set = use.set();
  const uint32_t k = set->set().data_shards;
  const StripeOwner owner{set->id(), core_.options.incarnation};
  std::vector<PackItem> sizes;
  std::vector<std::shared_ptr<const std::string>> bodies;
  for (const Item& item : items) {
    sizes.push_back({item.body().bytes->size(), item.body().reservation});
    bodies.push_back(item.body().bytes);
  }
  const PackPlan plan = plan_packing(sizes, k);
  std::vector<std::pair<const PackedStripe*, uint64_t>> packed;  // With their offsets.
  std::vector<std::pair<size_t, uint64_t>> striped;
  std::optional<uint64_t> begin;
  uint64_t end = 0;
  std::map<size_t, v1::Extent> extents;  // By item.
  bool full = false;
  auto allocate = [&](uint64_t bytes) {
    const uint64_t offset = set->allocate(bytes);
    if (!begin) begin = offset;
    end = offset + bytes;
    return offset;
  };
  for (const PackedStripe& stripe : plan.packed) {
    const uint64_t header_bytes = stripe_header_bytes(stripe.reservations.size());
    if (full = header_bytes + stripe.shard_bytes > set->room(); full) break;
    const uint64_t offset = allocate(header_bytes + stripe.shard_bytes);
    for (const PackedSlot& slot : stripe.slots)
      extents[slot.item] =
          packed_extent(set->id(), offset + header_bytes, slot, *bodies[slot.item]);
    packed.emplace_back(&stripe, offset);
  }
  for (size_t item : plan.striped) {
    const uint64_t bytes = Striping{k, kPieceBytes, sizes[item].bytes}.member_bytes();
    if (full = full || bytes > set->room(); full) break;
    const uint64_t offset = allocate(bytes);
    extents[item] = striped_extent(set->id(), offset, sizes[item].bytes);
    striped.emplace_back(item, offset);
  }
  if (full) core_.write_sets.retire(set);
  if (!begin) co_return;
  for (const auto& [item, extent] : extents)
    core_.reservations.uses(sizes[item].reservation, set->id());
  RunCoder coder(set->code(), owner, *begin, end);
  for (const auto& [stripe, offset] : packed) coder.add_packed(offset, *stripe, bodies);
  for (const auto& [item, offset] : striped)
    coder.add_striped(sizes[item].reservation, offset, kPieceBytes, {*bodies[item]});
  const std::shared_ptr<const CodedRun> run = coder.finish();
  OpenSet::Synced synced = co_await set->write_and_sync(run);
  if (synced.durable) {
    std::vector<Item> left;
    for (size_t i = 0; i < items.size(); ++i) {
      auto done = extents.find(i);
      if (done == extents.end()) {
        left.push_back(items[i]);
        continue;
      }
      Call& call = *items[i].call;
      call.extents[items[i].index] = std::move(done->second);
      if (--call.left == 0) call.resolve(Done{});
    }
    items = std::move(left);
  }
  core_.write_sets.members_failed(set, std::move(synced.errors));
}

}  // namespace kura::disk
