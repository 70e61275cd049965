#include "journal/embedded/journal_folder.h"

#include "base/concurrently.h"
#include "base/fail_point.h"
#include "journal/embedded/segment_format.h"

namespace kura::journal {
namespace {

// Removes a file; that it is not there is fine.
Task<Result<void>> remove_file(MirrorPtr mirror, std::string name) {
  Result<void> removed = co_await mirror->drive->remove(name);
  if (!removed && removed.error().code == Errc::not_found) co_return Result<void>();
  co_return judged(*mirror, std::move(removed));
}

}  // namespace

Task<Result<std::vector<std::string>>> list_journal(MirrorPtr mirror) {
  std::vector<std::string> names;
  const std::string folder = kJournalFolder;
  auto files = co_await mirror->drive->list(folder);
  if (!files && files.error().code == Errc::not_found) co_return names;
  if (!files) {
    mirror->fail(files.error());
    co_return kura::fail(files.error());
  }
  for (const FileInfo& file : *files) {
    const bool bare = file.name.find('/') == std::string::npos;
    names.push_back(bare ? folder + "/" + file.name : file.name);
  }
  co_return names;
}

namespace {

// `below`: none for all.
Task<Result<void>> remove_segments(MirrorPtr mirror, std::optional<uint64_t> below) {
  auto names = co_await list_journal(mirror);
  if (!names) co_return kura::fail(names.error());
  for (const std::string& name : *names) {
    const bool unfinished = is_unfinished(name);
    const auto own = segment_base(name);
    if (!unfinished && !(own && (!below || *own < *below))) continue;
    before_step("journal.clear");
    Result<void> removed = co_await remove_file(mirror, name);
    if (!removed) co_return removed;
    after_step("journal.clear");
  }
  co_return Result<void>();
}

}  // namespace

Task<Result<void>> remove_segments_below(MirrorPtr mirror, uint64_t base) {
  return remove_segments(std::move(mirror), base);
}

Task<Result<void>> remove_all_segments(MirrorPtr mirror) {
  return remove_segments(std::move(mirror), std::nullopt);
}

Task<Result<std::shared_ptr<File>>> create_segment(MirrorPtr mirror, JournalId journal,
                                                   uint64_t base, uint64_t capacity_bytes) {
  const std::string name = segment_name(base);
  before_step("journal.segment.create");
  Result<void> done = co_await remove_file(mirror, name);
  if (!done) co_return kura::fail(done.error());
  auto file = co_await mirror->drive->create(name, capacity_bytes);
  if (!file) {
    if (file.error().code != Errc::no_space) mirror->fail(file.error());
    co_return file;
  }
  const SegmentHeader header{journal, base, capacity_bytes};
  const std::string bytes = encode_segment_header(header);
  std::vector<std::string_view> pieces{bytes};
  done = co_await (*file)->write_and_sync(0, std::move(pieces));
  if (done) {
    after_step("journal.segment.create");
    co_return file;
  }
  const Error error = done.error();
  if (error.code != Errc::no_space) mirror->fail(error);
  if (error.code == Errc::no_space) done = co_await remove_file(mirror, name);
  co_return kura::fail(error);
}

Task<Sighting> look(MirrorPtr mirror) {
  Sighting seen;
  seen.drive = mirror->id;
  seen.label = mirror->drive->label();
  const std::string name = kMirrorSetFile;
  auto content = co_await read_file(*mirror->drive, name);
  if (!content) {
    if (content.error().code == Errc::not_found) co_return seen;
    mirror->fail(content.error());
    seen.problem = content.error();
    co_return seen;
  }
  auto set = decode_mirror_set(*content);
  if (set) seen.set = std::move(*set);
  if (!set) seen.problem = set.error();
  co_return seen;
}

Task<std::vector<Sighting>> look_at_all(std::vector<MirrorPtr> mirrors) {
  std::vector<Task<Sighting>> looking;
  looking.reserve(mirrors.size());
  for (const MirrorPtr& mirror : mirrors) looking.push_back(look(mirror));
  co_return co_await concurrently(std::move(looking));
}

Task<Result<void>> write_mirror_set(MirrorPtr mirror, std::string bytes) {
  const std::string name = kMirrorSetFile;
  before_step("journal.mirror_set.write");
  Result<void> written = co_await replace_file(*mirror->drive, name, bytes);
  if (written) after_step("journal.mirror_set.write");
  if (!written && written.error().code != Errc::no_space) mirror->fail(written.error());
  co_return written;
}

}  // namespace kura::journal
