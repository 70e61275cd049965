// A partition's log and view in memory: events go in, rows come out.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "projections/kv/memory_kv.h"
#include "projections/metadata/fold.h"
#include "projections/metadata/view.h"
#include "projections/metadata/view_position.h"

namespace kura {

inline constexpr PartitionId kTestPartition{3};
inline const std::string kMd5(16, '\x11');

inline std::map<std::string, std::string> dump(Kv& kv) {
  std::map<std::string, std::string> out;
  auto it = kv.iterate();
  for (it->seek(""); it->valid(); it->next()) out.emplace(it->key(), it->value());
  return out;
}

inline std::string id_of(uint32_t n) {
  std::string id(16, '\0');
  for (int i = 0; i < 4; ++i) id[15 - i] = static_cast<char>(n >> (8 * i));
  return id;
}

class FoldWorld {
 public:
  // Folds one event as a batch of its own, at the next offset.
  Result<Outcome> fold(const v1::Event& event, RequestId request = {}) {
    KvRows below(kv);
    Overlay batch(below);
    journal::Record record;
    record.partition = kTestPartition;
    record.request_id = request;
    Result<Outcome> outcome = fold_record(batch, Offset{next_offset_}, record, event);
    if (!outcome) return outcome;
    put_position(batch, {Offset{next_offset_}, Offset{next_offset_ + 100}});
    KvBatch changes;
    batch.move_to(changes);
    if (Result<void> written = kv.write(changes); !written) return fail(written.error());
    next_offset_ += 100;
    return outcome;
  }

  uint64_t next_offset() const { return next_offset_; }
  KvRows rows() { return KvRows(kv); }

  MemoryKv kv;
  MetadataView view{kv};

 private:
  uint64_t next_offset_ = 1000;
};

inline v1::Extent extent(uint32_t set, uint64_t offset, uint64_t stored_bytes) {
  v1::Extent out;
  out.set_set(set);
  out.set_offset(offset);
  out.set_stored_bytes(stored_bytes);
  out.set_layout(v1::Extent::STRIPED);
  return out;
}

inline v1::Event put(uint64_t bucket, const std::string& key, uint64_t size_bytes,
                     const std::vector<v1::Extent>& extents = {}) {
  v1::Event event;
  auto& committed = *event.mutable_put_committed();
  committed.set_bucket(bucket);
  committed.set_key(key);
  committed.mutable_version()->set_size_bytes(size_bytes);
  committed.mutable_version()->set_stored_bytes(size_bytes);
  committed.mutable_version()->set_etag(kMd5);
  for (const v1::Extent& e : extents)
    *committed.mutable_version()->mutable_body()->add_extents() = e;
  return event;
}

inline v1::Event put_inline(uint64_t bucket, const std::string& key, uint32_t size_bytes) {
  v1::Event event = put(bucket, key, size_bytes);
  auto& body = *event.mutable_put_committed()->mutable_version()->mutable_body();
  body.mutable_journal()->set_length(size_bytes);
  return event;
}

inline v1::Event deleted(uint64_t bucket, const std::string& key) {
  v1::Event event;
  event.mutable_object_deleted()->set_bucket(bucket);
  event.mutable_object_deleted()->set_key(key);
  return event;
}

inline v1::Event upload_created(uint64_t bucket, const std::string& key, const std::string& id) {
  v1::Event event;
  auto& created = *event.mutable_upload_created();
  created.set_bucket(bucket);
  created.set_key(key);
  created.mutable_upload()->set_upload_id(id);
  return event;
}

inline v1::Event part(uint64_t bucket, const std::string& key, const std::string& id,
                      uint32_t number, uint64_t size_bytes,
                      const std::vector<v1::Extent>& extents = {}) {
  v1::Event event;
  auto& committed = *event.mutable_part_committed();
  committed.set_bucket(bucket);
  committed.set_key(key);
  committed.set_upload_id(id);
  committed.mutable_part()->set_number(number);
  committed.mutable_part()->set_size_bytes(size_bytes);
  committed.mutable_part()->set_etag(kMd5);
  for (const v1::Extent& e : extents) *committed.mutable_part()->mutable_body()->add_extents() = e;
  return event;
}

inline v1::Event completed(uint64_t bucket, const std::string& key, const std::string& id,
                           const std::vector<uint32_t>& numbers, uint64_t size_bytes) {
  v1::Event event;
  auto& done = *event.mutable_upload_completed();
  done.set_bucket(bucket);
  done.set_key(key);
  done.set_upload_id(id);
  for (uint32_t number : numbers) done.add_part_numbers(number);
  done.mutable_version()->set_upload_id(id);
  done.mutable_version()->set_size_bytes(size_bytes);
  done.mutable_version()->set_etag(kMd5);
  done.mutable_version()->set_part_count(static_cast<uint32_t>(numbers.size()));
  return event;
}

inline v1::Event aborted(uint64_t bucket, const std::string& key, const std::string& id) {
  v1::Event event;
  event.mutable_upload_aborted()->set_bucket(bucket);
  event.mutable_upload_aborted()->set_key(key);
  event.mutable_upload_aborted()->set_upload_id(id);
  return event;
}

inline v1::Event control(uint64_t up_to, v1::BucketEffect::Kind kind, uint64_t bucket,
                         uint64_t operation = 0) {
  v1::Event event;
  event.mutable_control_applied()->set_up_to(up_to);
  auto& effect = *event.mutable_control_applied()->add_effects();
  effect.set_kind(kind);
  effect.set_bucket(bucket);
  effect.set_operation(operation);
  if (kind == v1::BucketEffect::CREATED) effect.set_name("b" + std::to_string(bucket));
  return event;
}

}  // namespace kura
