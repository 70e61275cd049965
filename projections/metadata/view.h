// MetadataView: questions about buckets, objects and uploads, answered from the folded view.
//
// The rows and their order are in rows.h. Every function may be called from any thread and sees all
// acknowledged writes. Errors: io_error, corrupt (the view must be rebuilt; callers answer 503).

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/kv.h"
#include "base/result.h"
#include "object.pb.h"

namespace kura {

// Exact, from the same fold as the objects.
struct BucketCounters {
  uint64_t objects = 0;   // Keys with a current version that is no delete marker.
  uint64_t versions = 0;  // All versions, markers included.
  uint64_t bytes = 0;     // Plain bytes of all versions.
  uint64_t uploads = 0;   // Open multipart uploads.
};

struct ListQuery {
  BucketId bucket;
  std::string prefix;
  std::string delimiter;     // Empty: none. May be longer than one character.
  std::string after;         // Only names greater than this; a common prefix counts as a name.
  uint32_t keys_max = 1000;  // Objects and common prefixes together.
};

struct ListEntry {
  std::string key;
  v1::ObjectVersion version;
};

struct ListPage {
  std::vector<ListEntry> objects;            // Ascending by key bytes.
  std::vector<std::string> common_prefixes;  // Ascending.
  bool truncated = false;
  std::string last;  // Name of the last entry of the page, for `after` of the next.
};

struct UploadQuery {
  BucketId bucket;
  std::string prefix;
  std::string delimiter;
  std::string key_marker;
  std::string upload_id_marker;  // 16 bytes; only with key_marker.
  uint32_t uploads_max = 1000;
};

struct UploadEntry {
  std::string key;
  v1::Upload upload;
};

struct UploadPage {
  std::vector<UploadEntry> uploads;  // By key, then by upload id.
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string next_key_marker;
  std::string next_upload_id_marker;  // Empty when the page ended with a common prefix.
};

struct PartPage {
  std::vector<v1::Part> parts;  // Ascending by number.
  bool truncated = false;
};

// A body: of a version, or of a part.
struct BodyOwner {
  BucketId bucket;
  std::string key;
  std::string version_id;    // Of a version: 16 bytes, or empty for the null version.
  std::string upload_id;     // Of a part: 16 bytes; else empty.
  uint32_t part_number = 0;  // Of a part.
};

struct LiveExtent {
  uint64_t offset_bytes = 0;
  uint32_t member = 0;
  uint64_t stored_bytes = 0;
  BodyOwner owner;
};

struct LoggedBody {
  BodyOwner owner;
  v1::Body body;
};

struct LoggedPage {
  std::vector<LoggedBody> bodies;
  std::string next;  // To go on behind; empty: that was all.
};

struct ExtentCursor {
  uint64_t offset_bytes = 0;
  uint32_t member = 0;
};

struct ViewDigest {
  Offset offset;      // Everything up to this record is in it.
  std::string value;  // 16 bytes over all rows but positions and heads (kinds a f n w, and those
                      // of k that move with them): a restart, which claims anew, leaves it as is.
  uint64_t rows = 0;
};

class MetadataView {
 public:
  explicit MetadataView(Kv& kv) : kv_(&kv) {}

  // The current version; none also when it is a delete marker.
  Result<std::optional<v1::ObjectVersion>> current(BucketId bucket, std::string_view key) const;
  Result<ListPage> list(const ListQuery& query) const;
  // None unless the upload is open and belongs to this key.
  Result<std::optional<v1::Upload>> upload(BucketId bucket, std::string_view key,
                                           std::string_view upload_id) const;
  Result<UploadPage> list_uploads(const UploadQuery& query) const;
  // Parts of an open upload or of a multipart version, numbers greater than `after`.
  Result<PartPage> parts(std::string_view upload_id, uint32_t after, uint32_t parts_max) const;
  Result<BucketCounters> counters(BucketId bucket) const;
  Result<uint64_t> live_bytes(SetId set) const;  // Stored bytes that the fold names in the set.
  // About so many bytes of inline bodies are live in the piece of the log (accounts.h).
  Result<uint64_t> live_log_bytes(uint64_t piece) const;
  Result<ViewDigest> digest() const;  // Reads every row.

  // Extents of `set` that the fold names, by offset, then member; only those behind `after`.
  Result<std::vector<LiveExtent>> extents_of(SetId set, std::optional<ExtentCursor> after,
                                             uint32_t extents_max) const;
  // Bodies that lie in records of the log in [from, to), of `rows_max` rows behind `after` ("" at
  // first); of a part without bucket and key. Passes over all rows of versions and parts.
  Result<LoggedPage> bodies_in_log(Offset from, Offset to, const std::string& after,
                                   uint32_t rows_max) const;
  // Where the body is now; none when its version or part is gone.
  Result<std::optional<v1::Body>> body_of(const BodyOwner& owner) const;
  // Whether the body of the journal record at `offset` is still read from there.
  Result<bool> journal_body_is_live(const BodyOwner& owner, Offset offset) const;

 private:
  Kv* kv_;
};

}  // namespace kura
