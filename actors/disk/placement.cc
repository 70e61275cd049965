#include "actors/disk/placement.h"

#include <algorithm>

#include "actors/disk/erasure.h"
#include "actors/disk/geometry.h"
#include "base/counted.h"
#include "base/limits.h"

namespace kura::disk {
namespace {

constexpr uint64_t kMemberBytesMin = 4 * kMiB;

uint64_t least_member_bytes(const PlacementRules& rules) {
  return std::min(kMemberBytesMin, rules.member_bytes_max);
}

uint64_t room(const Candidate& drive, const PlacementRules& rules) {
  const uint64_t kept = reserve_bytes(drive.space, rules);
  return drive.space.free_bytes > kept ? drive.space.free_bytes - kept : 0;
}

}  // namespace

uint64_t member_bytes_for(const DriveSpace& space, uint64_t member_bytes_max) {
  return std::min(std::max(space.total_bytes / 32, kMemberBytesMin), member_bytes_max);
}

uint64_t reserve_bytes(const DriveSpace& space, const PlacementRules& rules) {
  if (rules.purpose == Purpose::reclaim) return 0;
  return rules.reserve_extra_bytes + std::max(2 * member_bytes_for(space, rules.member_bytes_max),
                                              std::min(space.total_bytes / 50, 4 * kGiB));
}

Result<SegmentSet> place_set(std::vector<Candidate> online, const PlacementRules& rules) {
  const uint32_t least = rules.parity + 1;
  if (online.size() < least)
    return fail(Errc::unavailable, counted(online.size(), "drive") + " " +
                                       is_or_are(online.size()) + " online, a write needs " +
                                       std::to_string(least));
  std::erase_if(online, [&](const Candidate& drive) {
    return room(drive, rules) < least_member_bytes(rules);
  });
  if (online.size() < least)
    return fail(Errc::no_space, "only " + counted(online.size(), "drive") +
                                    (online.size() == 1 ? " has" : " have") +
                                    " room, a write needs " + std::to_string(least));
  // The emptiest ones, when there are more than a set takes.
  std::sort(online.begin(), online.end(), [&](const Candidate& a, const Candidate& b) {
    const uint64_t room_a = room(a, rules), room_b = room(b, rules);
    return room_a != room_b ? room_a > room_b : a.id < b.id;
  });
  if (online.size() > kMembersMax) online.resize(kMembersMax);

  SegmentSet draft;
  draft.parity_shards = rules.parity;
  draft.data_shards = static_cast<uint32_t>(online.size()) - rules.parity;
  draft.member_bytes = rules.member_bytes_max;
  for (const Candidate& drive : online)
    draft.member_bytes = std::min({draft.member_bytes, room(drive, rules),
                                   member_bytes_for(drive.space, rules.member_bytes_max)});
  std::sort(online.begin(), online.end(),
            [](const Candidate& a, const Candidate& b) { return a.id < b.id; });
  const auto first = static_cast<ptrdiff_t>(rules.rotation % online.size());
  std::rotate(online.begin(), online.begin() + first, online.end());
  for (const Candidate& drive : online) draft.members.push_back(drive.id);
  return draft;
}

uint64_t body_room(std::vector<Candidate> online, PlacementRules rules, uint64_t bytes_max) {
  uint64_t bytes = 0;
  while (bytes < bytes_max) {
    auto set = place_set(online, rules);
    if (!set) break;
    bytes += Striping::fitting(set->data_shards, kPieceBytes, bytes_max - bytes,
                               set->member_bytes - kFirstStripeOffset);
    for (Candidate& drive : online)
      if (std::count(set->members.begin(), set->members.end(), drive.id) > 0)
        drive.space.free_bytes -= set->member_bytes;
    ++rules.rotation;
  }
  return bytes;
}

}  // namespace kura::disk
