// Drives that come, go, are added and removed at random, with power losses and drives that are too
// full for a mirror set or a segment: nothing acknowledged is ever hidden, nothing refused turns
// up, and all drives together always start. Also with drives of a copy on which another process
// went on in places of some. More than twice as many drives as may be lost, as README.md of the
// journal asks.

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "journal/embedded/segment_format.h"
#include "tests/journal/journal_fixture.h"

namespace kura::journal {
namespace {

constexpr uint64_t kSeeds = 4000;  // Others: --gtest_shuffle --gtest_repeat=20.

class Model {
 public:
  Model(uint64_t seed, size_t drives, uint32_t parity)
      : random_(seed), machine_(drives), parity_(parity) {
    options_ = Machine::small(parity + 1);
    machine_.create(options_);
    options_.mirror_count = 0;
  }

  // What went wrong; empty: nothing.
  std::string play() {
    for (size_t step = 6 + pick(20); step > 0; --step) {
      std::string wrong = up_ ? act() : restart(some_drives());
      if (!wrong.empty()) return wrong;
    }
    return restart(all_drives(), true);
  }
  const std::string& history() const { return history_; }

  // The drives are copied while this process runs, or before it starts with all of them, another
  // one goes on with the copy, and some of its drives come back in the place of ours. They are as
  // good as lost, and nothing is written to them.
  std::string play_with_copy(uint64_t seed) {
    for (size_t step = pick(8); step > 0 && up_; --step) {
      std::string wrong = act();
      if (!wrong.empty()) return wrong;
    }
    Model copy(seed, drives(), parity_);
    const bool live = pick(2) == 0;
    if (!live) copy.become_copy_of(*this);
    std::string wrong = restart(all_drives(), true);
    if (!wrong.empty()) return wrong;
    go_on();
    if (live) copy.become_copy_of(*this);
    history_ += live ? "copied while it ran\n" : "copied before\n";
    wrong = copy.play();
    history_ += "the copy:\n" + copy.history_ + "the original:\n";
    if (!wrong.empty()) return "the copy: " + wrong;
    go_on();
    alone_ = copy.alone_ = false;
    const bool running = pick(2) == 0;
    if (pick(3) == 0) {
      history_ += "into the copy:\n";
      copy.history_.clear();
      wrong = running ? copy.mix_while_running(*this) : copy.mix_at_a_start(*this);
      history_ += copy.history_;
      return wrong;
    }
    return running ? mix_while_running(copy) : mix_at_a_start(copy);
  }

 private:
  uint64_t pick(uint64_t n) { return random_() % n; }
  MemoryDisk& disk(size_t i) { return *machine_.disks[i]; }
  size_t drives() const { return machine_.disks.size(); }
  EmbeddedJournal& journal() { return *machine_.journal; }

  std::vector<size_t> all_drives() const {
    std::vector<size_t> which(drives());
    for (size_t i = 0; i < which.size(); ++i) which[i] = i;
    return which;
  }
  std::vector<size_t> some_drives() {
    std::vector<size_t> which;
    const uint64_t few = 2 + pick(4);
    for (size_t i = 0; i < drives(); ++i)
      if (pick(few) != 0) which.push_back(i);
    if (which.empty()) which.push_back(0);
    return which;
  }

  // Sometimes the power fails soon, and sets get to some drives only.
  void arm() {
    if (pick(6) == 0) machine_.power.dies_at = machine_.power.operations + 1 + pick(60);
    if (pick(5) != 0) return;
    for (size_t i = 0; i < drives(); ++i)
      if (pick(2) == 0)
        disk(i).full = [sets = pick(6)](const std::string& name) mutable {
          return name.ends_with("mirrors.new") && (sets == 0 || sets-- == 0);
        };
  }
  template <class T>
  std::optional<T> run(const std::string& what, Task<T> task) {
    auto out = machine_.loop->run(std::move(task));
    if (!out || machine_.power.off()) up_ = false;
    std::string outcome = "power lost";
    if (out) outcome = *out ? "done" : out->error().detail;
    history_ += what + ": " + outcome + "\n";
    return out;
  }

