// How much of the log the view holds.

#pragma once

#include <optional>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "projections/metadata/overlay.h"

namespace kura {

// Where the view stands: written with each batch, in the same batch.
struct ViewPosition {
  Offset offset;  // Of the last record folded.
  Offset end;     // Where the next record is.
};
Result<ViewPosition> decode_position(std::string_view value);  // Errors: corrupt.
void put_position(Rows& rows, ViewPosition position);
Result<std::optional<ViewPosition>> view_position(RowReader& rows);  // None: an empty view.

}  // namespace kura
