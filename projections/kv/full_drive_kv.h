// FullDriveKv: a Kv on a drive that has no room to open it for writing. It is read as it is, and
// flush() opens it once there is room.
//
// Until then a write is refused with no_space; WriteBehindKv keeps it in memory.

#pragma once

#include <functional>
#include <memory>

#include "base/kv.h"

namespace kura {

// `as_it_is` is only read, and closed when nobody reads it any more: also while the map that `open`
// returned changes its files. Errors of `open` are those of the flush().
std::unique_ptr<Kv> make_full_drive_kv(std::unique_ptr<Kv> as_it_is,
                                       std::function<Result<std::unique_ptr<Kv>>()> open);

}  // namespace kura
