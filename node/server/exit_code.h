// Exit codes of the command line: a contract for scripts (README, "Command line").

#pragma once

#include "base/result.h"

namespace kura::node {

enum ExitCode : int {
  kExitOk = 0,
  kExitGeneric = 1,
  kExitUsage = 2,
  kExitNotFound = 3,
  kExitDenied = 4,
  kExitConflict = 5,
  kExitUnavailable = 6,
  kExitCorrupt = 7,
  kExitPartial = 8,  // Of the folders that were named some could not be read.
  kExitConfig = 9,
};

inline int exit_code_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
      return kExitConfig;
    case Errc::not_found:
    case Errc::no_such_bucket:
    case Errc::no_such_key:
    case Errc::no_such_version:
      return kExitNotFound;
    case Errc::access_denied:
      return kExitDenied;
    case Errc::exists:
    case Errc::bucket_exists:
    case Errc::bucket_not_empty:
    case Errc::precondition_failed:
      return kExitConflict;
    case Errc::unavailable:
    case Errc::timed_out:
    case Errc::closed:
    case Errc::overloaded:
      return kExitUnavailable;
    case Errc::corrupt:
      return kExitCorrupt;
    default:
      return kExitGeneric;
  }
}

// In a command a wrong argument is wrong usage; in `kura server` it is a setting.
inline int command_exit_code_of(Errc code) {
  return code == Errc::invalid_argument ? kExitUsage : exit_code_of(code);
}

}  // namespace kura::node
