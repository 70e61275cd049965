#include "base/drive.h"

#include <algorithm>

#include "base/fail_point.h"
#include "base/limits.h"

namespace kura {
namespace {

constexpr std::string_view kUnfinished = ".new";

bool is_component(std::string_view name) {
  if (name.empty() || name.size() > kFileNameBytesMax || name == "." || name == "..") return false;
  for (char c : name)
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
      return false;
  return true;
}

}  // namespace

bool is_file_name(std::string_view name) {
  size_t slash = name.find('/');
  if (slash == std::string_view::npos) return is_component(name);
  return is_component(name.substr(0, slash)) && is_component(name.substr(slash + 1));
}

bool is_folder_name(std::string_view name) { return name.empty() || is_component(name); }

Task<Result<void>> File::write_and_sync(uint64_t offset_bytes,
                                        std::vector<std::string_view> pieces) {
  Result<void> written = co_await write(offset_bytes, std::move(pieces));
  if (!written) co_return written;
  co_return co_await sync();
}

bool File::try_read_into(uint64_t offset_bytes, std::span<const std::span<char>> parts) {
  uint64_t length_bytes = 0;
  for (const std::span<char>& part : parts) length_bytes += part.size();
  std::string bytes;
  if (!try_read(offset_bytes, length_bytes, &bytes) || bytes.size() != length_bytes) return false;
  const char* next = bytes.data();
  for (const std::span<char>& part : parts) {
    std::copy_n(next, part.size(), part.begin());
    next += part.size();
  }
  return true;
}

Task<Result<void>> replace_file(Drive& drive, std::string name, std::string content) {
  std::string fresh = unfinished_name(name);
  Result<void> removed = co_await drive.remove(fresh);
  if (!removed && removed.error().code != Errc::not_found) co_return fail(removed.error());
  auto file = co_await drive.create(fresh, 0);
  if (!file) co_return fail(file.error());
  std::vector<std::string_view> pieces{content};
  Result<void> written = co_await (*file)->write(0, std::move(pieces));
  if (!written) co_return written;
  Result<void> synced = co_await (*file)->sync();
  if (!synced) co_return synced;
  before_step("file.replace");
  Result<void> renamed = co_await drive.rename(fresh, name);
  if (renamed) after_step("file.replace");
  co_return renamed;
}

std::string unfinished_name(std::string_view name) {
  return std::string(name) + std::string(kUnfinished);
}

bool is_unfinished(std::string_view name) { return name.ends_with(kUnfinished); }

Task<Result<std::string>> read_file(Drive& drive, std::string name) {
  auto file = co_await drive.open(name);
  if (!file) co_return fail(file.error());
  auto size = (*file)->size_bytes();
  if (!size) co_return fail(size.error());
  // Damage may have made it longer than memory is.
  co_return co_await (*file)->read(0, std::min(*size, kSmallFileBytesMax));
}

}  // namespace kura
