// decide_control(): every rule about what is wider than a partition, and no I/O. Pure, as decide()
// is for one key (actors/bucket/decide.h).

#pragma once

#include <cstdint>

#include "actors/tenant/control_command.h"
#include "base/result.h"
#include "event.pb.h"
#include "projections/control/control_state.h"

namespace kura {

// The event that the command becomes. Errors: bucket_exists, no_such_bucket, too_large
// (kBucketsMax), exists, not_found, invalid_argument, unavailable (the bucket is being deleted).
Result<v1::Event> decide_control(const ControlState& state, const ControlCommand& command,
                                 int64_t now_ms);

}  // namespace kura