  // As if the drives had been copied bit by bit.
  void become_copy_of(Model& other) {
    machine_.halt();
    while (drives() < other.drives())
      machine_.disks.push_back(
          std::make_unique<MemoryDisk>("drive " + std::to_string(drives()), &machine_.power));
    for (size_t i = 0; i < drives(); ++i) put_drive_of(other, i);
    machine_.boot();
    counted_ = other.counted_;
    acked_ = other.acked_;
    sent_ = other.sent_ + 1000;
    up_ = false;
  }
  void put_drive_of(Model& other, size_t i) {
    disk(i).files.clear();
    for (const auto& [name, file] : other.disk(i).files)
      disk(i).files[name] = std::make_shared<MemoryFile>(*file);
  }
  std::map<std::string, std::string> contents(size_t i) {
    std::map<std::string, std::string> out;
    for (const auto& [name, file] : disk(i).files) out[name] = file->bytes;
    return out;
  }
  // Some have no room for another segment, for longer than one step.
  void fill_and_empty() {
    MemoryDisk& one = disk(pick(drives()));
    one.capacity_bytes = pick(2) == 0 ? one.used_bytes() : UINT64_MAX;
    if (pick(4) != 0) return;
    for (const auto& mirror : journal().status().mirrors)
      for (size_t i = 0; i < drives(); ++i)
        if (mirror.drive == drive_id(i)) disk(i).capacity_bytes = disk(i).used_bytes();
  }
  void take_sets_again() {
    for (auto& disk : machine_.disks) disk->full = nullptr;
  }
  void give_room() {
    take_sets_again();
    for (auto& disk : machine_.disks) disk->capacity_bytes = UINT64_MAX;
  }
  // Without faults.
  void go_on() {
    give_room();
    for (uint64_t n = pick(12); n > 0 && up_; --n) {
      std::vector<Record> records{test_record(++sent_, 20, 100)};
      const Record copy = records[0];
      auto out = run("append", journal().append(records, AppendClass::normal));
      if (out && *out) acked_.push_back(copy);
    }
  }
  // As many as may be lost, or fewer.
  std::vector<size_t> some_to_lose() {
    std::vector<size_t> which(counted_.begin(), counted_.end());
    std::shuffle(which.begin(), which.end(), random_);
    which.resize(std::min<size_t>(which.size(), 1 + pick(parity_)));
    return which;
  }
  using Files = std::map<std::string, std::string>;
  void put(size_t i, const Files& files) {
    disk(i).files.clear();
    for (const auto& [name, bytes] : files) {
      disk(i).files[name] = std::make_shared<MemoryFile>();
      disk(i).files[name]->bytes = bytes;
    }
  }
  // Of a drive that is not ours, and of which less may be told then.
  void damage_record(size_t i) {
    auto record = disk(i).files.find(kMirrorSetFile);
    if (record == disk(i).files.end()) return;
    history_ += "its record is damaged\n";
    if (pick(2) == 0)
      disk(i).files.erase(record);
    else
      record->second->bytes[pick(record->second->bytes.size())] ^= 1;
  }
  // Drives that only the other one has, or has still.
  std::vector<size_t> put_uncounted(Model& other, size_t most) {
    std::vector<size_t> added;
    for (size_t i = 0; i < other.drives() && added.size() < most; ++i) {
      if (counted_.contains(i)) continue;
      if (i == drives())
        machine_.disks.push_back(
            std::make_unique<MemoryDisk>("drive " + std::to_string(i), &machine_.power));
      put_drive_of(other, i);
      added.push_back(i);
    }
    return added;
  }
  std::string changed(const std::map<size_t, Files>& foreign) {
    for (const auto& [i, files] : foreign)
      if (left_out(i) && contents(i) != files) return "a drive of the other one was changed";
    return {};
  }
  std::string mix_at_a_start(Model& other) {
    machine_.halt();
    std::vector<size_t> which(counted_.begin(), counted_.end());
    std::map<size_t, Files> own, foreign;
    for (size_t i : some_to_lose()) {
      own[i] = contents(i);
      if (pick(3) == 0 || i >= other.drives()) {
        std::erase(which, i);
        continue;
      }
      history_ += "the other one's drive in the place of " + std::to_string(i) + "\n";
      put_drive_of(other, i);
      if (pick(4) == 0) damage_record(i);
      foreign[i] = contents(i);
    }
    // With more of them than may be lost it may be the other one's store.
    if (own.size() < parity_ && pick(2) == 0) {
      for (size_t i : put_uncounted(other, parity_ - own.size()))
        which.push_back(i), foreign[i] = contents(i);
    }
    std::string wrong = pick(2) == 0 ? restart(which) : "";
    if (wrong.empty()) wrong = restart(which, true);
    if (!wrong.empty() || !up_) return wrong.empty() ? "it does not start" : wrong;
    wrong = changed(foreign);
    if (!wrong.empty()) return wrong;
    go_on();
    machine_.halt();
    for (const auto& [i, files] : own) put(i, files);
    wrong = restart({counted_.begin(), counted_.end()}, true);
    return wrong.empty() && !up_ ? "with its own drives it does not start" : wrong;
  }
  std::string mix_while_running(Model& other) {
    for (size_t i : some_to_lose()) {
      if (i >= other.drives()) continue;
      history_ += "the other one's drive in the place of " + std::to_string(i) + "\n";
      if (pick(2) == 0)
        (void)run("pull " + std::to_string(i), journal().drive_failed(drive_id(i), "pulled"));
      put_drive_of(other, i);
      const Files before = contents(i);
      const bool taken = attach(i);  // As a drive that was away, if it is one.
      if (!up_) return "it ended";
      if (!taken && contents(i) != before) return "a drive of the other one was changed";
      go_on();
    }
    return restart({counted_.begin(), counted_.end()}, true);
  }

