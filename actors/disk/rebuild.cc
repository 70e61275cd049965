#include "actors/disk/rebuild.h"

#include <algorithm>

#include "actors/disk/core.h"
#include "actors/disk/live_ranges.h"
#include "actors/disk/set_condition.h"
#include "actors/disk/set_reader.h"
#include "base/bounded_drive.h"
#include "base/crc32c.h"
#include "base/drive_calls.h"
#include "base/fail_point.h"

namespace kura::disk {
namespace {

// A member file on its way back.
struct NewMember {
  RebuildTarget target;
  std::shared_ptr<CallBounds> bounds;
  std::shared_ptr<Drive> drive;  // Bounded.
  std::shared_ptr<File> file;
};

// What all of them must hold in the end.
struct NewStripe {
  StripeHeader header;
  std::vector<uint32_t> payload_crc32c;  // By new member.
};

class Rebuild {
 public:
  Rebuild(std::shared_ptr<DiskCore> core, const LiveBodies& live, SegmentSet set,
          std::vector<RebuildTarget> targets)
      : core_(std::move(core)), live_(live), set_(std::move(set)), targets_(std::move(targets)) {}

  Task<Result<uint64_t>> run() {
    SetFiles::Pin pin = core_->files.pin(set_.id);
    if (!pin) co_return fail(Errc::unavailable, "the set is being dropped");
    auto ranges = LiveRanges::of(live_, *core_->ledger.state(), set_);
    if (!ranges) co_return fail(ranges.error());
    ranges_ = std::move(*ranges);
    Result<void> done = co_await create();
    if (done) done = co_await copy_stripes();
    if (done) done = co_await verify();
    if (done) done = co_await install();
    if (!done) {
      give_up_hanging();
      co_await discard();
      co_return fail(done.error());
    }
    co_return lost_;
  }

 private:
  // Whether the drive that had the member is here.
  bool has_drive(const RebuildTarget& target) const {
    return core_->drives.online(set_.members[target.member]) != nullptr;
  }
  std::string fresh_name() const { return unfinished_name(set_file_name(set_.id)); }

  Task<Result<void>> create() {
    for (const RebuildTarget& target : targets_) {
      std::shared_ptr<Drive> drive = core_->drives.online(target.drive);
      if (!drive) co_return fail(Errc::unavailable, "the new drive went offline");
      NewMember member{target, std::make_shared<CallBounds>(core_->options.drive_timeout_ns),
                       nullptr, nullptr};
      member.drive = bounded(std::move(drive), member.bounds);
      members_.push_back(member);
      std::string name = fresh_name();
      Result<void> removed = co_await member.drive->remove(name);
      if (!removed && removed.error().code != Errc::not_found) co_return removed;
      before_step("rebuild.create");
      auto file = co_await member.drive->create(name, *set_.sealed_bytes);
      if (!file) co_return fail(file.error());
      after_step("rebuild.create");
      member.file = members_.back().file = *file;
      const std::string header =
          encode(expected_file_header(core_->options.cluster, set_, target.member));
      std::vector<std::string_view> pieces{header};
      Result<void> written = co_await member.file->write(0, std::move(pieces));
      if (!written) co_return written;
    }
    co_return Result<void>();
  }

  Task<Result<void>> copy_stripes() {
    uint64_t at = kFirstStripeOffset;
    while (at < *set_.sealed_bytes) {
      if (core_->stopping) co_return fail(Errc::unavailable, "stopping");
      auto stripe = co_await find_stripe(core_, set_.id, at, *set_.sealed_bytes);
      if (!stripe) co_return fail(stripe.error());
      if (!*stripe) break;
      at = (*stripe)->end();
      Result<void> copied = co_await copy_stripe(**stripe);
      if (!copied) co_return copied;
    }
    // Live bytes in stripes that no member knows any more.
    if (ranges_.empty()) co_return Result<void>();
    for (uint32_t i : missing_members(*core_, set_))
      if (std::none_of(targets_.begin(), targets_.end(),
                       [&](const RebuildTarget& t) { return t.member == i; }))
        co_return fail(Errc::unavailable, "stripes are missing and so is another member");
    for (const RebuildTarget& target : targets_)
      if (!has_drive(target))
        co_return fail(Errc::unavailable, "stripes are missing and so is the drive that had them");
    ++lost_;
    co_return Result<void>();
  }

