// ViewFolders: the places of a server's views, RocksDB maps in the drives' folders: `view`, and
// `view.new` while one is rebuilt.

#pragma once

#include <string>
#include <vector>

#include "node/view_places.h"
#include "projections/kv/rocksdb_kv.h"

namespace kura::node {

class ViewFolders final : public ViewPlaces {
 public:
  // One folder for each drive. `row_cache_bytes`: of rows kept in memory in front of the map. What
  // is written is gathered between the two (projections/kv/write_behind_kv.h).
  ViewFolders(std::vector<std::string> drives, RocksKvOptions options, size_t row_cache_bytes)
      : drives_(std::move(drives)), options_(options), row_cache_bytes_(row_cache_bytes) {}

  bool exists(size_t drive) const override;
  Result<std::unique_ptr<Kv>> open(size_t drive) override;
  Result<std::unique_ptr<Kv>> open_to_read(size_t drive) override;
  uint64_t bytes(size_t drive) const override;
  Result<std::unique_ptr<Kv>> open_new(size_t drive) override;
  Result<void> adopt_new(size_t drive) override;
  Result<void> remove_new(size_t drive) override;
  bool holds_any(size_t drive) const override;
  Result<void> remove(size_t drive) override;

 private:
  Result<std::unique_ptr<Kv>> open_again(size_t drive,
                                         const std::optional<std::string>& held) const;
  std::unique_ptr<Kv> around(std::unique_ptr<Kv> map) const;
  void keep_reserve(size_t drive) const;
  std::string reserve(size_t drive) const { return drives_[drive] + "/view.reserve"; }
  std::string view(size_t drive) const { return drives_[drive] + "/view"; }
  std::string new_view(size_t drive) const { return view(drive) + ".new"; }

  const std::vector<std::string> drives_;
  const RocksKvOptions options_;
  const size_t row_cache_bytes_;
};

}  // namespace kura::node