  std::string act() {
    if (pick(2) == 0) arm();
    if (pick(3) == 0) fill_and_empty();
    const uint64_t action = pick(10);  // Or none.
    const std::string one = std::to_string(drives());
    if (action < 2) pull(pick(drives()));
    if (action == 2) attach(pick(drives()));
    if (action == 3 && drives() < 10) {
      machine_.disks.push_back(std::make_unique<MemoryDisk>("drive " + one, &machine_.power));
      attach(drives() - 1);
    }
    if (action == 4) remove_a_dead_one();
    if (action == 5) return restart(some_drives());
    if (pick(3) != 0) take_sets_again();
    for (size_t n = 1 + pick(3); n > 0 && up_; --n) append();
    take_sets_again();
    return {};
  }
  void pull(size_t i) {
    disk(i).dead = true;
    if (pick(3) == 0) disk(pick(drives())).dead = true;
    (void)run("pull " + std::to_string(i), journal().drive_failed(drive_id(i), "pulled"));
  }
  bool attach(size_t i) {
    disk(i).dead = false;
    auto out = run("add " + std::to_string(i), journal().add_drive({drive_id(i), disk(i).mount()}));
    const bool taken = out && *out;
    if (taken) counted_.insert(i);
    return taken;
  }
  bool left_out(size_t i) const {
    const std::vector<DriveId>& left = machine_.journal->report().other_history;
    return std::find(left.begin(), left.end(), drive_id(i)) != left.end();
  }
  void remove_a_dead_one() {
    for (size_t i = 0; i < drives(); ++i) {
      if (!disk(i).dead || counted_.size() < 2 * parity_ + 3) continue;
      auto out = run("remove " + std::to_string(i), journal().remove_drive(drive_id(i)));
      if (out && *out) counted_.erase(i);
      return;
    }
  }
  void append() {
    std::vector<Record> records{test_record(++sent_, 20, 100)};
    const Record copy = records[0];
    MemoryDisk& one = disk(pick(drives()));
    if (pick(3) == 0) one.dies_in = pick(4);  // Also after it took the record.
    const auto append_class = pick(2) == 0 ? AppendClass::normal : AppendClass::reserve;
    auto out = run("append", journal().append(records, append_class));
    one.dies_in = UINT64_MAX;
    if (out && *out) acked_.push_back(copy);
    if (!out || *out) return;
    if (out->error().code == Errc::unknown) up_ = false;
    const bool unwritten = out->error().code == Errc::no_space;
    if (!unwritten && out->error().code != Errc::unavailable) return;
    refused_.push_back({copy, {}});
    const JournalStatus status = journal().status();
    for (const auto& mirror : status.mirrors)
      refused_.back().taken_back_from.push_back(mirror.drive);
    if (!unwritten) return;
    for (const auto& other : status.other_drives)
      refused_.back().taken_back_from.push_back(other.drive);
  }
  // It may be there only after a start that saw none of the mirrors that it was taken back from.
  std::string refused_one(const std::vector<StoredRecord>& found,
                          const std::vector<size_t>& started_with) const {
    for (const Refused& refused : refused_) {
      auto was = [&refused](const StoredRecord& one) { return same(one.record, refused.record); };
      if (std::none_of(found.begin(), found.end(), was)) continue;
      if (refused.is_told_by(started_with))
        return "record " + std::to_string(refused.record.seq) + " was refused and is there";
    }
    return {};
  }
  std::string restart(const std::vector<size_t>& which, bool calm = false) {
    machine_.boot();
    if (calm) give_room();
    std::string line = "start";
    for (size_t i = 0; i < drives(); ++i) disk(i).dead = true;
    for (size_t i : which) {
      disk(i).full = nullptr;
      disk(i).dead = false;
      line += " " + std::to_string(i);
    }
    if (!calm && pick(2) == 0) arm();
    auto failed = machine_.open(options_, which);
    if (machine_.power.off()) failed = Error{Errc::timed_out, "power lost"};
    if (!machine_.power.off()) machine_.power.dies_at = UINT64_MAX;
    take_sets_again();
    up_ = !failed;
    history_ += line + ": " + (failed ? failed->detail : "done") + "\n";
    // What got half-way may have taken it for acknowledged.
    const bool only_reads = !failed && journal().status().degraded;
    if (failed || only_reads)
      std::erase_if(refused_, [&](const auto& one) { return !one.is_told_by(which); });
    if (failed && calm && which.size() == drives())
      return "all drives do not start: " + failed->detail;
    if (failed) return failed->code == Errc::corrupt ? failed->detail : "";
    for (size_t i : which) {
      if (!left_out(i) && !only_reads) counted_.insert(i);
      if (left_out(i) && alone_) return "a drive is left out";
    }
    const std::vector<StoredRecord> found = machine_.read_all();
    size_t seen = 0;
    for (const StoredRecord& stored : found)
      if (seen < acked_.size() && same(stored.record, acked_[seen])) ++seen;
    if (seen < acked_.size())
      return std::to_string(seen) + " of " + std::to_string(acked_.size()) + " acknowledged";
    std::string wrong = refused_one(found, which);
    if (!wrong.empty()) return wrong;
    if (only_reads) return {};  // What it shows beyond that may be gone with other drives.
    acked_.clear();             // From now on all that was read stays.
    refused_.clear();
    for (const StoredRecord& stored : found) acked_.push_back(stored.record);
    return {};
  }

