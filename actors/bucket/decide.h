// decide(): every S3 rule about one key, and no I/O. It answers "may this happen, and what then
// happened?"; what the event does to the rows is projections/metadata/fold.h.
//
// Pure: time comes in the stamp, state in KeyState, which load() reads from exactly the rows that
// the command names.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/bucket/command.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/result.h"
#include "event.pb.h"
#include "projections/metadata/overlay.h"

namespace kura {

struct KeyState {
  bool bucket_known = false;
  bool bucket_frozen = false;  // A deletion is open and this partition voted yes.
  Offset control_pos;          // Last control record that the partition applied.
  std::optional<v1::ObjectVersion> current;
  std::optional<v1::Upload> upload;    // The upload that the command names.
  std::map<uint32_t, v1::Part> parts;  // The parts that the command names and that are there.
  bool reservation_void = false;       // The command's reservation ended with its process.
  std::vector<bool> movable;           // MoveBodies: whether move i still finds its body at `from`.
};

// Errors: those of the rows.
Result<KeyState> load(RowReader& rows, PartitionId partition, const Command& command);

// Whether what is decided changes once the partition has folded more of control: the bucket may yet
// be created, or its deletion end.
bool waits_for_control(const KeyState& state, const Command& command);

struct Stamp {
  int64_t now_ms = 0;                       // Unix time; becomes modified_at_ms.
  uint64_t part_bytes_min = kPartBytesMin;  // Smaller only in tests.
};

// Append this: `event` is the payload, `body` the inline body of the record (empty: none).
struct NewEvent {
  v1::Event event;
  std::string body;
};

// Either an event to append, or the outcome at once because nothing has to change.
using Decision = std::variant<NewEvent, Outcome>;

// Errors, each the final answer to the request:
//   no_such_bucket       the bucket was deleted.
//   unavailable          it waits for control; or the reservation ended with the process that held
//                        it.
//   precondition_failed, no_such_key, no_such_version, no_such_upload, invalid_argument,
//   invalid_part, invalid_part_order, entity_too_small, bad_digest, exists, too_large.
Result<Decision> decide(const KeyState& state, const Command& command, const Stamp& stamp);

}  // namespace kura
