#include "projections/metadata/rows.h"

#include <type_traits>

#include "base/check.h"

namespace kura::row {
namespace {

constexpr std::string_view kTerminator{"\x00\x01", 2};

template <class Number>
void append(std::string& out, Number value) {
  static_assert(std::is_unsigned_v<Number>);
  for (int shift = int{sizeof(Number)} * 8 - 8; shift >= 0; shift -= 8)
    out += static_cast<char>(value >> shift);
}

// Reads a row key front to back.
class Cursor {
 public:
  Cursor(std::string_view row, Kind kind) : left_(row), ok_(!row.empty() && row[0] == kind) {
    if (ok_) left_.remove_prefix(1);
  }

  template <class Number>
  Number number() {
    if (!ok_ || left_.size() < sizeof(Number)) {
      ok_ = false;
      return 0;
    }
    Number value = 0;
    for (size_t i = 0; i < sizeof(Number); ++i)
      value = static_cast<Number>(value << 8 | static_cast<uint8_t>(left_[i]));
    left_.remove_prefix(sizeof(Number));
    return value;
  }

  // An escaped key up to and with its terminator.
  std::string key() {
    std::string out;
    for (size_t i = 0; ok_ && i < left_.size(); ++i) {
      if (left_[i] != '\0') {
        out += left_[i];
        continue;
      }
      if (++i == left_.size()) break;
      if (left_[i] == '\x01') {
        left_.remove_prefix(i + 1);
        return out;
      }
      if (left_[i] != '\xff') break;
      out += '\0';
    }
    ok_ = false;
    return {};
  }

  std::string bytes(size_t count) {
    if (left_.size() < count) ok_ = false;
    if (!ok_) return {};
    std::string out(left_.substr(0, count));
    left_.remove_prefix(count);
    return out;
  }

  bool finished() const { return ok_ && left_.empty(); }

 private:
  std::string_view left_;
  bool ok_;
};

std::string start(Kind kind) { return std::string(1, kind); }

}  // namespace

std::string control_pos_key(PartitionId partition) {
  std::string out = start(kControlPos);
  append(out, partition.value);
  return out;
}

std::string bucket_key(PartitionId partition, BucketId bucket) {
  std::string out = start(kBucket);
  append(out, partition.value);
  append(out, bucket.value);
  return out;
}

std::string counters_prefix(BucketId bucket) {
  std::string out = start(kCounters);
  append(out, bucket.value);
  return out;
}

std::string counters_key(BucketId bucket, PartitionId partition) {
  std::string out = counters_prefix(bucket);
  append(out, partition.value);
  return out;
}

std::string head_key(PartitionId partition) {
  std::string out = start(kHead);
  append(out, partition.value);
  return out;
}

std::string position_key() { return start(kPosition); }

std::string current_prefix(BucketId bucket) {
  std::string out = start(kCurrent);
  append(out, bucket.value);
  return out;
}

std::string current_key(BucketId bucket, std::string_view key) {
  return current_prefix(bucket).append(key);
}

std::string parts_prefix(std::string_view upload_id) {
  INVARIANT(upload_id.size() == kUploadIdBytes, "part rows need upload ids of one length");
  return start(kPart).append(upload_id);
}

std::string part_key(std::string_view upload_id, uint32_t number) {
  std::string out = parts_prefix(upload_id);
  append(out, number);
  return out;
}

std::string requests_key(PartitionId partition) {
  std::string out = start(kRequests);
  append(out, partition.value);
  return out;
}

std::string requests_prefix(PartitionId partition) {
  std::string out = start(kRequest);
  append(out, partition.value);
  return out;
}

std::string request_key(PartitionId partition, uint32_t slot) {
  std::string out = requests_prefix(partition);
  append(out, slot);
  return out;
}

std::string live_bytes_prefix(SetId set) {
  std::string out = start(kLiveBytes);
  append(out, set.value);
  return out;
}

std::string live_bytes_key(SetId set, PartitionId partition) {
  std::string out = live_bytes_prefix(set);
  append(out, partition.value);
  return out;
}

std::string log_bytes_prefix(uint64_t piece) {
  std::string out = start(kLogBytes);
  append(out, piece);
  return out;
}

std::string log_bytes_key(uint64_t piece, PartitionId partition) {
  std::string out = log_bytes_prefix(piece);
  append(out, partition.value);
  return out;
}

std::string uploads_prefix(BucketId bucket) {
  std::string out = start(kUpload);
  append(out, bucket.value);
  return out;
}

std::string upload_key(BucketId bucket, std::string_view key, std::string_view upload_id) {
  return uploads_prefix(bucket).append(escape(key)).append(kTerminator).append(upload_id);
}

std::string noncurrent_key(BucketId bucket, std::string_view key, uint64_t sequence) {
  std::string out = start(kNoncurrent);
  append(out, bucket.value);
  out.append(escape(key)).append(kTerminator);
  append(out, ~sequence);
  return out;
}

std::string voided_key(PartitionId partition, std::string_view incarnation) {
  std::string out = start(kVoided);
  append(out, partition.value);
  return out.append(incarnation);
}

std::string extents_prefix(SetId set) {
  std::string out = start(kExtent);
  append(out, set.value);
  return out;
}

std::string extent_key(SetId set, uint64_t offset_bytes, uint32_t member) {
  std::string out = extents_prefix(set);
  append(out, offset_bytes);
  append(out, member);
  return out;
}

std::string escape(std::string_view key) {
  std::string out;
  out.reserve(key.size());
  for (char c : key) {
    out += c;
    if (c == '\0') out += '\xff';
  }
  return out;
}

std::optional<std::string> behind(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<uint8_t>(prefix.back()) + 1);
  return prefix;
}

Result<UploadKey> parse_upload_key(std::string_view row) {
  Cursor cursor(row, kUpload);
  UploadKey out;
  out.bucket = BucketId{cursor.number<uint64_t>()};
  out.key = cursor.key();
  out.upload_id = cursor.bytes(kUploadIdBytes);
  if (!cursor.finished()) return fail(Errc::corrupt, "upload row key");
  return out;
}

Result<ExtentKey> parse_extent_key(std::string_view row) {
  Cursor cursor(row, kExtent);
  ExtentKey out;
  out.set = SetId{cursor.number<uint32_t>()};
  out.offset_bytes = cursor.number<uint64_t>();
  out.member = cursor.number<uint32_t>();
  if (!cursor.finished()) return fail(Errc::corrupt, "extent row key");
  return out;
}

Result<NoncurrentKey> parse_noncurrent_key(std::string_view row) {
  Cursor cursor(row, kNoncurrent);
  NoncurrentKey out;
  out.bucket = BucketId{cursor.number<uint64_t>()};
  out.key = cursor.key();
  out.sequence = ~cursor.number<uint64_t>();
  if (!cursor.finished()) return fail(Errc::corrupt, "noncurrent row key");
  return out;
}

std::string encode_u64(uint64_t value) {
  std::string out;
  append(out, value);
  return out;
}

Result<uint64_t> decode_u64(std::string_view value) {
  if (value.size() != 8) return fail(Errc::corrupt, "row is no number");
  uint64_t out = 0;
  for (char c : value) out = out << 8 | static_cast<uint8_t>(c);
  return out;
}

}  // namespace kura::row
