#include "projections/metadata/request_table.h"

#include "projections/metadata/rows.h"
#include "rows.pb.h"

namespace kura {
namespace {

std::string encode(const RequestEntry& entry) {
  v1::RequestRow out;
  out.set_request_id(std::string(entry.id.view()));
  out.set_digest(entry.digest);
  out.set_existed(entry.outcome.existed);
  out.set_version_id(entry.outcome.version_id);
  out.set_etag(entry.outcome.etag);
  out.set_modified_at_ms(entry.outcome.modified_at_ms);
  out.set_size_bytes(entry.outcome.size_bytes);
  if (entry.outcome.checksum.algorithm() != v1::Checksum::NONE)
    *out.mutable_checksum() = entry.outcome.checksum;
  out.set_offset(entry.outcome.offset.value);
  return out.SerializeAsString();
}

Result<RequestEntry> decode(const std::string& value) {
  v1::RequestRow row;
  if (!row.ParseFromString(value) || row.request_id().size() != 16)
    return fail(Errc::corrupt, "request row does not parse");
  RequestEntry out;
  out.id = uuid_from<RequestId>(row.request_id());
  out.digest = row.digest();
  out.outcome.existed = row.existed();
  out.outcome.version_id = row.version_id();
  out.outcome.etag = row.etag();
  out.outcome.modified_at_ms = row.modified_at_ms();
  out.outcome.size_bytes = row.size_bytes();
  out.outcome.checksum = row.checksum();
  out.outcome.offset = Offset{row.offset()};
  return out;
}

Result<uint64_t> requests_ever(RowReader& rows, PartitionId partition) {
  Result<std::optional<std::string>> value = rows.get(row::requests_key(partition));
  if (!value) return fail(value.error());
  if (!*value) return uint64_t{0};
  return row::decode_u64(**value);
}

}  // namespace

Result<RequestTable> RequestTable::load(RowReader& rows, PartitionId partition) {
  Result<uint64_t> count = requests_ever(rows, partition);
  if (!count) return fail(count.error());
  Result<std::vector<Row>> stored = rows.scan(row::requests_prefix(partition), SIZE_MAX);
  if (!stored) return fail(stored.error());
  if (stored->size() != std::min<uint64_t>(*count, kRequestTableMax))
    return fail(Errc::corrupt, "request table with holes");

  // In log order, so that a repeated id ends up at its latest result.
  RequestTable table;
  table.count_ = *count - stored->size();
  const size_t oldest = *count > kRequestTableMax ? *count % kRequestTableMax : 0;
  table.slots_.resize(oldest);
  for (size_t i = 0; i < stored->size(); ++i) {
    Result<RequestEntry> entry = decode((*stored)[(oldest + i) % stored->size()].value);
    if (!entry) return fail(entry.error());
    table.add(std::move(*entry));
  }
  return table;
}

const RequestEntry* RequestTable::find(RequestId id) const {
  auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : &slots_[it->second];
}

void RequestTable::add(RequestEntry entry) {
  const uint32_t slot = static_cast<uint32_t>(count_++ % kRequestTableMax);
  if (slot >= slots_.size()) {
    slots_.resize(slot + 1);
  } else {
    auto old = by_id_.find(slots_[slot].id);
    if (old != by_id_.end() && old->second == slot) by_id_.erase(old);
  }
  by_id_[entry.id] = slot;
  slots_[slot] = std::move(entry);
}

Offset RequestTable::low() const {
  if (count_ <= kRequestTableMax) return Offset{};
  return slots_[count_ % kRequestTableMax].outcome.offset;
}

Result<void> put_request(Rows& rows, PartitionId partition, const RequestEntry& entry) {
  Result<uint64_t> count = requests_ever(rows, partition);
  if (!count) return fail(count.error());
  const uint32_t slot = static_cast<uint32_t>(*count % kRequestTableMax);
  rows.put(row::request_key(partition, slot), encode(entry));
  rows.put(row::requests_key(partition), row::encode_u64(*count + 1));
  return {};
}

}  // namespace kura
