// RowCache: rows that were read or written lately. A decision and its fold ask for the same few
// rows several times (counters, bucket, the version that is replaced), and a look-up in the map
// costs twenty times one in here.
//
// Only for rows that nobody else writes: the owner tells what changes below. Not thread-safe.

#pragma once

#include <unordered_map>

#include "projections/metadata/overlay.h"

namespace kura {

class RowCache final : public RowReader {
 public:
  // Holds between one and two times `bytes_max` of keys and values. `below` outlives it.
  RowCache(RowReader& below, size_t bytes_max) : below_(below), bytes_max_(bytes_max) {}

  Result<std::optional<std::string>> get(std::string_view key) override;
  Result<std::vector<Row>> scan(std::string_view prefix, size_t rows_max) override {
    return below_.scan(prefix, rows_max);
  }

  // The row below is this now; none: it is not there.
  void learn(std::string key, std::optional<std::string> value);
  void forget(std::string_view key);  // The row below may be another one now.
  void clear();

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  using Map = std::unordered_map<std::string, std::optional<std::string>, Hash, std::equal_to<>>;

  RowReader& below_;
  const size_t bytes_max_;
  // When the young are too many they become the old, and the old are forgotten: whatever was not
  // asked for in between.
  Map young_, old_;
  size_t young_bytes_ = 0;
};

}  // namespace kura
