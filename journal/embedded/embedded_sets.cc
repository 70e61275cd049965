// How a mirror set comes into force (journal/README.md, "Mirror set").

#include <algorithm>

#include "base/concurrently.h"
#include "base/counted.h"
#include "base/fail_point.h"
#include "journal/embedded/embedded_journal.h"
#include "journal/embedded/journal_folder.h"

namespace kura::journal {
std::vector<DriveId> EmbeddedJournal::online() const {
  std::vector<DriveId> ids;
  for (const auto* drives : {&mirrors_, &others_}) {
    for (const MirrorPtr& drive : *drives) {
      if (!is_lost(*drive)) ids.push_back(drive->id);
    }
  }
  return ids;
}

// Makes `next` the set in force. Where the drives or the parity change it says what was before, and
// no longer once it is in force.
Task<Result<void>> EmbeddedJournal::commit(MirrorSet next) {
  Result<void> enough = check_enough_for(next);
  if (!enough) co_return enough;
  if (!in_charge_ || last_tried_ + 2 > set_.promised) {
    Result<void> taken = co_await take_charge();
    if (!taken) co_return taken;
  }
  next.promised = set_.promised;
  next.writer = set_.writer;
  next.writers = set_.writers;
  name_before(next);
  Result<void> seen = co_await make_witnesses(next);
  if (!seen) co_return seen;
  name_before(next);
  note_removed(next);
  note_lagging(next);
  next.generation = last_tried_ + 1;
  Result<void> written = co_await write_set(std::move(next), Quorum::suffices);
  if (!written) co_return written;
  (void)co_await finish_change();  // Else the next one does.
  co_return written;
}

// Before this process takes charge of a set that it cannot bring into force: another one with other
// drives may be about to do the same.
Result<void> EmbeddedJournal::check_enough_for(MirrorSet next) const {
  name_before(next);
  if (!suffices(next, online())) return fail(too_few_online());
  return {};
}

void EmbeddedJournal::note_removed(MirrorSet& next) const {
  next.removed = set_.removed;
  next.lagging = set_.lagging;
  for (const DriveId& drive : set_.drives)
    if (!next.has_drive(drive)) next.note_removed(drive);
  std::erase_if(next.removed, [&next](const auto& one) { return next.has_drive(one.drive); });
}

// By what this process has written so far. Once all drives show its sets, nobody has to know of
// others any more.
void EmbeddedJournal::note_lagging(MirrorSet& next) const {
  if (next.writer != options_.writer) return;
  auto is_signed = [this](const DriveId& id) {
    for (const auto* drives : {&mirrors_, &others_})
      for (const MirrorPtr& drive : *drives)
        if (drive->id == id) return drive->is_signed;
    return false;
  };
  auto lagged = [this](const DriveId& id) {
    const bool known = set_.has_drive(id) && set_.writer == options_.writer;
    return !known || std::count(set_.lagging.begin(), set_.lagging.end(), id) > 0;
  };
  next.lagging.clear();
  for (const DriveId& id : next.drives)
    if (lagged(id) && !is_signed(id)) next.lagging.push_back(id);
  if (next.lagging.empty()) next.writers.clear();
}

// The set that `next` follows, where its drives or its parity are others.
void EmbeddedJournal::name_before(MirrorSet& next) const {
  const bool changes = next.drives != set_.drives || next.parity != set_.parity;
  next.drives_before = changes ? set_.drives : std::vector<DriveId>();
  next.parity_before = changes ? set_.parity : 0;
}

// A start that sees that a drive counts may need it as a witness. So before anybody can see that,
// it holds a set of this process: the one in force. What has no room for it does not count, unless
// as a mirror.
Task<Result<void>> EmbeddedJournal::make_witnesses(MirrorSet& next) {
  std::vector<MirrorPtr> fresh;
  for (const auto* drives : {&mirrors_, &others_}) {
    for (const MirrorPtr& drive : *drives) {
      const bool joins = next.has_drive(drive->id) && !set_.has_drive(drive->id);
      if (joins && !drive->is_signed && !is_lost(*drive)) fresh.push_back(drive);
    }
  }
  const std::string bytes = encode_mirror_set(set_);
  for (const MirrorPtr& drive : fresh) {
    Result<void> written = co_await write_mirror_set(drive, bytes);
    if (!written && next.has_member(drive->id)) co_return written;
    if (!written) std::erase(next.drives, drive->id);
    drive->is_signed = written.has_value();
  }
  co_return Result<void>();
}

// What an earlier process tried may stand on drives that are not here, and what is seen here may
// have got half-way. So first a promise on enough drives, by which every later process knows the
// generations of this one, and then the set that was found, again, as the newest.
Task<Result<void>> EmbeddedJournal::take_charge() {
  MirrorSet same = set_;
  const uint64_t floor = std::max({set_.generation, set_.promised, last_tried_});
  same.promised = floor + kGenerationsPromised;
  same.announce(options_.writer);
  Result<void> done = co_await write_set(same, Quorum::binds);
  if (!done) co_return done;
  last_tried_ = floor;
  same.generation = last_tried_ + 1;
  same.sign(options_.writer);
  done = co_await write_set(std::move(same), Quorum::binds);
  if (!done) co_return done;
  in_charge_ = true;
  const bool changes = !set_.drives_before.empty();
  done = co_await finish_change();
  // Else only more is asked of drives that are away than need be.
  if (!changes) done = Result<void>();
  co_return done;
}

// REQUIRES: set_ is in force. Nobody has to ask the drives before it any more, and who has written
// to which drive is told.
Task<Result<void>> EmbeddedJournal::finish_change() {
  MirrorSet plain = set_;
  plain.drives_before.clear();
  plain.parity_before = 0;
  note_lagging(plain);
  if (plain == set_) co_return Result<void>();
  plain.generation = last_tried_ + 1;
  const Quorum quorum = set_.drives_before.empty() ? Quorum::binds : Quorum::suffices;
  co_return co_await write_set(std::move(plain), quorum);
}

Error EmbeddedJournal::too_few_online() const {
  return {Errc::unavailable,
          "too few of the " + counted(set_.drives.size(), "drive") +
              " that know the journal are online to change its mirrors: bring some back"};
}

// On all drives that are online; `quorum`: what it takes to go on with it.
Task<Result<void>> EmbeddedJournal::write_set(MirrorSet next, Quorum quorum) {
  auto enough = [&next, quorum](const std::vector<DriveId>& on) {
    return quorum == Quorum::binds ? binds(next, on) : suffices(next, on);
  };
  if (!enough(online())) co_return fail(too_few_online());
  const std::string bytes = encode_mirror_set(next);
  last_tried_ = std::max(last_tried_, next.generation);
  before_step("journal.mirror_set.commit");
  std::vector<MirrorPtr> asked;
  std::vector<Task<Result<void>>> writing;
  for (const auto* drives : {&mirrors_, &others_}) {
    for (const MirrorPtr& drive : *drives) {
      if (is_lost(*drive)) continue;
      asked.push_back(drive);
      writing.push_back(write_mirror_set(drive, bytes));
    }
  }
  std::vector<Result<void>> written = co_await concurrently(std::move(writing));
  std::vector<DriveId> on;
  Error worst = too_few_online();
  for (size_t i = 0; i < written.size(); ++i) {
    if (written[i]) on.push_back(asked[i]->id);
    if (written[i]) asked[i]->is_signed = next.writer == options_.writer;
    if (!written[i] && written[i].error().code == Errc::no_space) worst = written[i].error();
  }
  if (!enough(on)) co_return fail(worst);
  set_ = std::move(next);
  after_step("journal.mirror_set.commit");
  co_return Result<void>();
}

}  // namespace kura::journal
