// Snapshots: the same rows however the stream is cut; what was written is read; a stream that is
// read is the stream that its rows give; a change of any byte is seen.
//
// Input: kind. Even: piece, damage (2 bytes), bits, then rows (key and value, lengths first). Odd:
// a raw stream, also with its checksums put right.

#include "projections/metadata/snapshot.h"

#include <xxhash.h>

#include <optional>

#include "projections/kv/memory_kv.h"
#include "projections/metadata/rows.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

struct Loaded {
  SnapshotInfo info;
  std::vector<KvBatch::Change> rows;
};

std::optional<Loaded> load(std::string_view stream, size_t piece) {
  SnapshotReader reader;
  Loaded out;
  while (!stream.empty()) {
    const auto batch = reader.add(stream.substr(0, piece));
    if (!batch) return std::nullopt;
    out.rows.insert(out.rows.end(), batch->changes().begin(), batch->changes().end());
    stream.remove_prefix(std::min(piece, stream.size()));
  }
  const auto info = reader.finish();
  if (!info) return std::nullopt;
  out.info = *info;
  return out;
}

bool same(const Loaded& a, const Loaded& b) {
  return a.info.rows == b.info.rows && a.info.digest == b.info.digest &&
         std::equal(
             a.rows.begin(), a.rows.end(), b.rows.begin(), b.rows.end(),
             [](const auto& x, const auto& y) { return x.key == y.key && x.value == y.value; });
}

std::string write(Kv& kv) {
  auto writer = SnapshotWriter::open(kv);
  INVARIANT(writer, "a view with a position");
  std::string stream;
  for (;;) {
    const auto bytes = writer->next();
    INVARIANT(bytes, "memory does not fail");
    if (bytes->empty()) return stream;
    stream += *bytes;
  }
}

void check_rows(Input in) {
  const size_t piece = size_t{in.number<uint8_t>()} + 1;
  const size_t damage = in.number<uint16_t>();
  const char bits = static_cast<char>(in.number<uint8_t>());
  MemoryKv kv;
  KvBatch batch;
  std::map<std::string, std::string> rows;
  for (int i = 0; i < 64 && !in.empty(); ++i) {
    const std::string key(in.text()), value(in.text());
    if (!key.empty()) rows[key] = value;
  }
  rows[row::position_key()] = row::encode_u64(100) + row::encode_u64(200);
  for (const auto& [key, value] : rows) batch.put(key, value);
  INVARIANT(kv.write(batch), "memory does not fail");

  std::string stream = write(kv);
  const auto loaded = load(stream, piece);
  INVARIANT(loaded && loaded->rows.size() == rows.size() && loaded->info.rows == rows.size(),
            "every row is read");
  for (const auto& change : loaded->rows)
    INVARIANT(change.value && rows.at(change.key) == *change.value, "as it was written");
  INVARIANT(!load(std::string_view(stream).substr(0, damage % stream.size()), piece), "cut short");
  if (bits == 0) return;
  stream[damage % stream.size()] ^= bits;
  INVARIANT(!load(stream, piece), "damage is seen");
}

void put_checksum(std::string* stream, size_t from, size_t size) {
  const std::string sum = row::encode_u64(XXH3_64bits(stream->data() + from, size));
  stream->replace(from + size, sum.size(), sum);
}

// Checksums of the header and of each chunk that is there in full; not the digest of all rows.
std::string sealed(std::string stream) {
  constexpr size_t kHeader = 28, kSum = 8, kHead = 5;
  if (stream.size() < kHeader + kSum) return stream;
  put_checksum(&stream, 0, kHeader);
  for (size_t at = kHeader + kSum; at + kHead + kSum <= stream.size();) {
    uint64_t payload = 0;
    for (size_t i = 1; i < kHead; ++i)
      payload = payload << 8 | static_cast<uint8_t>(stream[at + i]);
    if (payload > stream.size() - at - kHead - kSum) break;
    put_checksum(&stream, at, kHead + payload);
    at += kHead + payload + kSum;
  }
  return stream;
}

void check_stream(const std::string& stream) {
  const auto whole = load(stream, stream.size() + 1);
  const auto cut = load(stream, 7);
  INVARIANT(whole.has_value() == cut.has_value(), "a cut neither mends nor breaks a stream");
  if (!whole) return;
  INVARIANT(same(*whole, *cut), "the same rows however it is cut");
  for (size_t i = 1; i < whole->rows.size(); ++i)
    INVARIANT(whole->rows[i - 1].key < whole->rows[i].key, "rows are in order");
}

}  // namespace

void fuzz_one(std::string_view input) {
  Input in(input);
  if (in.number<uint8_t>() % 2 == 0) return check_rows(in);
  const std::string stream(in.rest());
  check_stream(stream);
  check_stream(sealed(stream));
}

}  // namespace kura::fuzz
