// What the admin API does to drives: adding them, and removing those that are away.

#include "actors/disk/local_drive.h"
#include "node/server/admin_backend.h"
#include "s3/codec/encoding.h"

namespace kura::node {
namespace {

Result<void> check_absolute(const std::string& path) {
  if (path.empty() || path[0] != '/')
    return fail(Errc::invalid_argument, "path is the absolute path of an empty folder");
  return {};
}

Result<DriveId> drive_of(const std::string& id) {
  const std::optional<std::string> raw = s3::hex_decode(id);
  if (!raw || raw->size() != 16) return fail(Errc::not_found, "no such drive");
  return uuid_from<DriveId>(*raw);
}

}  // namespace

Task<Result<admin::DriveReport>> NodeBackend::find_lost_drive(std::string id_or_path) {
  if (auto writable = check_writable(); !writable) co_return fail(writable.error());
  auto status = co_await run_on(loop_, status_here());
  if (!status) co_return fail(status.error());
  if (id_or_path.starts_with('/')) id_or_path = absolute_folder(id_or_path);
  std::vector<admin::DriveReport> lost;
  bool online = false;
  for (const admin::DriveReport& drive : status->drives) {
    if (drive.id != id_or_path && drive.label != id_or_path) continue;
    if (drive.online) online = true;
    if (!drive.online) lost.push_back(drive);
  }
  if (lost.size() == 1) co_return lost.front();
  if (lost.size() > 1)
    co_return fail(Errc::invalid_argument,
                   "several lost drives were there: name one by its id (kura drive ls -o wide)");
  if (online)
    co_return fail(Errc::exists, id_or_path + " is online: take it out of the machine first");
  co_return fail(Errc::not_found, "the cluster has no drive '" + id_or_path + "'");
}

Task<Result<void>> NodeBackend::remove_drive(std::string id) {
  auto drive = drive_of(id);
  if (!drive) co_return fail(drive.error());
  Task<Result<void>> removing = remove_drive_here(*drive);
  co_return co_await run_on(loop_, std::move(removing));
}

Task<Result<admin::RemovalReport>> NodeBackend::plan_removal(std::string id) {
  auto drive = drive_of(id);
  if (!drive) co_return fail(drive.error());
  Task<Result<void>> checking = check_removal_here(*drive);
  auto may = co_await run_on(loop_, std::move(checking));
  if (!may) co_return fail(may.error());
  auto plan = co_await node_.disks().plan_removal(*drive);
  if (!plan) co_return fail(plan.error());
  co_return admin::RemovalReport{.moved_bytes = plan->moved_bytes,
                                 .room_bytes = plan->room_bytes,
                                 .unreadable_bytes = plan->unreadable_bytes,
                                 .standard_parity = plan->standard_parity,
                                 .reduced_parity = plan->reduced_parity,
                                 .takes_writes = plan->takes_writes};
}

Task<Result<void>> NodeBackend::check_removal_here(DriveId drive) {
  if (auto writable = check_writable(); !writable) co_return writable;
  co_return node_.check_removal(drive);
}

Task<Result<void>> NodeBackend::remove_drive_here(DriveId drive) {
  if (auto writable = check_writable(); !writable) co_return writable;
  co_return co_await node_.remove_drive(drive);
}

Task<Result<std::string>> NodeBackend::check_drive(std::string path) {
  return run_on(loop_, check_drive_here(std::move(path)));
}

Task<Result<std::string>> NodeBackend::check_drive_here(std::string path) {
  if (auto absolute = check_absolute(path); !absolute) co_return fail(absolute.error());
  path = absolute_folder(path);
  TurnQueue::Turn turn = co_await adding_.enter();
  if (!node_.uses(path)) folders_.release(path);
  auto looked = folders_.look(path);
  if (!looked) co_return fail(looked.error());
  std::shared_ptr<Drive> drive = looked->drive;
  auto id = co_await node_.check_drive(std::move(drive));
  if (!id) co_return fail(id.error());
  co_return id->is_nil() ? std::string() : to_hex(*id);
}

Task<Result<std::string>> NodeBackend::add_drive(std::string path) {
  return run_on(loop_, add_drive_here(std::move(path)));
}

Task<Result<std::string>> NodeBackend::add_drive_here(std::string path) {
  if (auto absolute = check_absolute(path); !absolute) co_return fail(absolute.error());
  path = absolute_folder(path);
  TurnQueue::Turn turn = co_await adding_.enter();
  // It may have been emptied, or mended, where it is.
  if (!node_.uses(path)) folders_.release(path);
  const bool again = folders_.is_joining(path);
  auto opened = folders_.add(path);
  if (!opened) co_return fail(opened.error());
  auto id = co_await node_.check_drive(*opened);
  const bool refused = !id && !again;
  if (id) id = co_await node_.add_drive(*opened);
  if (!id) {
    // Else the journal may hold a part of the log there by now, and waits for more drives.
    if (refused || id.error().code == Errc::exists) folders_.forget(path);
    co_return fail(id.error());
  }
  folders_.joined(path);
  co_return to_hex(*id);
}

}  // namespace kura::node
