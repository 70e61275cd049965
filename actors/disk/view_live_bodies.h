// LiveBodies from the metadata view of this node.

#pragma once

#include "actors/disk/live_bodies.h"
#include "projections/metadata/view.h"

namespace kura {

class ViewLiveBodies final : public LiveBodies {
 public:
  explicit ViewLiveBodies(const MetadataView& view) : view_(view) {}  // Outlives it.
  Result<uint64_t> live_bytes(SetId set) const override;
  Result<uint64_t> live_log_bytes(uint64_t piece) const override;
  Result<LivePage> bodies_in_log(Offset from, Offset to, const std::string& after) const override;
  Result<LivePage> bodies_in(SetId set, const std::string& after,
                             uint32_t bodies_max) const override;
  Result<bool> is_live(const v1::BodiesMoved_Move& place) const override;

 private:
  const MetadataView& view_;
};

}  // namespace kura
