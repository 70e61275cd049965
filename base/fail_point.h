// Fail points: the durable steps of the product, by name, so that a test can end the process, or
// the simulated node, right before or right after each of them.
//
// kDurableSteps is the whole list. A name that is not in it does not compile; tests/crash checks
// that each is in the code and is reached. Nothing is armed in production: one relaxed load then.

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace kura {

inline constexpr std::array kDurableSteps = std::to_array<std::string_view>(
    {// One mirror's write and sync; the append on all mirrors; the same when it fills a segment.
     "journal.append.mirror", "journal.append", "journal.roll", "journal.undo",
     // Files of segments, as the log grows and is cut.
     "journal.segment.create", "journal.segment.remove", "journal.clear",
     // The record of the mirrors: on one drive; in force.
     "journal.mirror_set.write", "journal.mirror_set.commit",
     // A new journal; mirrors made equal at a start; a mirror in place of a lost one; a mended
     // record.
     "journal.format", "journal.merge.sync", "journal.merge.rename", "journal.refill",
     "journal.repair",
     // Who a drive is, and that the cluster knows or forgets it.
     "drive.identity", "drive.record", "drive.leave", "drive.forget",
     // Segment sets: the ledger's record, member files.
     "set.open", "set.member.create", "set.seal", "set.cut", "set.drop", "set.member.remove",
     // One member's part of a stripe.
     "stripe.write", "stripe.sync",
     // A lost member file restored; damage mended.
     "rebuild.create", "rebuild.sync", "rebuild.rename", "rebuild.record", "repair.stripe",
     "repair.header",
     // Bodies on their way out of the log or of a sparse set.
     "destage", "compaction", "bodies.move",
     // A piece of the log that is kept as it is.
     "archive.write", "archive.record", "archive.drop",
     // The metadata view.
     "view.fold", "view.flush", "view.create", "view.load", "view.replay", "view.adopt",
     "snapshot.write", "snapshot.record",
     // What clients and control ask for, from the actor to the fold.
     "object.commit", "upload.complete", "control.commit", "control.catch_up", "partition.claim",
     // Steps of a real drive that the port promises as one.
     "local.write", "local.sync", "local.direct", "local.create", "local.reserve", "local.remove",
     "local.rename", "local.truncate", "file.replace"});

enum class Edge : uint8_t { before, after };

// One edge of one step.
struct FailPoint {
  uint16_t step = 0;  // Index into kDurableSteps.
  Edge edge = Edge::before;
  constexpr uint16_t number() const {
    return static_cast<uint16_t>(1 + 2 * step + (edge == Edge::after ? 1 : 0));
  }
};

// "journal.append:before"
std::string name_of(FailPoint point);
std::optional<FailPoint> parse_fail_point(std::string_view name);

// `fire` is called once, when `point` is reached for the `nth` time from now on (nth >= 1), on the
// thread that reaches it. One point is armed at a time. Not while other threads run.
void arm_fail_point(FailPoint point, uint64_t nth, std::function<void()> fire);
void disarm_fail_points();

namespace detail {
inline std::atomic<uint16_t> armed_fail_point{0};  // FailPoint::number(), or 0.
void fail_point_reached();

struct StepName {
  consteval StepName(const char* name) {
    while (kDurableSteps.at(step) != name) ++step;  // Out of range, and no constant, for others.
  }
  uint16_t step = 0;
};

inline void reach(StepName name, Edge edge) {
  const uint16_t armed = armed_fail_point.load(std::memory_order_relaxed);
  if (armed == FailPoint{name.step, edge}.number()) [[unlikely]]
    fail_point_reached();
}
}  // namespace detail

inline void before_step(detail::StepName name) { detail::reach(name, Edge::before); }
// Only when the step succeeded.
inline void after_step(detail::StepName name) { detail::reach(name, Edge::after); }

}  // namespace kura