  std::mt19937_64 random_;
  Machine machine_;
  EmbeddedJournalOptions options_;
  const uint32_t parity_;
  std::set<size_t> counted_;  // At most those that the journal names.
  struct Refused {
    Record record;
    std::vector<DriveId> taken_back_from;
    bool is_told_by(const std::vector<size_t>& drives) const {
      return std::any_of(drives.begin(), drives.end(), [this](size_t i) {
        return std::count(taken_back_from.begin(), taken_back_from.end(), drive_id(i)) > 0;
      });
    }
  };
  std::vector<Record> acked_;
  std::vector<Refused> refused_;
  uint64_t sent_ = 0;
  std::string history_;
  bool up_ = true;
  bool alone_ = true;  // No drive of another history was ever here.
};

TEST(MembersModel, NothingAcknowledgedIsHidden) {
  const std::pair<size_t, uint32_t> shapes[] = {{3, 1}, {5, 2}, {6, 2}, {7, 2}, {6, 1}};
  const auto first =
      static_cast<uint64_t>(testing::UnitTest::GetInstance()->random_seed()) * kSeeds;
  for (uint64_t seed = first; seed < first + kSeeds; ++seed) {
    const auto [drives, parity] = shapes[seed % std::size(shapes)];
    Model model(seed, drives, parity);
    const std::string wrong = model.play();
    ASSERT_TRUE(wrong.empty()) << "seed " << seed << ", " << drives << " drives, parity " << parity
                               << ": " << wrong << "\n"
                               << model.history();
  }
}

TEST(MembersModel, DrivesOfACopyThatWentOnAreAsGoodAsLost) {
  const std::pair<size_t, uint32_t> shapes[] = {{3, 1}, {5, 2}, {6, 2}, {7, 2}, {7, 3}};
  const auto first =
      static_cast<uint64_t>(testing::UnitTest::GetInstance()->random_seed()) * kSeeds;
  for (uint64_t seed = first; seed < first + kSeeds; ++seed) {
    const auto [drives, parity] = shapes[seed % std::size(shapes)];
    Model model(seed, drives, parity);
    const std::string wrong = model.play_with_copy(~seed);
    ASSERT_TRUE(wrong.empty()) << "seed " << seed << ", " << drives << " drives, parity " << parity
                               << ": " << wrong << "\n"
                               << model.history();
  }
}

}  // namespace
}  // namespace kura::journal