  Task<Result<void>> copy_stripe(StripeHeader like) {
    std::vector<Shard> shards = co_await read_stripe(core_, like);
    std::vector<uint32_t> want;
    for (const NewMember& member : members_) {
      want.push_back(member.target.member);
      // A drive that is not here may have it, forgotten or not: what is lost with it comes back
      // with it, as long as nobody writes that it is gone.
      if (has_drive(member.target)) shards[member.target.member].state = Shard::State::damaged;
    }
    const bool live_here = ranges_.touches(like.offset, like.end());
    auto mended = mend(like, shards, want);
    if (!mended && live_here && mended.error().code == Errc::unavailable)
      co_return fail(mended.error());
    ranges_.cover(like.offset, like.end());
    if (!mended) {
      if (live_here) ++lost_;
      co_return Result<void>();
    }
    for (const Shard& shard : shards)
      if (shard.state == Shard::State::good) like = shard.header;
    for (uint32_t i = 0; i < shards.size(); ++i)
      if (shards[i].state == Shard::State::damaged &&
          std::find(want.begin(), want.end(), i) == want.end())
        core_->repairs.add(set_.id, like.offset);
    NewStripe written{like, {}};
    for (size_t i = 0; i < members_.size(); ++i) {
      like.member = static_cast<uint8_t>(want[i]);
      like.payload_crc32c = crc32c((*mended)[i]);
      written.payload_crc32c.push_back(like.payload_crc32c);
      const std::string header = encode(like);
      std::vector<std::string_view> pieces{header, (*mended)[i]};
      Result<void> done = co_await members_[i].file->write(like.offset, std::move(pieces));
      if (!done) co_return done;
    }
    stripes_.push_back(std::move(written));
    co_return Result<void>();
  }

  Task<Result<void>> verify() {
    for (size_t i = 0; i < members_.size(); ++i) {
      before_step("rebuild.sync");
      Result<void> synced = co_await members_[i].file->sync();
      if (!synced) co_return synced;
      after_step("rebuild.sync");
      for (const NewStripe& stripe : stripes_) {
        StripeHeader expected = stripe.header;
        expected.member = static_cast<uint8_t>(members_[i].target.member);
        expected.payload_crc32c = stripe.payload_crc32c[i];
        const std::string header = encode(expected);
        auto bytes =
            co_await members_[i].file->read(expected.offset, header.size() + expected.shard_bytes);
        if (!bytes) co_return fail(bytes.error());
        if (!bytes->starts_with(header) ||
            crc32c(std::string_view(*bytes).substr(header.size())) != expected.payload_crc32c)
          co_return fail(Errc::io_error, "a rebuilt stripe reads back wrong");
      }
    }
    co_return Result<void>();
  }

  Task<Result<void>> install() {
    for (const NewMember& member : members_) {
      std::string from = fresh_name(), to = set_file_name(set_.id);
      before_step("rebuild.rename");
      Result<void> renamed = co_await member.drive->rename(std::move(from), std::move(to));
      if (!renamed) co_return renamed;
      after_step("rebuild.rename");
      const RebuildTarget& target = member.target;
      if (set_.members[target.member] != target.drive) {
        before_step("rebuild.record");
        Result<void> replaced =
            co_await core_->ledger.replace_member(set_.id, target.member, target.drive);
        if (!replaced && !may_become_effective(replaced.error().code)) {
          std::string orphan = set_file_name(set_.id);
          (void)co_await member.drive->remove(std::move(orphan));
        }
        if (!replaced) co_return replaced;
        after_step("rebuild.record");
      }
      core_->files.note_present(set_.id, target.member);
      core_->files.forget(set_.id);
      ++core_->counters.members_rebuilt;
    }
    co_return Result<void>();
  }

  void give_up_hanging() {
    for (const NewMember& member : members_)
      if (member.bounds->given_up)
        core_->drive_failed(member.target.drive, Error{Errc::timed_out, "a rebuild hung there"});
  }

  Task<void> discard() {
    for (const NewMember& member : members_) {
      std::string name = fresh_name();
      (void)co_await member.drive->remove(std::move(name));
    }
  }

  const std::shared_ptr<DiskCore> core_;
  const LiveBodies& live_;
  const SegmentSet set_;
  const std::vector<RebuildTarget> targets_;
  LiveRanges ranges_;
  std::vector<NewMember> members_;
  std::vector<NewStripe> stripes_;
  uint64_t lost_ = 0;
};

}  // namespace

std::vector<RebuildTarget> rebuild_targets(DiskCore& core, const SegmentSet& set,
                                           const std::set<DriveId>& given_up) {
  std::vector<std::pair<uint64_t, DriveId>> spare;  // By room.
  for (const auto& entry : core.drives.all_online()) {
    auto space = entry.drive->space();
    const bool holds =
        std::find(set.members.begin(), set.members.end(), entry.id) != set.members.end();
    if (!holds && space && space->free_bytes > *set.sealed_bytes + kBlockBytes)
      spare.push_back({space->free_bytes, entry.id});
  }
  std::sort(spare.begin(), spare.end(), std::greater<>());
  std::vector<RebuildTarget> out;
  auto next = spare.begin();
  for (uint32_t i : missing_members(core, set)) {
    if (core.drives.online(set.members[i]))
      out.push_back({i, set.members[i]});
    else if (given_up.contains(set.members[i]) && next != spare.end())
      out.push_back({i, next++->second});
  }
  return out;
}

Task<Result<uint64_t>> rebuild_members(std::shared_ptr<DiskCore> core, const LiveBodies& live,
                                       SegmentSet set, std::vector<RebuildTarget> targets) {
  Rebuild rebuild(std::move(core), live, std::move(set), std::move(targets));
  co_return co_await rebuild.run();
}

}  // namespace kura::disk
