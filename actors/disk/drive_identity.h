// The file "drive" on each drive: whose it is. It is read again through its path while the node
// runs, so that a lost mount or another disk is noticed. It has a copy, because a drive whose
// identity is damaged would be lost with all that is whole on it. Byte grammar: README.md.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/drive.h"
#include "base/ids.h"
#include "base/result.h"

namespace kura::disk {

inline constexpr std::string_view kDriveIdentityFile = "drive";
inline constexpr std::string_view kDriveIdentityCopy = "drive.copy";
inline constexpr uint16_t kDriveFormat = 1;

struct DriveIdentity {
  ClusterId cluster;
  DriveId drive;
  bool operator==(const DriveIdentity&) const = default;
};

std::string encode(const DriveIdentity& identity);
// Errors: corrupt; unsupported (a newer format: the detail names what to install).
Result<DriveIdentity> decode_identity(std::string_view bytes);

// None when the drive has no identity yet. What is damaged is taken from the copy. Errors: those of
// decode_identity, when neither is right, and of the drive.
Task<Result<std::optional<DriveIdentity>>> read_identity(Drive& drive);
// REQUIRES: the drive has none. One that does not take all of it is left without.
Task<Result<void>> write_identity(Drive& drive, DriveIdentity identity);
// Brings both files to `right`, which the caller knows to be this drive's. Returns how many were
// not; a copy that was never written is none of them.
Task<Result<uint32_t>> mend_identity(Drive& drive, DriveIdentity right);

}  // namespace kura::disk
