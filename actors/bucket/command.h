// What can be asked of the bucket actor of a partition, and what it answers. One command is one
// decision: one event or one error, taken alone for its key.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "event.pb.h"
#include "object.pb.h"
#include "projections/metadata/outcome.h"

namespace kura {

// Conditions of a conditional write (S3 API, PutObject, CompleteMultipartUpload, DeleteObject).
// All that are set must hold, else precondition_failed.
struct WriteConditions {
  bool if_none_match_any = false;               // "If-None-Match: *": no current version.
  std::optional<std::string> if_match_etag;     // Unquoted as S3 shows it, "*" for any. Without a
                                                // current version: no_such_key.
  std::optional<uint64_t> if_match_size;        // x-amz-if-match-size (DeleteObject).
  std::optional<int64_t> if_match_modified_ms;  // x-amz-if-match-last-modified-time, to seconds.
  bool any() const {
    return if_none_match_any || if_match_etag || if_match_size || if_match_modified_ms;
  }
};

// The body is durable (or `inline_body`): make it the current version. `version` is complete but
// for version_id, modified_at_ms and sequence.
struct CommitPut {
  v1::ObjectVersion version;
  std::optional<std::string> inline_body;  // Stored bytes; then version.body is empty.
  std::optional<v1::Reservation> reservation;
  WriteConditions conditions;
};

// S3 API, DeleteObject. Deleting what is not there succeeds (outcome.existed is false).
struct DeleteObject {
  std::optional<std::string> version_id;  // "null" or hex; other values: no_such_version.
  WriteConditions conditions;
};

struct CreateUpload {
  v1::Upload upload;  // Complete but for the conditions.
  // Of the key as it is when the upload begins and when it completes. Only If-Match and
  // If-None-Match.
  WriteConditions conditions;
};

struct CommitPart {
  std::string upload_id;  // 16 bytes, as in every command below.
  v1::Part part;          // Complete but for modified_at_ms.
  std::optional<std::string> inline_body;
  std::optional<v1::Reservation> reservation;
};

// S3 API, CompleteMultipartUpload.
struct CompleteUpload {
  struct Part {
    uint32_t number = 0;
    std::string etag;                      // 16 bytes.
    std::optional<v1::Checksum> checksum;  // Compared with the stored part when given.
  };
  std::string upload_id;
  std::vector<Part> parts;                        // As listed by the client.
  std::optional<v1::Checksum> expected_checksum;  // Of the whole object, header of the request.
  std::optional<uint64_t> expected_size;          // x-amz-mp-object-size.
  WriteConditions conditions;
};

struct AbortUpload {
  std::string upload_id;
};

// Destaging and compaction.
struct MoveBodies {
  std::vector<v1::BodiesMoved_Move> moves;
  v1::Reservation reservation;
};

struct Command {
  BucketId bucket;
  std::string key;  // MoveBodies: empty; its moves name their keys, all of one partition.
  RequestId request_id;
  uint64_t request_digest = 0;  // Of everything that makes the request what it is.
  std::variant<CommitPut, DeleteObject, CreateUpload, CommitPart, CompleteUpload, AbortUpload,
               MoveBodies>
      action;
};

}  // namespace kura
