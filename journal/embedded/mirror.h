// Mirror: one drive as the journal sees it, with whether it can still be trusted.

#pragma once

#include <memory>
#include <string>

#include "base/bounded_drive.h"
#include "base/drive.h"
#include "base/ids.h"

namespace kura::journal {

struct Mirror {
  DriveId id;
  std::shared_ptr<Drive> given;  // By the owner of the journal; calls to it may never end.
  std::shared_ptr<CallBounds> bounds;
  std::shared_ptr<Drive> drive;  // The same, bounded.
  bool failed = false;           // Sealed off: nothing is read from it or written to it again.
  std::string reason;
  // It is a member of the mirror set in force and came back: what it holds is part of the log.
  bool returning = false;
  bool is_signed = false;  // This process wrote a set of its own to it.
  bool proven = false;     // At a start: it showed a set of this history.

  void fail(const Error& error) {
    if (failed) return;
    failed = true;
    bounds->given_up = true;  // Whatever is under way is not waited for.
    reason = error.detail.empty() ? "error " + std::to_string(static_cast<int>(error.code))
                                  : error.detail;
  }
};

// A call to it did not end in time, or it was sealed off.
inline bool is_lost(const Mirror& mirror) { return mirror.failed || mirror.bounds->given_up; }

using MirrorPtr = std::shared_ptr<Mirror>;

inline std::string line_of(const Mirror& mirror) {
  return mirror.drive->label() + ": " + mirror.reason;
}

// Passes a result on and seals the mirror off if it is an error.
template <class T>
Result<T> judged(Mirror& mirror, Result<T> result) {
  if (!result) mirror.fail(result.error());
  return result;
}

}  // namespace kura::journal
