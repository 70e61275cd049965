#include "actors/disk/view_live_bodies.h"

#include <set>
#include <tuple>

#include "actors/disk/bytes.h"

namespace kura {
namespace {

std::string cursor_text(const ExtentCursor& cursor) {
  std::string out;
  disk::append_number<uint64_t>(out, cursor.offset_bytes);
  disk::append_number<uint32_t>(out, cursor.member);
  return out;
}

BodyOwner owner_of(const v1::BodiesMoved_Move& place) {
  return {.bucket = BucketId(place.bucket()),
          .key = place.key(),
          .version_id = place.version_id(),
          .upload_id = place.upload_id(),
          .part_number = place.part_number()};
}

v1::BodiesMoved_Move place_of(const BodyOwner& owner, v1::Body body) {
  v1::BodiesMoved_Move place;
  place.set_bucket(owner.bucket.value);
  place.set_key(owner.key);
  place.set_version_id(owner.version_id);
  place.set_upload_id(owner.upload_id);
  place.set_part_number(owner.part_number);
  *place.mutable_from() = std::move(body);
  return place;
}

}  // namespace

Result<uint64_t> ViewLiveBodies::live_bytes(SetId set) const { return view_.live_bytes(set); }

Result<uint64_t> ViewLiveBodies::live_log_bytes(uint64_t piece) const {
  return view_.live_log_bytes(piece);
}

Result<LivePage> ViewLiveBodies::bodies_in_log(Offset from, Offset to,
                                               const std::string& after) const {
  constexpr uint32_t kRows = 1000;
  auto found = view_.bodies_in_log(from, to, after, kRows);
  if (!found) return fail(found.error());
  LivePage page;
  for (LoggedBody& body : found->bodies)
    page.bodies.push_back(place_of(body.owner, std::move(body.body)));
  page.next = std::move(found->next);
  return page;
}

Result<LivePage> ViewLiveBodies::bodies_in(SetId set, const std::string& after,
                                           uint32_t bodies_max) const {
  std::optional<ExtentCursor> cursor;
  if (!after.empty())
    cursor = ExtentCursor{disk::number_at<uint64_t>(after, 0), disk::number_at<uint32_t>(after, 8)};
  auto extents = view_.extents_of(set, cursor, bodies_max);
  if (!extents) return fail(extents.error());
  LivePage page;
  std::set<std::tuple<BucketId, std::string, std::string, std::string, uint32_t>> seen;
  for (const LiveExtent& extent : *extents) {
    const BodyOwner& owner = extent.owner;
    if (!seen.insert(
                 {owner.bucket, owner.key, owner.version_id, owner.upload_id, owner.part_number})
             .second)
      continue;
    auto body = view_.body_of(owner);
    if (!body) return fail(body.error());
    if (!*body || !touches(**body, set)) continue;
    page.bodies.push_back(place_of(owner, std::move(**body)));
  }
  if (extents->size() == bodies_max)
    page.next = cursor_text({extents->back().offset_bytes, extents->back().member});
  return page;
}

Result<bool> ViewLiveBodies::is_live(const v1::BodiesMoved_Move& place) const {
  const BodyOwner owner = owner_of(place);
  if (place.from().has_journal())
    return view_.journal_body_is_live(owner, Offset(place.from().journal().offset()));
  auto body = view_.body_of(owner);
  if (!body) return fail(body.error());
  return *body && (*body)->SerializeAsString() == place.from().SerializeAsString();
}

}  // namespace kura
