// One partition with its view: commands are loaded, decided and folded one after the other.

#pragma once

#include "actors/bucket/decide.h"
#include "projections/kv/memory_kv.h"
#include "projections/metadata/fold.h"
#include "projections/metadata/view.h"

namespace kura {

inline constexpr PartitionId kP{2};
inline constexpr BucketId kB{100};

inline std::string id_of(uint32_t n) {
  std::string id(16, '\0');
  for (int i = 0; i < 4; ++i) id[15 - i] = static_cast<char>(n >> (8 * i));
  return id;
}

class RulesWorld {
 public:
  RulesWorld() { create_bucket(kB); }

  void create_bucket(BucketId bucket) { control(v1::BucketEffect::CREATED, bucket, Offset{}); }

  void control(v1::BucketEffect::Kind kind, BucketId bucket, Offset operation) {
    v1::Event event;
    control_pos = std::max(control_pos + 1, bucket.value);
    event.mutable_control_applied()->set_up_to(control_pos);
    auto& effect = *event.mutable_control_applied()->add_effects();
    effect.set_kind(kind);
    effect.set_bucket(bucket.value);
    effect.set_operation(operation.value);
    fold(event).value();
  }

  Result<Outcome> fold(const v1::Event& event) {
    KvRows below(kv);
    Overlay rows(below);
    offset += 100;
    Result<Outcome> outcome = apply_event(rows, kP, Offset{offset}, event);
    if (!outcome) return outcome;
    KvBatch batch;
    rows.move_to(batch);
    if (Result<void> ok = kv.write(batch); !ok) return fail(ok.error());
    return outcome;
  }

  Result<Decision> decide(const Command& command) {
    KvRows rows(kv);
    Result<KeyState> state = load(rows, kP, command);
    if (!state) return fail(state.error());
    return kura::decide(*state, command, stamp);
  }

  // Decides and, if there is an event, folds it.
  template <class Action>
  Result<Outcome> run(const std::string& key, Action action, BucketId bucket = kB) {
    Command command{.bucket = bucket, .key = key, .action = std::move(action)};
    Result<Decision> decision = decide(command);
    if (!decision) return fail(decision.error());
    last = NewEvent();
    if (auto* outcome = std::get_if<Outcome>(&*decision)) return *outcome;
    last = std::get<NewEvent>(*decision);
    return fold(last.event);
  }

  // OK, or the code of the refusal.
  template <class Action>
  std::string code(const std::string& key, Action action, BucketId bucket = kB) {
    const auto before = view.digest().value().value;
    Result<Outcome> outcome = run(key, std::move(action), bucket);
    if (outcome) return "ok";
    if (view.digest().value().value != before) return "a refusal changed the view";
    return std::to_string(static_cast<int>(outcome.error().code));
  }

  std::optional<v1::ObjectVersion> current(const std::string& key) {
    return view.current(kB, key).value();
  }

  MemoryKv kv;
  MetadataView view{kv};
  Stamp stamp{.now_ms = 1'700'000'000'000};
  NewEvent last;  // Of the last run(); without an event when it needed none.
  uint64_t offset = 1000;
  uint64_t control_pos = 0;
};

inline std::string refused(Errc code) { return std::to_string(static_cast<int>(code)); }

inline CommitPut put_of(char fill, uint64_t size_bytes = 3) {
  CommitPut put;
  put.version.set_size_bytes(size_bytes);
  put.version.set_stored_bytes(size_bytes);
  put.version.set_etag(std::string(16, fill));
  return put;
}

inline CommitPart part_of(const std::string& upload_id, uint32_t number, char fill,
                          uint64_t size_bytes = 100) {
  CommitPart part;
  part.upload_id = upload_id;
  part.part.set_number(number);
  part.part.set_etag(std::string(16, fill));
  part.part.set_size_bytes(size_bytes);
  part.part.set_stored_bytes(size_bytes + 1);
  return part;
}

inline CreateUpload upload_of(const std::string& upload_id) {
  CreateUpload create;
  create.upload.set_upload_id(upload_id);
  return create;
}

inline CompleteUpload complete_of(const std::string& upload_id,
                                  std::vector<std::pair<uint32_t, char>> parts) {
  CompleteUpload complete;
  complete.upload_id = upload_id;
  for (auto [number, fill] : parts)
    complete.parts.push_back({number, std::string(16, fill), std::nullopt});
  return complete;
}

}  // namespace kura
