// Which mirror set is in force, and that no stale one is ever taken for it.

#include "journal/embedded/mirror_set.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <numeric>

#include "journal/embedded/segment_format.h"
#include "tests/journal/journal_fixture.h"

namespace kura::journal {
namespace {

MirrorSet set_of(uint64_t generation, std::vector<size_t> members, size_t drives) {
  MirrorSet set;
  set.generation = generation;
  set.journal = journal_id();
  set.parity = static_cast<uint32_t>(members.size() - 1);
  for (size_t i = 0; i < drives; ++i) set.drives.push_back(drive_id(i));
  for (size_t i : members) set.members.push_back(drive_id(i));
  return set;
}

Sighting shows(size_t drive, std::optional<MirrorSet> set) {
  Sighting seen;
  seen.drive = drive_id(drive);
  seen.label = "drive " + std::to_string(drive);
  seen.set = std::move(set);
  return seen;
}

TEST(MirrorSet, GivesBackWhatItTook) {
  EXPECT_TRUE(rc::check([] {
    const size_t drives = *rc::gen::inRange<size_t>(1, 20);
    std::vector<size_t> members(*rc::gen::inRange<size_t>(1, drives + 1));
    std::iota(members.begin(), members.end(), size_t{0});
    MirrorSet set = set_of(*rc::gen::arbitrary<uint64_t>(), members, drives);
    set.start = *rc::gen::arbitrary<uint64_t>();
    set.cluster.bytes[3] = *rc::gen::arbitrary<uint8_t>();
    set.promised = *rc::gen::element<uint64_t>(0, 1, UINT64_MAX);
    set.writer.bytes[5] = *rc::gen::arbitrary<uint8_t>();
    set.writers.resize(*rc::gen::inRange<size_t>(0, 5), writer_id(7));
    set.lagging.resize(*rc::gen::inRange<size_t>(0, 5), drive_id(7));
    set.removed.resize(*rc::gen::inRange<size_t>(0, 5), {drive_id(8), writer_id(8)});
    const size_t before = *rc::gen::inRange<size_t>(0, 20);
    for (size_t i = 0; i < before; ++i) set.drives_before.push_back(drive_id(i));
    if (before > 0)
      set.parity_before = *rc::gen::inRange<uint32_t>(0, static_cast<uint32_t>(before));
    const auto back = decode_mirror_set(encode_mirror_set(set));
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == set);
  }));
}

TEST(MirrorSet, RefusesEveryFlippedBitAndEveryCut) {
  MirrorSet set = set_of(3, {0, 1}, 3);
  set.promised = 1000;
  set.writer = writer_id(1);
  set.writers = {writer_id(2), writer_id(3)};
  set.lagging = {drive_id(1)};
  set.removed = {{drive_id(5), writer_id(2)}};
  set.drives_before = {drive_id(0), drive_id(1)};
  set.parity_before = 1;
  const std::string bytes = encode_mirror_set(set);
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(decode_mirror_set(flipped).has_value()) << bit;
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_mirror_set(bytes.substr(0, size)).has_value());
  }
  EXPECT_FALSE(decode_mirror_set(bytes + "x").has_value());
}

TEST(MirrorSet, TakesTheHighestGeneration) {
  const MirrorSet old = set_of(4, {0, 1}, 3), now = set_of(5, {0, 2}, 3);
  EXPECT_EQ(*choose_mirror_set({shows(0, now), shows(1, old), shows(2, now)}), now);
  EXPECT_EQ(*choose_mirror_set({shows(1, old), shows(2, now)}), now);
}

TEST(MirrorSet, AStaleMirrorAloneIsRefusedWithOneLine) {
  const auto refused = choose_mirror_set({shows(1, set_of(4, {0, 1}, 3))});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_EQ(refused.error().detail,
            "the journal needs 2 of its 3 drives to be sure of its newest records, and 1 has a "
            "readable record");
}

TEST(MirrorSet, AnEmptiedDriveIsNoWitness) {
  const MirrorSet old = set_of(4, {0, 1}, 3);
  const auto refused = choose_mirror_set({shows(1, old), shows(2, {})});
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_NE(refused.error().detail.find("readable record (drive 2: none)"), std::string::npos);
  EXPECT_EQ(choose_mirror_set({shows(1, old), shows(9, old)}).error().code, Errc::unavailable);
}

TEST(MirrorSet, ADamagedRecordIsNoWitnessAndIsNamed) {
  Sighting damaged = shows(2, {});
  damaged.problem = Error{Errc::corrupt, "damaged journal/mirrors"};
  const auto refused = choose_mirror_set({shows(1, set_of(4, {0, 1}, 3)), damaged});
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_NE(refused.error().detail.find("drive 2: damaged journal/mirrors"), std::string::npos);
  EXPECT_EQ(choose_mirror_set({damaged}).error().code, Errc::unavailable);
}

