#include "actors/disk/core.h"

#include <algorithm>

#include "actors/disk/geometry.h"

namespace kura::disk {
namespace {

Task<void> keep_alive(std::shared_ptr<DiskCore> core, Task<void> work) {
  co_await std::move(work);
  --core->background;
}

}  // namespace

uint32_t DiskCore::drive_count() const {
  return static_cast<uint32_t>(std::max(drives.size(), ledger.state()->drives.size()));
}

uint32_t DiskCore::parity(v1::StorageClass storage_class) const {
  return parity_of(drive_count(), storage_class);
}

uint32_t DiskCore::parity_of(uint32_t count, v1::StorageClass storage_class) const {
  const uint32_t standard = parity_for(count, v1::STANDARD, options.standard_parity);
  if (storage_class != v1::REDUCED_REDUNDANCY) return standard;
  const uint32_t reduced = parity_for(count, storage_class, options.reduced_parity);
  // The journal has mirrors for the standard class only, and bodies in it.
  return options.reduced_parity ? reduced : std::min(reduced, standard);
}

void DiskCore::drive_failed(DriveId drive, const Error& error) {
  drives.set_offline(drive, DriveTable::State::failed, error.detail, loop.clock().monotonic_ns());
}

Target reclaim_target(const DiskCore& core) {
  return {core.parity(v1::STANDARD), Purpose::reclaim};
}

void spawn_on(const std::shared_ptr<DiskCore>& core, Task<void> work) {
  ++core->background;
  Task<void> kept = keep_alive(core, std::move(work));
  spawn(core->loop, std::move(kept));
}

}  // namespace kura::disk
