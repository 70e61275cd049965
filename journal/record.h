// Records of the journal and where they lie (journal/PROTOCOL.md, section 1). Byte grammar:
// journal/README.md.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"

namespace kura::journal {

enum class RecordKind : uint8_t { claim = 1, event = 2, noop = 3, release = 4 };

struct Record {
  PartitionId partition;
  RecordKind kind = RecordKind::event;
  bool open = false;  // The owner's wait was over when it sent this.
  Epoch epoch;
  WriterId writer;
  uint64_t seq = 0;       // Claims: 0. Others: 1, 2, ... within the epoch.
  uint32_t lease_ms = 0;  // Claims. 0: this owner serves reads by barrier only.
  Offset seen;            // What the owner had folded when it sent this.
  RequestId request_id;   // Events; nil: not kept in the request table.
  uint64_t request_digest = 0;
  std::string payload;  // Events: a serialized kura.v1.Event.
  std::string body;  // Raw stored bytes of an inline body; at most kInlineBodyMax plus transform.
};

struct StoredRecord {
  Offset offset;
  Offset end;  // Offset of the record that follows, if one does.
  Record record;
};

}  // namespace kura::journal
