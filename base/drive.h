// Drive: one disk as a folder of flat files. The port through which every stored byte goes.
//
// Contract (tests/base/drive_contract.h runs it against every implementation):
// - Names: relative paths of at most two components of [a-z0-9._-], for example "journal/0.log".
//   They come from ids and numbers of ours, never from a client. Anything else fails with
//   invalid_argument. Folders come into being with their first file; a missing one lists as empty.
// - create, rename and remove are durable when they return. Written bytes are durable when a sync()
//   that began after the write returned has returned; before that a crash may keep, drop or tear
//   each of them.
// - Operations may overlap; two writes to the same bytes of one file must not.
// - Errors: not_found, exists, no_space, corrupt (never by the drive itself), io_error. After a
//   failed sync() the bytes since the last good sync are lost for all the caller knows, and the
//   drive must not be written again (fsync errors are reported once).

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"

namespace kura {

class File {
 public:
  virtual ~File() = default;
  // Writes `pieces` one after the other from `offset_bytes` on. The pieces must live until it
  // returns. Extends the file as needed.
  virtual Task<Result<void>> write(uint64_t offset_bytes, std::vector<std::string_view> pieces) = 0;
  // At most `length_bytes`; shorter only at the end of the file.
  virtual Task<Result<std::string>> read(uint64_t offset_bytes, uint64_t length_bytes) = 0;
  // As read, if it needs no waiting (the page cache has all of it); else false and `out` is void.
  virtual bool try_read(uint64_t offset_bytes, uint64_t length_bytes, std::string* out) = 0;
  // The same into memory of the caller: fills `parts`, one after the other, or returns false and
  // they are void. False as well when the file ends before.
  virtual bool try_read_into(uint64_t offset_bytes, std::span<const std::span<char>> parts);
  virtual Task<Result<void>> sync() = 0;
  // write() and then sync(), for a real drive in one trip to its thread.
  virtual Task<Result<void>> write_and_sync(uint64_t offset_bytes,
                                            std::vector<std::string_view> pieces);
  virtual Task<Result<void>> truncate(uint64_t size_bytes) = 0;  // Durable; reserved when it grows.
  virtual Result<uint64_t> size_bytes() = 0;
};

struct FileInfo {
  std::string name;
  uint64_t size_bytes = 0;
};

struct DriveSpace {
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;
};

class Drive {
 public:
  virtual ~Drive() = default;
  // Fails with exists. Reserves `size_bytes` on the device (reads as zeros), so that writes inside
  // cannot fail with no_space.
  virtual Task<Result<std::shared_ptr<File>>> create(std::string name, uint64_t size_bytes) = 0;
  virtual Task<Result<std::shared_ptr<File>>> open(std::string name) = 0;  // Fails with not_found.
  virtual Task<Result<void>> remove(std::string name) = 0;  // not_found if there is none.
  virtual Task<Result<void>> rename(std::string from, std::string to) = 0;  // Replaces `to`.
  // Files of one folder ("" is the top), by name.
  virtual Task<Result<std::vector<FileInfo>>> list(std::string folder) = 0;
  virtual Result<DriveSpace> space() = 0;
  // For people and logs only: the mount path, or "drive 3" in a simulation.
  virtual std::string label() const = 0;
};

// At most two components of [a-z0-9._-], each neither empty nor "." nor "..", of at most
// kFileNameBytesMax bytes each.
bool is_file_name(std::string_view name);
// The same for what list() takes: "" or one component.
bool is_folder_name(std::string_view name);
inline constexpr size_t kFileNameBytesMax = 200;  // Below every file system's 255.

// Writes a small file so that a crash leaves either the old or the new content.
Task<Result<void>> replace_file(Drive& drive, std::string name, std::string content);
// The name under which a file is made that takes the place of `name` once it is whole.
std::string unfinished_name(std::string_view name);
// Whether it is such a one. What a crash leaves of it, nothing else names: it may be removed.
bool is_unfinished(std::string_view name);
// Whole content; for files that are small by design: of a longer one the first kSmallFileBytesMax.
Task<Result<std::string>> read_file(Drive& drive, std::string name);

}  // namespace kura
