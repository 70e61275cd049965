// What a start decides about a view that it finds. Pure.

#pragma once

#include <cstdint>

#include "journal/journal.h"
#include "projections/metadata/view_position.h"

namespace kura::node {

// The log begins with its first record: it alone makes a view.
bool is_whole(const journal::Bounds& log);

// Whether the tail of the log brings a view at `at` up to date: it holds the first record that the
// view lacks. An empty view is at zero. REQUIRES: the view is complete up to `at`.
bool view_fits(const ViewPosition& at, const journal::Bounds& log);

// Whether a view of so many bytes may be built on a drive with so much room: it is merged
// meanwhile, and grows.
bool has_room_for_view(uint64_t free_bytes, uint64_t view_bytes);

}  // namespace kura::node
