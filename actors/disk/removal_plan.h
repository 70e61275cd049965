// What it means that a drive never returns, before anybody says so.

#pragma once

#include "actors/disk/core.h"
#include "actors/disk/live_bodies.h"

namespace kura::disk {

// As if the drive were forgotten now; changes nothing. Errors: those of LiveBodies.
Result<RemovalPlan> plan_removal(DiskCore& core, const LiveBodies& live, DriveId gone);

}  // namespace kura::disk