TEST(MirrorSet, NoJournalIsToldFromAnInterruptedCreation) {
  EXPECT_EQ(choose_mirror_set({shows(0, {}), shows(1, {})}).error().code, Errc::not_found);
  const MirrorSet begun = set_of(0, {0, 1}, 3);
  EXPECT_EQ(choose_mirror_set({shows(0, begun), shows(1, {}), shows(2, {})}).error().code,
            Errc::not_found);
  // The other drives may hold a journal that was completed.
  EXPECT_EQ(choose_mirror_set({shows(0, begun)}).error().code, Errc::unavailable);
  const MirrorSet done = set_of(1, {0, 1}, 3);
  EXPECT_EQ(*choose_mirror_set({shows(0, done), shows(1, begun), shows(2, begun)}), done);
}

TEST(MirrorSet, TwoJournalsAreNeverMixed) {
  MirrorSet other = set_of(9, {0, 1}, 2);
  other.journal = journal_id(2);
  const auto refused = choose_mirror_set({shows(0, set_of(4, {0, 1}, 2)), shows(1, other)});
  EXPECT_EQ(refused.error().code, Errc::exists) << "nothing is damaged";
}

TEST(MirrorSet, TwoOfOneGenerationAreRefused) {
  const MirrorSet one = set_of(7, {0, 3}, 4), other = set_of(7, {0, 2}, 4);
  EXPECT_EQ(choose_mirror_set({shows(0, other), shows(2, other), shows(3, one)}).error().code,
            Errc::corrupt);
}

// A removal that got half-way: three of five would be enough for it, four of six are for the set
// before.
TEST(MirrorSet, AChangeOfTheDrivesThatMayNotBeInForceAsksThoseBeforeToo) {
  const MirrorSet before = set_of(6, {0, 1, 2}, 6);
  MirrorSet change = set_of(7, {0, 1, 2}, 5);
  change.drives_before = before.drives;
  change.parity_before = before.parity;
  const auto refused = choose_mirror_set({shows(0, before), shows(1, before), shows(3, change)});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().detail,
            "the journal's drives were being changed, and it needs 4 of the 6 before to be sure of "
            "its newest records; 3 have a readable record");
  EXPECT_EQ(
      *choose_mirror_set({shows(0, before), shows(1, before), shows(3, change), shows(5, before)}),
      change);
  EXPECT_EQ(*choose_mirror_set({shows(0, change), shows(1, change), shows(3, change)}), change);
}

MirrorSet by(uint8_t writer, std::vector<uint8_t> writers, MirrorSet set) {
  set.writer = writer_id(writer);
  for (uint8_t before : writers) set.writers.push_back(writer_id(before));
  if (!writers.empty()) set.lagging = set.drives;
  return set;
}

// Two processes went on from what 1 wrote. The copy's has the higher generation, and three mirrors
// elsewhere.
TEST(MirrorSet, OfTwoHistoriesTheOneOfEnoughDrivesIsInForce) {
  const MirrorSet ours = by(2, {1}, set_of(1001, {0, 1, 2}, 6));
  const MirrorSet copy = by(3, {1}, set_of(2005, {3, 4, 5}, 6));
  const std::vector<Sighting> seen = {shows(0, ours), shows(1, ours), shows(2, ours),
                                      shows(3, ours), shows(4, copy), shows(5, copy)};
  EXPECT_EQ(*choose_mirror_set(seen), ours);
  EXPECT_FALSE(is_other_history(ours, seen[3]));
  EXPECT_TRUE(is_other_history(ours, seen[4]));
  const auto refused = choose_mirror_set({seen[0], seen[1], seen[2], seen[4], seen[5]});
  EXPECT_EQ(
      refused.error().detail,
      "the journal needs 4 of its 6 drives to be sure of its newest records, and 2 have a "
      "readable record (different histories of this store: drive 0, drive 1, drive 2; drive 4, "
      "drive 5)");
}

// The drives were copied while 1 ran, which went on and wrote no set since.
TEST(MirrorSet, ACopyThatKnowsOursIsNoSuccessorWithoutAPromise) {
  const MirrorSet ours = by(1, {}, set_of(1, {0, 1}, 4)),
                  copy = by(3, {1}, set_of(2005, {1, 3}, 4));
  EXPECT_EQ(*choose_mirror_set({shows(0, ours), shows(1, ours), shows(2, ours), shows(3, copy)}),
            ours);
  // The copy has a drive more, which may have promised.
  const MirrorSet wider = by(3, {1}, set_of(2007, {1, 4}, 5));
  EXPECT_EQ(*choose_mirror_set({shows(0, ours), shows(1, ours), shows(2, ours), shows(3, wider)}),
            ours);
}

