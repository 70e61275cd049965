// ViewPlaces: where the map of the metadata view lives, one place on each drive.
//
// A rebuild writes beside the view and takes its place only once it is complete. So a process that
// dies on the way leaves the old view or the new one, never a part of one, and a rebuild that fails
// costs nothing.

#pragma once

#include <memory>

#include "base/kv.h"
#include "base/result.h"

namespace kura::node {

// Drives are counted as in NodePorts::drives. One map at a time is open in each place. Errors:
// those of opening a Kv (io_error, corrupt, no_space).
class ViewPlaces {
 public:
  virtual ~ViewPlaces() = default;
  virtual bool exists(size_t drive) const = 0;
  // The view, or an empty one. What a rebuild that never ended left beside it is removed. On a full
  // drive it is the view as it is, and what is written stays in memory until there is room.
  virtual Result<std::unique_ptr<Kv>> open(size_t drive) = 0;
  // The view as it is; what is written stays in memory for good. Errors: io_error (there is none).
  virtual Result<std::unique_ptr<Kv>> open_to_read(size_t drive) = 0;
  // What the view takes of the drive.
  virtual uint64_t bytes(size_t drive) const = 0;
  // An empty map beside the view. It stays there where it is never adopted.
  virtual Result<std::unique_ptr<Kv>> open_new(size_t drive) = 0;
  // The new map becomes the view. REQUIRES: it was flushed; both are closed.
  virtual Result<void> adopt_new(size_t drive) = 0;
  // REQUIRES: it is closed.
  virtual Result<void> remove_new(size_t drive) = 0;
  // Whether anything of a view is there: one, a part of one, what lies beside it.
  virtual bool holds_any(size_t drive) const = 0;
  // Removes all of that. REQUIRES: it is closed.
  virtual Result<void> remove(size_t drive) = 0;
};

}  // namespace kura::node
