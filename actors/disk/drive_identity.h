// The file "drive" on each drive: whose it is. It is read again through its path while the node
// runs, so that a lost mount or another disk is noticed. Byte grammar: README.md.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/drive.h"
#include "base/ids.h"
#include "base/result.h"

namespace kura::disk {

inline constexpr std::string_view kDriveIdentityFile = "drive";
inline constexpr uint16_t kDriveFormat = 1;

struct DriveIdentity {
  ClusterId cluster;
  DriveId drive;
  bool operator==(const DriveIdentity&) const = default;
};

std::string encode(const DriveIdentity& identity);
// Errors: corrupt; unsupported (a newer format: the detail names what to install).
Result<DriveIdentity> decode_identity(std::string_view bytes);

// None when the drive has no identity yet. Errors: those of decode_identity and of the drive.
Task<Result<std::optional<DriveIdentity>>> read_identity(Drive& drive);
Task<Result<void>> write_identity(Drive& drive, DriveIdentity identity);

}  // namespace kura::disk
