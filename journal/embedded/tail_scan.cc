#include "journal/embedded/tail_scan.h"

#include <algorithm>
#include <cstring>

#include "base/limits.h"
#include "journal/record_codec.h"

namespace kura::journal {
namespace {

constexpr uint64_t kBlockBytes = 512;

bool all_zero(std::string_view bytes) {
  return bytes.empty() ||
         (bytes[0] == '\0' && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

void add_not_zero(std::string_view bytes, uint64_t at, std::vector<TailScan::Range>& out) {
  for (uint64_t i = 0; i < bytes.size(); i += kBlockBytes) {
    const std::string_view block = bytes.substr(i, kBlockBytes);
    if (all_zero(block)) continue;
    if (!out.empty() && out.back().at + out.back().length == at + i) {
      out.back().length += block.size();
    } else {
      out.push_back({at + i, block.size()});
    }
  }
}

// Positions in `bytes` where a record may begin.
std::vector<uint64_t> candidates(std::string_view bytes) {
  std::vector<uint64_t> out;
  for (uint64_t i = 0; i + sizeof kRecordMagic <= bytes.size(); i += kRecordAlign) {
    if (std::memcmp(bytes.data() + i, kRecordMagic, sizeof kRecordMagic) == 0) out.push_back(i);
  }
  return out;
}

}  // namespace

Task<TailScan> scan_tail(SegmentReader& reader, JournalId journal, uint64_t base, uint64_t at,
                         uint64_t until, uint64_t log_end) {
  TailScan out;
  until = std::min(until, reader.file_bytes());
  while (!reader.missing() && at < until && !is_lost(reader.mirror())) {
    co_await reader.load(at, SegmentReader::kWindowBytes);
    const std::string_view chunk = reader.bytes(at, SegmentReader::kWindowBytes);
    if (chunk.empty()) break;
    const uint64_t next = at + chunk.size();
    if (all_zero(chunk)) {
      at = next;
      continue;
    }
    add_not_zero(chunk, at, out.not_zero);
    std::vector<uint64_t> places;
    if (!out.proof) places = candidates(chunk);
    for (const uint64_t place : places) {
      const uint64_t pos = at + place;
      co_await reader.load(pos, kRecordMax);  // Moves the window: `chunk` is void from here on.
      auto record = parse_record(reader.bytes(pos, kRecordMax), journal, Offset{base + pos});
      if (!record || base + pos - record->since <= log_end) continue;
      out.proof = base + pos;
      break;
    }
    at = next;
  }
  co_return out;
}

}  // namespace kura::journal
