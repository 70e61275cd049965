#include "actors/disk/drive_identity.h"

#include "actors/disk/bytes.h"
#include "base/crc32c.h"
#include "base/fail_point.h"

namespace kura::disk {
namespace {

constexpr std::string_view kMagic = "KURADRV\n";
constexpr size_t kCrcAt = 44;
constexpr size_t kBytes = 48;

}  // namespace

std::string encode(const DriveIdentity& identity) {
  std::string out{kMagic};
  append_number<uint16_t>(out, kDriveFormat);
  append_number<uint16_t>(out, kDriveFormat);  // The least that a reader must know.
  out += identity.cluster.view();
  out += identity.drive.view();
  append_number<uint32_t>(out, crc32c(out));
  return out;
}

Result<DriveIdentity> decode_identity(std::string_view bytes) {
  if (bytes.size() < kBytes || !bytes.starts_with(kMagic))
    return fail(Errc::corrupt, "the file \"drive\" is not a drive identity");
  // A newer format may be longer, but keeps magic and versions where they are.
  if (number_at<uint16_t>(bytes, 10) > kDriveFormat)
    return fail(Errc::unsupported, "the drive has format " +
                                       std::to_string(number_at<uint16_t>(bytes, 8)) +
                                       " of a newer Kura; install that version or a later one");
  if (crc32c(bytes.substr(0, kCrcAt)) != number_at<uint32_t>(bytes, kCrcAt))
    return fail(Errc::corrupt, "checksum of the drive identity");
  return DriveIdentity{uuid_from<ClusterId>(bytes.substr(12, 16)),
                       uuid_from<DriveId>(bytes.substr(28, 16))};
}

Task<Result<std::optional<DriveIdentity>>> read_identity(Drive& drive) {
  std::string name{kDriveIdentityFile};
  auto content = co_await read_file(drive, std::move(name));
  if (!content && content.error().code == Errc::not_found) co_return std::optional<DriveIdentity>();
  if (!content) co_return fail(content.error());
  auto identity = decode_identity(*content);
  if (identity) co_return std::optional<DriveIdentity>(*identity);
  // Damage may also look like a newer format: where that has its checksum is not known here.
  std::string copy_name{kDriveIdentityCopy};
  auto copy = co_await read_file(drive, std::move(copy_name));
  auto from_copy = copy ? decode_identity(*copy) : Result<DriveIdentity>(fail(copy.error()));
  if (from_copy) co_return std::optional<DriveIdentity>(*from_copy);
  co_return fail(identity.error());
}

namespace {

// As far as the drive takes it. The copy first: see write_identity().
Task<void> remove_identity(Drive& drive) {
  for (std::string_view file : {kDriveIdentityCopy, kDriveIdentityFile}) {
    std::string name{file};
    (void)co_await drive.remove(std::move(name));
  }
}

}  // namespace

Task<Result<void>> write_identity(Drive& drive, DriveIdentity identity) {
  // In this order: with the copy alone the drive would be taken for somebody else's.
  for (std::string_view file : {kDriveIdentityFile, kDriveIdentityCopy}) {
    std::string name{file};
    std::string content = encode(identity);
    before_step("drive.identity");
    auto written = co_await replace_file(drive, std::move(name), std::move(content));
    if (!written) {
      co_await remove_identity(drive);
      co_return written;
    }
    after_step("drive.identity");
  }
  co_return Result<void>();
}

Task<Result<uint32_t>> mend_identity(Drive& drive, DriveIdentity right) {
  const std::string wanted = encode(right);
  uint32_t damaged = 0;
  for (std::string_view file : {kDriveIdentityFile, kDriveIdentityCopy}) {
    std::string name{file};
    auto content = co_await read_file(drive, std::move(name));
    if (content && *content == wanted) continue;
    const bool absent = !content && content.error().code == Errc::not_found;
    if (!content && !absent) co_return fail(content.error());
    // Without "drive" it is not mounted, or emptied.
    if (absent && file == kDriveIdentityFile) co_return fail(content.error());
    name = file;
    std::string bytes = wanted;
    auto written = co_await replace_file(drive, std::move(name), std::move(bytes));
    if (!written) co_return fail(written.error());
    if (!absent) ++damaged;
  }
  co_return damaged;
}

}  // namespace kura::disk
