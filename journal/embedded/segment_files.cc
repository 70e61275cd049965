#include "journal/embedded/segment_files.h"

#include "journal/embedded/journal_folder.h"
#include "journal/embedded/segment_format.h"

namespace kura::journal {
namespace {

// The file of a segment that the mirror has by its listing.
Task<SegmentReader> open_reader(MirrorPtr mirror, uint64_t base) {
  const std::string name = segment_name(base);
  auto opened = co_await mirror->drive->open(name);
  if (opened) {
    auto bytes = (*opened)->size_bytes();
    if (bytes) co_return SegmentReader(mirror, *opened, *bytes);
    mirror->fail(bytes.error());
  } else if (opened.error().code != Errc::not_found) {
    mirror->fail(opened.error());
  }
  co_return SegmentReader(mirror, nullptr, 0);
}

}  // namespace

Task<Result<SegmentFiles>> SegmentFiles::list(std::vector<MirrorPtr> mirrors, uint64_t start) {
  SegmentFiles files;
  files.mirrors_ = std::move(mirrors);
  for (const MirrorPtr& mirror : files.mirrors_) {
    std::set<uint64_t>& held = files.held_.emplace_back();
    auto names = co_await list_journal(mirror);
    if (!names) co_return kura::fail(names.error());
    for (const std::string& name : *names) {
      const auto base = segment_base(name);
      if (!base || *base < start) continue;
      held.insert(*base);
      files.bases_.insert(*base);
    }
  }
  co_return files;
}

std::optional<uint64_t> SegmentFiles::after(uint64_t base) const {
  const auto next = bases_.upper_bound(base);
  if (next == bases_.end()) return std::nullopt;
  return *next;
}

Task<std::vector<SegmentReader>> SegmentFiles::open(uint64_t base) {
  std::vector<SegmentReader> readers;
  for (size_t i = 0; i < mirrors_.size(); ++i) {
    if (held_[i].contains(base)) {
      SegmentReader reader = co_await open_reader(mirrors_[i], base);
      readers.push_back(std::move(reader));
    } else {
      readers.emplace_back(mirrors_[i], nullptr, 0);
    }
  }
  co_return readers;
}

Task<Result<void>> SegmentFiles::remove_behind(uint64_t base) {
  for (size_t i = 0; i < mirrors_.size(); ++i) {
    Mirror& mirror = *mirrors_[i];
    for (auto it = held_[i].upper_bound(base); it != held_[i].end(); ++it) {
      const std::string name = segment_name(*it);
      Result<void> removed = co_await mirror.drive->remove(name);
      if (!removed && removed.error().code != Errc::not_found) {
        co_return judged(mirror, std::move(removed));
      }
    }
  }
  co_return Result<void>();
}

}  // namespace kura::journal
