#include "projections/metadata/view_position.h"

#include "projections/metadata/rows.h"

namespace kura {

Result<ViewPosition> decode_position(std::string_view value) {
  if (value.size() != 16) return fail(Errc::corrupt, "position row");
  return ViewPosition{Offset{*row::decode_u64(value.substr(0, 8))},
                      Offset{*row::decode_u64(value.substr(8))}};
}

void put_position(Rows& rows, ViewPosition position) {
  rows.put(row::position_key(),
           row::encode_u64(position.offset.value) + row::encode_u64(position.end.value));
}

Result<std::optional<ViewPosition>> view_position(RowReader& rows) {
  Result<std::optional<std::string>> value = rows.get(row::position_key());
  if (!value) return fail(value.error());
  if (!*value) return std::nullopt;
  Result<ViewPosition> position = decode_position(**value);
  if (!position) return fail(position.error());
  return *position;
}

}  // namespace kura
