#include "actors/disk/drive_table.h"

namespace kura::disk {

void DriveTable::put(Entry entry) {
  std::lock_guard lock(mutex_);
  drives_[entry.id] = std::move(entry);
}

void DriveTable::erase(DriveId id) {
  std::lock_guard lock(mutex_);
  drives_.erase(id);
}

std::shared_ptr<Drive> DriveTable::online(DriveId id) const {
  std::lock_guard lock(mutex_);
  auto it = drives_.find(id);
  if (it == drives_.end() || it->second.state != State::online) return nullptr;
  return it->second.drive;
}

void DriveTable::set_offline(DriveId id, State state, std::string reason, int64_t now_ns) {
  {
    std::lock_guard lock(mutex_);
    auto it = drives_.find(id);
    if (it == drives_.end() || it->second.state == State::failed) return;
    if (it->second.state == State::away && state == State::away) return;
    if (it->second.state == State::online) it->second.since_ns = now_ns;
    it->second.state = state;
    it->second.reason = std::move(reason);
  }
  if (observer_) observer_(id);
}

void DriveTable::set_reason(DriveId id, std::string reason) {
  std::lock_guard lock(mutex_);
  auto it = drives_.find(id);
  if (it != drives_.end() && it->second.state != State::online)
    it->second.reason = std::move(reason);
}

bool DriveTable::set_online(DriveId id, int64_t now_ns) {
  std::lock_guard lock(mutex_);
  auto it = drives_.find(id);
  if (it == drives_.end() || it->second.state != State::away || !it->second.drive) return false;
  it->second.state = State::online;
  it->second.reason.clear();
  it->second.since_ns = now_ns;
  return true;
}

std::vector<DriveTable::Entry> DriveTable::all() const {
  std::lock_guard lock(mutex_);
  std::vector<Entry> out;
  for (const auto& [id, entry] : drives_) out.push_back(entry);
  return out;
}

std::vector<DriveTable::Entry> DriveTable::all_online() const {
  std::vector<Entry> out = all();
  std::erase_if(out, [](const Entry& entry) { return entry.state != State::online; });
  return out;
}

std::shared_ptr<Drive> DriveTable::mounted(DriveId id) const {
  std::lock_guard lock(mutex_);
  const auto it = drives_.find(id);
  return it == drives_.end() ? nullptr : it->second.drive;
}

bool DriveTable::known(DriveId id) const {
  std::lock_guard lock(mutex_);
  return drives_.contains(id);
}

size_t DriveTable::size() const {
  std::lock_guard lock(mutex_);
  return drives_.size();
}

}  // namespace kura::disk
