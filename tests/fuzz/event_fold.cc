// Events of a data partition: an event reads as it was written, and any row of events that the fold
// takes leaves a view whose counters are those of its rows.
//
// Input: events, each with its length first (2 bytes).

#include <map>

#include "projections/kv/memory_kv.h"
#include "projections/metadata/fold.h"
#include "projections/metadata/rows.h"
#include "projections/metadata/view.h"
#include "rows.pb.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

constexpr PartitionId kPartition{3};

std::map<std::string, std::string> rows_of(Kv& kv) {
  std::map<std::string, std::string> out;
  auto it = kv.iterate();
  for (it->seek(""); it->valid(); it->next()) out.emplace(it->key(), it->value());
  return out;
}

void check_codec(std::string_view payload, const v1::Event& event) {
  const std::string bytes = event.SerializeAsString();
  const auto again = parse_event(bytes);
  INVARIANT(again && again->SerializeAsString() == bytes, "an event reads as it was written");
  INVARIANT(parse_event(payload)->event_case() == event.event_case(), "parsing is a function");
}

journal::Record record_of(uint64_t n) {
  journal::Record record;
  record.partition = kPartition;
  record.request_id.bytes[0] = static_cast<uint8_t>(n % 3);  // 0: not kept in the table.
  return record;
}

// Folds one event as a batch of its own. False: refused, and the view is as it was.
bool fold_one(Kv& kv, uint64_t n, const v1::Event& event) {
  KvRows below(kv);
  Overlay batch(below);
  const auto outcome = fold_record(batch, Offset{1000 + n * 100}, record_of(n), event);
  if (!outcome) {
    INVARIANT(outcome.error().code == Errc::corrupt || outcome.error().code == Errc::unsupported,
              "why an event does not apply");
    return false;
  }
  KvBatch changes;
  batch.move_to(changes);
  INVARIANT(kv.write(changes), "memory does not fail");
  return true;
}

struct Count {
  uint64_t objects = 0, bytes = 0, uploads = 0;
  bool operator==(const Count&) const = default;
};

// Buckets by their prefix in the rows: kind, then 8 bytes of id.
void check_counters(const std::map<std::string, std::string>& rows) {
  std::map<std::string, Count> counted, said;
  std::map<std::string, uint64_t> live, live_said;
  for (const auto& [key, value] : rows) {
    if (key[0] == row::kCurrent) {
      v1::ObjectVersion version;
      INVARIANT(version.ParseFromString(value), "an object row");
      Count& count = counted[key.substr(1, 8)];
      ++count.objects;
      count.bytes += version.size_bytes();
    }
    if (key[0] == row::kUpload) ++counted[key.substr(1, 8)].uploads;
    if (key[0] == row::kCounters) {
      v1::CounterRow counters;
      INVARIANT(counters.ParseFromString(value), "a counter row");
      INVARIANT(counters.objects() == counters.versions(), "one version for each key");
      said[key.substr(1, 8)] = {counters.objects(), counters.bytes(), counters.uploads()};
    }
    if (key[0] == row::kExtent) {
      v1::ExtentRow extent;
      INVARIANT(extent.ParseFromString(value) && row::parse_extent_key(key), "an extent row");
      live[key.substr(1, 4)] += extent.stored_bytes();
    }
    if (key[0] == row::kLiveBytes) live_said[key.substr(1, 4)] = *row::decode_u64(value);
  }
  std::erase_if(live, [](const auto& set) { return set.second == 0; });
  INVARIANT(counted == said, "counters are those of the rows");
  INVARIANT(live == live_said, "live bytes are those of the extents");
}

}  // namespace

void fuzz_one(std::string_view input) {
  Input in(input);
  MemoryKv kv, replayed;
  std::vector<v1::Event> taken;
  while (!in.empty() && taken.size() < 32) {
    const std::string_view payload = in.long_text();
    const auto event = parse_event(payload);
    if (!event) {
      INVARIANT(event.error().code == Errc::corrupt || event.error().code == Errc::unsupported,
                "why an event does not parse");
      continue;
    }
    check_codec(payload, *event);
    if (fold_one(kv, taken.size(), *event)) taken.push_back(*event);
  }
  const auto rows = rows_of(kv);
  check_counters(rows);
  INVARIANT(MetadataView(kv).digest(), "a view that can be read");

  // Replay as one batch: the same rows.
  KvRows below(replayed);
  Overlay batch(below);
  for (size_t i = 0; i < taken.size(); ++i)
    INVARIANT(fold_record(batch, Offset{1000 + i * 100}, record_of(i), taken[i]), "taken before");
  KvBatch changes;
  batch.move_to(changes);
  INVARIANT(replayed.write(changes), "memory does not fail");
  INVARIANT(rows_of(replayed) == rows, "the same log gives the same rows, however it is batched");
}

}  // namespace kura::fuzz