// A set that got to one drive only is seen or not; the process that wrote it has promised to more.
TEST(MirrorSet, APromiseMakesWhatItsProcessWroteKnown) {
  const MirrorSet before = by(1, {}, set_of(1, {0, 1}, 4));
  MirrorSet promised = before;
  promised.announce(writer_id(2));
  promised.promised = 2000;
  MirrorSet half_way = promised;
  half_way.sign(writer_id(2));
  half_way.generation = 1001;
  const std::vector<Sighting> all = {shows(0, before), shows(1, promised), shows(2, promised),
                                     shows(3, half_way)};
  EXPECT_EQ(*choose_mirror_set(all), half_way);
  const std::vector<Sighting> rest = {all[0], all[1], all[2]};
  MirrorSet next = *choose_mirror_set(rest);
  EXPECT_TRUE(same_set(next, before));
  note_writers(next, rest);
  EXPECT_FALSE(is_other_history(by(5, {1, 2}, set_of(3001, {0, 1}, 4)), all[3]));
  next.sign(writer_id(5));
  next.generation = 3001;
  EXPECT_FALSE(is_other_history(next, all[3]));
}

TEST(MirrorSet, WritersThatNoDriveCanShowAreForgottenOnceAllDrivesAreHere) {
  MirrorSet now = by(4, {3, 2, 1}, set_of(4001, {0, 1}, 3));
  const MirrorSet older = by(3, {2, 1}, set_of(3001, {0, 1}, 3));
  MirrorSet without_one = now;
  note_writers(without_one, {shows(0, now), shows(1, older)});
  EXPECT_EQ(without_one.writers, (std::vector<WriterId>{writer_id(2), writer_id(1), writer_id(3)}));
  note_writers(now, {shows(0, now), shows(1, older), shows(2, now)});
  EXPECT_EQ(now.writers, std::vector<WriterId>{writer_id(3)});
}

// A drive joined, and the set that says so came into force on 0 and 1; the plain one behind it only
// got to 3. From that a process went on, and had no room on 1: its promise is on two of the four,
// and on one of those before.
TEST(MirrorSet, AChangeOfTheDrivesThatIsInForceRefutesByItsOwnDrives) {
  const MirrorSet old = by(1, {}, set_of(1, {0, 1}, 3));
  MirrorSet change = by(1, {}, set_of(2, {0, 1}, 4));
  change.drives_before = old.drives;
  change.parity_before = old.parity;
  const MirrorSet now = by(2, {1}, set_of(1001, {0, 1}, 4));
  EXPECT_EQ(*choose_mirror_set({shows(0, now), shows(1, change), shows(2, old), shows(3, now)}),
            now);
}

// A drive was removed, and the copy, which knows the process before, has the two that are left to
// it.
TEST(MirrorSet, ARemovalInForceRefutesACopyByTheDrivesThatAreLeft) {
  const MirrorSet before = by(1, {}, set_of(1001, {0, 1}, 4));
  MirrorSet ours = by(1, {}, set_of(1002, {0, 1}, 3));
  ours.drives_before = before.drives;
  ours.parity_before = 1;
  const MirrorSet copy = by(3, {1}, set_of(3005, {2, 3}, 4));
  EXPECT_EQ(*choose_mirror_set({shows(0, ours), shows(1, ours), shows(2, copy)}), ours);
}

// It is no drive of ours any more, or never was.
TEST(MirrorSet, AWriterIsLearnedFromOwnDrivesOnly) {
  MirrorSet ours = by(2, {1}, set_of(5001, {0, 1}, 3));
  const MirrorSet copy = by(3, {1}, set_of(2005, {0, 1}, 4));
  const Sighting foreign = shows(3, copy);
  EXPECT_TRUE(is_other_history(ours, foreign));
  note_writers(ours, {shows(0, ours), shows(1, ours), foreign});
  EXPECT_FALSE(ours.knows(writer_id(3)));
}

// The process before the copy went on with the original, and wrote no set since.
TEST(MirrorSet, AWriterOfBeforeIsBelievedOfADriveThatLagsOnly) {
  MirrorSet copy = by(3, {1}, set_of(2005, {0, 1}, 3));
  copy.lagging = {drive_id(2)};
  const MirrorSet before = by(1, {}, set_of(1, {0, 1}, 3));
  EXPECT_TRUE(is_other_history(copy, shows(0, before)));
  EXPECT_FALSE(is_other_history(copy, shows(2, before)));
}

// With n = 2m each half may have gone on, with drives that were added.
TEST(MirrorSet, TwoHalvesThatWentOnAreRefused) {
  const MirrorSet ours = by(2, {1}, set_of(1001, {0, 1, 2}, 4));
  const MirrorSet theirs = by(3, {1}, set_of(1001, {1, 2, 3}, 4));
  const auto refused =
      choose_mirror_set({shows(0, ours), shows(1, ours), shows(2, theirs), shows(3, theirs)});
  EXPECT_EQ(refused.error().code, Errc::corrupt);
  EXPECT_EQ(refused.error().detail,
            "the drives hold two histories of this store, one on drive 0, drive 1 and one on drive "
            "2, drive 3: start with those of one of them");
}

