#include "actors/disk/set_files.h"

#include "actors/disk/stripe.h"
#include "base/drive_calls.h"

namespace kura::disk {
namespace {

Task<Result<std::shared_ptr<File>>> open_file(std::shared_ptr<Drive> drive, std::string name) {
  co_return co_await drive->open(std::move(name));
}

}  // namespace

SetFiles::Pin SetFiles::pin(SetId set) {
  std::lock_guard lock(mutex_);
  if (dropping_.contains(set)) return nullptr;
  Set& entry = sets_[set];
  Pin pin = entry.pins.lock();
  if (!pin) {
    pin = std::make_shared<int>(0);
    entry.pins = pin;
  }
  return pin;
}

bool SetFiles::begin_drop(SetId set) {
  std::lock_guard lock(mutex_);
  auto it = sets_.find(set);
  if (it != sets_.end() && !it->second.pins.expired()) return false;
  dropping_.insert(set);
  return true;
}

std::shared_ptr<File> SetFiles::opened(SetId set, uint32_t member) {
  const auto state = ledger_.state();
  auto known = state->sets.find(set);
  if (known == state->sets.end() || member >= known->second.members.size()) return nullptr;
  const DriveId drive = known->second.members[member];
  if (!drives_.online(drive)) return nullptr;
  std::lock_guard lock(mutex_);
  auto it = sets_.find(set);
  if (it == sets_.end()) return nullptr;
  auto handle = it->second.members.find(member);
  if (handle == it->second.members.end() || handle->second.drive != drive) return nullptr;
  it->second.used = ++uses_;
  return handle->second.file;
}

Task<Result<std::shared_ptr<File>>> SetFiles::open(SetId set, uint32_t member) {
  if (auto file = opened(set, member)) co_return file;
  const auto state = ledger_.state();
  auto known = state->sets.find(set);
  if (known == state->sets.end() || member >= known->second.members.size())
    co_return fail(Errc::not_found, "no such set");
  const DriveId id = known->second.members[member];
  std::shared_ptr<Drive> drive = drives_.online(id);
  if (!drive) co_return fail(Errc::unavailable, "drive " + to_hex(id) + " is offline");
  auto opening = open_file(std::move(drive), set_file_name(set));
  auto file = co_await within<std::shared_ptr<File>>(std::move(opening), timeout_ns_);
  if (!file && file.error().code == Errc::not_found) note_absent(set, member);
  if (!file) co_return fail(file.error());
  adopt(set, member, id, *file);
  co_return file;
}

void SetFiles::adopt(SetId set, uint32_t member, DriveId drive, std::shared_ptr<File> file) {
  std::lock_guard lock(mutex_);
  if (dropping_.contains(set)) return;
  Set& entry = sets_[set];
  entry.used = ++uses_;
  auto [it, fresh] = entry.members.insert_or_assign(member, Handle{drive, std::move(file)});
  if (fresh) ++open_files_;
  if (open_files_ > open_files_max_) make_room();
}

void SetFiles::make_room() {
  // Rare: only as often as files are opened beyond the bound. A pin outlives its handles.
  while (open_files_ > open_files_max_ - open_files_max_ / 4) {
    auto oldest = sets_.end();
    for (auto it = sets_.begin(); it != sets_.end(); ++it)
      if (!it->second.members.empty() &&
          (oldest == sets_.end() || it->second.used < oldest->second.used))
        oldest = it;
    if (oldest == sets_.end() || oldest->second.used == uses_) return;
    open_files_ -= oldest->second.members.size();
    oldest->second.members.clear();
    if (oldest->second.pins.expired()) sets_.erase(oldest);
  }
}

void SetFiles::forget(SetId set) {
  std::lock_guard lock(mutex_);
  auto it = sets_.find(set);
  if (it == sets_.end()) return;
  open_files_ -= it->second.members.size();
  it->second.members.clear();
  if (it->second.pins.expired()) sets_.erase(it);
}

void SetFiles::forget_drive(DriveId drive) {
  std::lock_guard lock(mutex_);
  for (auto& [id, entry] : sets_)
    open_files_ -= std::erase_if(entry.members,
                                 [&](const auto& member) { return member.second.drive == drive; });
}

void SetFiles::note_absent(SetId set, uint32_t member) {
  std::lock_guard lock(mutex_);
  absent_.insert({set, member});
}

void SetFiles::note_present(SetId set, uint32_t member) {
  std::lock_guard lock(mutex_);
  absent_.erase({set, member});
}

bool SetFiles::absent(SetId set, uint32_t member) const {
  std::lock_guard lock(mutex_);
  return absent_.contains({set, member});
}

}  // namespace kura::disk
