// What a start decides about a view that it finds. Pure.

#pragma once

#include "journal/journal.h"
#include "projections/metadata/fold.h"

namespace kura::node {

// The log begins with its first record: it alone makes a view.
bool is_whole(const journal::Bounds& log);

// Whether the tail of the log brings a view at `at` up to date: it holds the first record that the
// view lacks. An empty view is at zero. REQUIRES: the view is complete up to `at`.
bool view_fits(const ViewPosition& at, const journal::Bounds& log);

}  // namespace kura::node
