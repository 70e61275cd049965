// Verifying the drives of a journal that nobody runs.

#include <algorithm>
#include <set>

#include "journal/embedded/embedded_journal.h"
#include "journal/embedded/journal_folder.h"

namespace kura::journal {
namespace {

// What is wrong with the mirror-set records.
void note_sightings(const std::vector<Sighting>& sightings, VerifyReport& report) {
  std::set<DriveId> members;
  for (const Sighting& seen : sightings) {
    if (is_other_history(report.set, seen)) {
      report.problems.push_back(seen.label + ": " + std::string(kOtherHistory));
      continue;
    }
    if (report.set.has_member(seen.drive)) members.insert(seen.drive);
    if (seen.problem) report.problems.push_back(seen.label + ": " + seen.problem->detail);
    if (!seen.problem && !seen.set) report.problems.push_back(seen.label + ": no journal record");
    // One that missed more than the set shows it by its log.
    if (seen.set && !same_set(*seen.set, report.set)) {
      report.unfinished.push_back(seen.label + ": an older mirror set, generation " +
                                  std::to_string(seen.set->generation));
    }
  }
  report.missing = report.set.members.size() - members.size();
}

std::string line_of(const Damage& damage) {
  return damage.drive + ": offset " + std::to_string(damage.offset.value) + ", " +
         std::to_string(damage.length_bytes) + " bytes: " + damage.what;
}

// What is wrong with the log. The last append may be on some mirrors only: it was not acknowledged
// then.
void note_log(VerifyReport& report) {
  for (const Damage& damage : report.log.damages) {
    const bool last = damage.offset >= report.log.last_append;
    (last ? report.unfinished : report.problems).push_back(line_of(damage));
  }
  const uint64_t more = report.log.damage_count - report.log.damages.size();
  if (more > 0) report.problems.push_back("and " + std::to_string(more) + " more damaged places");
  if (!report.log.holes.empty()) {
    report.problems.push_back("lost on every mirror: " + describe(report.log.holes));
  }
}

}  // namespace

Task<Result<VerifyReport>> EmbeddedJournal::verify(std::vector<JournalDrive> drives) {
  std::vector<MirrorPtr> mirrors = as_mirrors(drives);
  std::vector<Sighting> sightings = co_await look_at_all(mirrors);
  Result<MirrorSet> chosen = choose_mirror_set(sightings);
  if (!chosen) co_return fail(chosen.error());
  VerifyReport report;
  report.set = std::move(*chosen);
  note_sightings(sightings, report);
  std::vector<MirrorPtr> sources;
  for (size_t i = 0; i < mirrors.size(); ++i) {
    if (mirrors[i]->failed || is_other_history(report.set, sightings[i])) continue;
    if (report.set.has_member(mirrors[i]->id)) sources.push_back(mirrors[i]);
  }
  for (;;) {
    if (sources.empty()) {
      co_return fail(Errc::unavailable, "no drive with a current copy of the journal is online");
    }
    MergeOrder order;
    order.journal = report.set.journal;
    order.start = report.set.start;
    order.sources = sources;
    Result<MergedLog> merged = co_await merge_log(std::move(order));
    if (merged) {
      report.log = std::move(*merged);
      note_log(report);
      co_return report;
    }
    const size_t sealed_off = std::erase_if(sources, [&](const MirrorPtr& mirror) {
      if (mirror->failed) report.problems.push_back(line_of(*mirror));
      return mirror->failed;
    });
    if (sealed_off == 0) co_return fail(merged.error());
  }
}

}  // namespace kura::journal