TEST(MirrorSet, ANewerFormatIsRefusedByName) {
  Sighting newer = shows(1, {});
  newer.problem = Error{Errc::unsupported, "journal/mirrors of format 2: install a newer kura"};
  const auto refused = choose_mirror_set({shows(0, set_of(4, {0, 1}, 3)), newer});
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_EQ(refused.error().detail, "drive 1: journal/mirrors of format 2: install a newer kura");
}

// Sets are tried one after the other, some with a drive more or less or another parity, each on the
// drives that are online then, one that joins included; not all of them come into force. Whatever a
// start chooses is no older than the one in force. (With n > 2m: journal/README.md, rule 5.)
TEST(MirrorSet, NeverChoosesAnythingOlderThanTheSetInForce) {
  const auto play = [] {
    const size_t n = *rc::gen::inRange<size_t>(1, 8);
    const size_t m = *rc::gen::inRange<size_t>(0, (n + 1) / 2);
    size_t all = n;  // Drives that ever were.
    std::map<size_t, MirrorSet> held;
    const auto pick = [&all](size_t count) {
      std::vector<size_t> order;
      for (size_t i = 0; i < all; ++i) order.push_back(i);
      for (size_t i = 0; i < all; ++i)
        std::swap(order[i], order[*rc::gen::inRange<size_t>(i, all)]);
      order.resize(count);
      return order;
    };
    MirrorSet in_force = set_of(1, pick(m + 1), n);
    for (size_t drive = 0; drive < n; ++drive) held[drive] = in_force;
    const size_t rounds = *rc::gen::inRange<size_t>(0, 6);
    for (uint64_t generation = 2; generation < 2 + rounds; ++generation) {
      MirrorSet next = in_force;
      next.generation = generation;
      const bool joins = *rc::gen::arbitrary<bool>();
      if (joins) next.drives.push_back(drive_id(all++));
      if (*rc::gen::arbitrary<bool>() && next.drives.size() > 1)
        next.drives.erase(next.drives.begin() +
                          *rc::gen::inRange<ptrdiff_t>(0, std::ssize(next.drives)));
      next.parity =
          static_cast<uint32_t>(*rc::gen::inRange<size_t>(0, (next.drives.size() + 1) / 2));
      next.drives_before.clear();
      next.parity_before = 0;
      if (next.drives != in_force.drives || next.parity != in_force.parity) {
        next.drives_before = in_force.drives;
        next.parity_before = in_force.parity;
      }
      std::vector<size_t> writers = pick(*rc::gen::inRange<size_t>(0, all + 1));
      if (joins && std::find(writers.begin(), writers.end(), all - 1) == writers.end())
        writers.push_back(all - 1);
      std::vector<DriveId> on;
      for (size_t drive : writers) on.push_back(drive_id(drive));
      next.members.assign(next.drives.begin(), next.drives.begin() + next.parity + 1);
      for (size_t drive : writers) held[drive] = next;
      if (suffices(next, on)) in_force = next;
    }
    std::vector<Sighting> seen;
    for (size_t drive : pick(*rc::gen::inRange<size_t>(0, all + 1))) {
      seen.push_back(
          shows(drive, held.contains(drive) ? std::optional(held[drive]) : std::nullopt));
    }
    const auto chosen = choose_mirror_set(seen);
    if (seen.size() == all) {
      RC_ASSERT(chosen.has_value());
    }
    if (chosen) {
      RC_ASSERT(chosen->generation >= in_force.generation);
    }
  };
  EXPECT_TRUE(rc::check([&play] {
    for (int i = 0; i < 20; ++i) play();
  }));
}

TEST(SegmentFormat, NamesAndHeadersGiveBackWhatTheyTook) {
  EXPECT_TRUE(rc::check([] {
    const uint64_t base = *rc::gen::arbitrary<uint64_t>();
    RC_ASSERT(segment_base(segment_name(base)) == base);
    const SegmentHeader header{journal_id(), base, 8192};
    RC_ASSERT(*decode_segment_header(encode_segment_header(header)) == header);
  }));
  EXPECT_EQ(segment_name(0x5000), "journal/0000000000005000.seg");
  EXPECT_FALSE(segment_base("journal/000000000000500.seg").has_value());
  EXPECT_FALSE(segment_base("journal/000000000000500G.seg").has_value());
  EXPECT_FALSE(segment_base("journal/0000000000005000.seg.new").has_value());
}

}  // namespace
}  // namespace kura::journal
