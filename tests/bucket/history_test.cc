// Goal: whatever is asked of a partition, the rows that its decisions were made on, the rows that
// the committer folds, and the rows of any rebuild are the same; counters and extents are exact.
// Method: random commands, pipelined over an overlay and folded in batches of random length,
// against a plain model of what S3 clients should see.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <deque>
#include <map>

#include "actors/bucket/decide.h"
#include "projections/metadata/request_table.h"
#include "projections/metadata/rows.h"
#include "projections/metadata/snapshot.h"
#include "tests/bucket/rules_world.h"

namespace kura {
namespace {

std::map<std::string, std::string> dump(Kv& kv) {
  std::map<std::string, std::string> out;
  auto it = kv.iterate();
  for (it->seek(""); it->valid(); it->next()) out.emplace(it->key(), it->value());
  return out;
}

struct Logged {
  Offset offset;
  journal::Record record;  // The payload is the truth; it is parsed at each fold.
};

Result<Outcome> fold_one(Overlay& rows, const Logged& logged) {
  Result<v1::Event> event = parse_event(logged.record.payload);
  if (!event) return fail(event.error());
  Result<Outcome> outcome = fold_record(rows, logged.offset, logged.record, *event);
  put_position(rows, {logged.offset, Offset{logged.offset.value + 64}});
  return outcome;
}

void write(Overlay& rows, Kv& kv) {
  KvBatch batch;
  rows.move_to(batch);
  RC_ASSERT(kv.write(batch).has_value());
}

// Numbers drawn one after the other from one of the script.
struct Draw {
  uint64_t state;
  uint32_t below(uint32_t bound) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<uint32_t>(state >> 33) % bound;
  }
};

// What clients should see, kept without any row.
struct Model {
  struct Object {
    uint64_t size_bytes;
    std::string etag;
  };
  struct Upload {
    std::string key;
    std::map<uint32_t, Object> parts;
  };
  std::map<std::string, Object> objects;
  std::map<std::string, Upload> uploads;
};

class History {
 public:
  History() {
    v1::Event event;
    event.mutable_control_applied()->set_up_to(kB.value);
    auto& effect = *event.mutable_control_applied()->add_effects();
    effect.set_kind(v1::BucketEffect::CREATED);
    effect.set_bucket(kB.value);
    lay(event, {}, {});
  }

  void step(uint32_t number) {
    Draw draw{number};
    if (draw.below(4) == 0) return fold(draw.below(5));
    Command command = any_command(draw);
    Result<KeyState> state = load(overlay_, kP, command);
    RC_ASSERT(state.has_value());
    Stamp stamp{.now_ms = ++now_ms_, .part_bytes_min = 50};
    Result<Decision> decision = decide(*state, command, stamp);
    check_refusal(command, decision);
    if (!decision) return;
    if (auto* fresh = std::get_if<NewEvent>(&*decision)) {
      lay(fresh->event, fresh->body, command.request_id);
      apply_to_model(command);
    }
  }

  // Everything holds, however much is still under way.
  void check() {
    // What is under way, folded now at offset 0, gives what the overlay shows.
    KvRows below(kv_);
    Overlay at_once(below);
    for (const Logged& logged : under_way_) {
      const v1::Event event = parse_event(logged.record.payload).value();
      RC_ASSERT(apply_event(at_once, kP, Offset{}, event).has_value());
    }
    RC_ASSERT(rows_of(at_once) == rows_of(overlay_));
  }

  void check_folded() {
    fold(static_cast<uint32_t>(under_way_.size()));
    RC_ASSERT(overlay_.rows() == 0u);
    const auto rows = dump(kv_);
    for (uint32_t batch : {1u, 3u, 1000u}) RC_ASSERT(rebuilt(batch) == rows);
    RC_ASSERT(through_snapshot() == rows);
    check_model();
    check_recount(rows);
    check_requests();
  }

 private:
  static std::map<std::string, std::string> rows_of(RowReader& rows) {
    std::map<std::string, std::string> out;
    std::vector<Row> all = rows.scan("", SIZE_MAX).value();
    for (Row& row : all)
      // At decide time no offset is known, so live bytes of the log are not counted.
      if (row.key != row::position_key() && row.key[0] != 'q' && row.key[0] != 'r' &&
          row.key[0] != row::kLogBytes)
        out.emplace(std::move(row.key), std::move(row.value));
    return out;
  }

  // Lays an event on the overlay and puts it under way.
  void lay(const v1::Event& event, const std::string& body, RequestId id) {
    overlay_.begin(++tag_);
    Result<Outcome> outcome = apply_event(overlay_, kP, Offset{}, event);
    RC_ASSERT(outcome.has_value());
    Logged logged;
    logged.record.partition = kP;
    logged.record.request_id = id;
    logged.record.payload = event.SerializeAsString();
    logged.record.body = body;
    under_way_.push_back(logged);
    outcomes_.push_back(*outcome);
  }

  void fold(uint32_t events) {
    KvRows below(kv_);
    Overlay rows(below);
    uint64_t folded = 0;
    for (; folded < events && folded < under_way_.size(); ++folded) {
      Logged& logged = under_way_[folded];
      logged.offset = Offset{next_offset_};
      next_offset_ += 64;
      Result<Outcome> outcome = fold_one(rows, logged);
      RC_ASSERT(outcome.has_value());
      // What was decided is what happened.
      RC_ASSERT(outcome->offset == logged.offset);
      RC_ASSERT(outcome->existed == outcomes_[folded].existed);
      RC_ASSERT(outcome->etag == outcomes_[folded].etag);
      RC_ASSERT(outcome->size_bytes == outcomes_[folded].size_bytes);
      log_.push_back(logged);
    }
    write(rows, kv_);
    under_way_.erase(under_way_.begin(), under_way_.begin() + static_cast<long>(folded));
    outcomes_.erase(outcomes_.begin(), outcomes_.begin() + static_cast<long>(folded));
    retired_ += folded;
    overlay_.retire(retired_);
  }

  std::map<std::string, std::string> rebuilt(size_t batch) {
    MemoryKv kv;
    for (size_t i = 0; i < log_.size();) {
      KvRows below(kv);
      Overlay rows(below);
      for (size_t n = 0; n < batch && i < log_.size(); ++n, ++i)
        RC_ASSERT(fold_one(rows, log_[i]).has_value());
      write(rows, kv);
    }
    return dump(kv);
  }

  // The first half of the log by way of a snapshot, the rest folded onto it.
  std::map<std::string, std::string> through_snapshot() {
    MemoryKv first, second;
    const size_t half = std::max<size_t>(1, log_.size() / 2);
    KvRows below(first);
    Overlay rows(below);
    for (size_t i = 0; i < half; ++i) RC_ASSERT(fold_one(rows, log_[i]).has_value());
    write(rows, first);
    SnapshotWriter writer = SnapshotWriter::open(first).value();
    SnapshotReader reader;
    for (std::string bytes = writer.next().value(); !bytes.empty(); bytes = writer.next().value())
      RC_ASSERT(second.write(reader.add(bytes).value()).has_value());
    RC_ASSERT(reader.finish()->position.offset == log_[half - 1].offset);
    KvRows restored(second);
    Overlay tail(restored);
    for (size_t i = half; i < log_.size(); ++i) RC_ASSERT(fold_one(tail, log_[i]).has_value());
    write(tail, second);
    return dump(second);
  }

  v1::Body fresh_body(uint64_t stored_bytes, Draw& draw) {
    v1::Body body;
    for (uint32_t left = 1 + draw.below(2); left-- > 0;) {
      v1::Extent& extent = *body.add_extents();
      extent.set_set(1 + draw.below(3));
      extent.set_offset(next_extent_);
      extent.set_stored_bytes(stored_bytes);
      extent.set_member(draw.below(2));
      next_extent_ += 4096;
    }
    return body;
  }

  // A small body goes inline, as at the edge.
  template <class Action, class Meta>
  void place(Action& action, Meta& meta, uint64_t size_bytes, Draw& draw) {
    meta.set_size_bytes(size_bytes);
    meta.set_stored_bytes(size_bytes + 16);
    meta.set_etag(std::string(16, static_cast<char>('a' + draw.below(26))));
    if (size_bytes < 40)
      action.inline_body = std::string(size_bytes + 16, 'i');
    else
      *meta.mutable_body() = fresh_body(size_bytes + 16, draw);
  }

  Command any_command(Draw& draw) {
    Command command;
    command.bucket = kB;
    command.key = std::string(1, static_cast<char>('a' + draw.below(3)));
    if (draw.below(3) != 0) command.request_id = uuid_from<RequestId>(id_of(++requests_));
    // One of the last few uploads.
    const std::string id = id_of(uploads_ - std::min(uploads_, draw.below(4)));
    if (model_.uploads.count(id) && draw.below(8) != 0) command.key = model_.uploads[id].key;
    switch (draw.below(9)) {
      case 0:
      case 1: {
        CommitPut put;
        place(put, put.version, draw.below(100), draw);
        put.conditions.if_none_match_any = draw.below(4) == 0;
        command.action = put;
        break;
      }
      case 2:
        command.action = DeleteObject{};
        break;
      case 3:
        command.action = upload_of(id_of(++uploads_));
        break;
      case 4:
      case 5:
      case 6: {
        CommitPart part = part_of(id, 1 + draw.below(3), 'a');
        place(part, part.part, draw.below(100), draw);
        command.action = part;
        break;
      }
      case 7:
        if (draw.below(4) == 0)
          command.action = AbortUpload{id};
        else
          command.action = any_complete(id, draw);
        break;
      default:
        command.action = any_moves(draw);
    }
    return command;
  }

  // Mostly of parts that are there.
  CompleteUpload any_complete(const std::string& id, Draw& draw) {
    CompleteUpload complete;
    complete.upload_id = id;
    for (const auto& [number, part] : model_.uploads[id].parts)
      if (draw.below(4) != 0) complete.parts.push_back({number, part.etag, std::nullopt});
    if (draw.below(8) == 0) complete.parts.push_back({4, std::string(16, 'x'), std::nullopt});
    if (model_.uploads[id].key.empty()) model_.uploads.erase(id);
    return complete;
  }

  // Bodies that lie somewhere now, some of them with a stale `from`. Read from the folded view, as
  // the destager and compaction do.
  MoveBodies any_moves(Draw& draw) {
    MoveBodies moves;
    moves.reservation.set_incarnation(id_of(77));
    for (uint32_t set = 1; set <= 3; ++set) {
      const auto extents = view_.extents_of(SetId{set}, {}, 2).value();
      for (const LiveExtent& extent : extents) {
        v1::BodiesMoved_Move& move = moves.moves.emplace_back();
        move.set_bucket(extent.owner.bucket.value);
        move.set_key(extent.owner.key);
        move.set_version_id(extent.owner.version_id);
        move.set_upload_id(extent.owner.upload_id);
        move.set_part_number(extent.owner.part_number);
        *move.mutable_from() = *view_.body_of(extent.owner).value();
        if (draw.below(5) == 0) move.mutable_from()->mutable_extents(0)->set_offset(1);
        *move.mutable_to() = fresh_body(50, draw);
      }
    }
    return moves;
  }

  void check_refusal(const Command& command, const Result<Decision>& decision) {
    if (const auto* put = std::get_if<CommitPut>(&command.action)) {
      const bool refused = put->conditions.if_none_match_any && model_.objects.count(command.key);
      RC_ASSERT(decision.has_value() != refused);
    }
    if (const auto* part = std::get_if<CommitPart>(&command.action)) {
      auto upload = model_.uploads.find(part->upload_id);
      const bool open = upload != model_.uploads.end() && upload->second.key == command.key;
      RC_ASSERT(decision.has_value() == open);
    }
    if (std::holds_alternative<DeleteObject>(command.action) ||
        std::holds_alternative<MoveBodies>(command.action))
      RC_ASSERT(decision.has_value());
  }

  void apply_to_model(const Command& command) {
    if (const auto* put = std::get_if<CommitPut>(&command.action)) {
      model_.objects[command.key] = {put->version.size_bytes(), put->version.etag()};
    } else if (std::holds_alternative<DeleteObject>(command.action)) {
      model_.objects.erase(command.key);
    } else if (const auto* create = std::get_if<CreateUpload>(&command.action)) {
      model_.uploads[create->upload.upload_id()].key = command.key;
    } else if (const auto* part = std::get_if<CommitPart>(&command.action)) {
      model_.uploads[part->upload_id].parts[part->part.number()] = {part->part.size_bytes(),
                                                                    part->part.etag()};
    } else if (const auto* abort = std::get_if<AbortUpload>(&command.action)) {
      model_.uploads.erase(abort->upload_id);
    } else if (const auto* complete = std::get_if<CompleteUpload>(&command.action)) {
      Model::Object object{0, ""};
      for (const auto& listed : complete->parts)
        object.size_bytes += model_.uploads[complete->upload_id].parts[listed.number].size_bytes;
      model_.objects[command.key] = object;  // The ETag has tests of its own.
      model_.uploads.erase(complete->upload_id);
    }
  }

  void check_model() {
    const ListPage page = view_.list({kB, "", "", "", 1000}).value();
    RC_ASSERT(page.objects.size() == model_.objects.size());
    BucketCounters expected;
    for (const ListEntry& entry : page.objects) {
      const Model::Object& object = model_.objects.at(entry.key);
      RC_ASSERT(entry.version.size_bytes() == object.size_bytes);
      if (!object.etag.empty()) RC_ASSERT(entry.version.etag() == object.etag);
      expected.bytes += object.size_bytes;
    }
    expected.objects = expected.versions = page.objects.size();
    const BucketCounters counters = view_.counters(kB).value();
    RC_ASSERT(counters.objects == expected.objects);
    RC_ASSERT(counters.versions == expected.versions);
    RC_ASSERT(counters.bytes == expected.bytes);
    const UploadPage uploads = view_.list_uploads({kB}).value();
    RC_ASSERT(uploads.uploads.size() == model_.uploads.size());
    RC_ASSERT(counters.uploads == model_.uploads.size());
    for (const UploadEntry& entry : uploads.uploads) {
      const Model::Upload& upload = model_.uploads.at(entry.upload.upload_id());
      const PartPage parts = view_.parts(entry.upload.upload_id(), 0, 100).value();
      RC_ASSERT(entry.key == upload.key);
      RC_ASSERT(parts.parts.size() == upload.parts.size());
      for (const v1::Part& part : parts.parts)
        RC_ASSERT(part.etag() == upload.parts.at(part.number()).etag);
    }
  }

  // Extents and live bytes against the bodies themselves.
  void check_recount(const std::map<std::string, std::string>& rows) {
    std::map<std::string, uint64_t> extents;
    std::map<uint32_t, uint64_t> live;
    auto count = [&](const v1::Body& body) {
      for (const v1::Extent& e : body.extents()) {
        extents[row::extent_key(SetId{e.set()}, e.offset(), e.member())] = e.stored_bytes();
        live[e.set()] += e.stored_bytes();
      }
    };
    size_t extent_rows = 0;
    for (const auto& [key, value] : rows) {
      v1::ObjectVersion version;
      v1::Part part;
      if (key[0] == row::kCurrent && version.ParseFromString(value)) count(version.body());
      if (key[0] == row::kPart && part.ParseFromString(value)) count(part.body());
      extent_rows += key[0] == row::kExtent;
    }
    RC_ASSERT(extents.size() == extent_rows);
    for (uint32_t set = 1; set <= 3; ++set) {
      RC_ASSERT(view_.live_bytes(SetId{set}).value() == live[set]);
      const auto found = view_.extents_of(SetId{set}, {}, 10000).value();
      for (const LiveExtent& extent : found) {
        const std::string key = row::extent_key(SetId{set}, extent.offset_bytes, extent.member);
        RC_ASSERT(extents.at(key) == extent.stored_bytes);
        // Its owner names it.
        const v1::Body body = *view_.body_of(extent.owner).value();
        bool named = false;
        for (const v1::Extent& e : body.extents())
          named = named || (e.set() == set && e.offset() == extent.offset_bytes);
        RC_ASSERT(named);
      }
    }
  }

  void check_requests() {
    KvRows rows(kv_);
    const RequestTable table = RequestTable::load(rows, kP).value();
    size_t kept = 0;
    for (const Logged& logged : log_) {
      if (logged.record.request_id.is_nil()) continue;
      ++kept;
      const RequestEntry* entry = table.find(logged.record.request_id);
      RC_ASSERT(entry != nullptr);
      RC_ASSERT(entry->outcome.offset == logged.offset);
    }
    RC_ASSERT(table.size() == kept);
  }

  MemoryKv kv_;
  MetadataView view_{kv_};
  KvRows below_{kv_};
  Overlay overlay_{below_};
  std::vector<Logged> log_;       // Folded.
  std::deque<Logged> under_way_;  // On the overlay only.
  std::deque<Outcome> outcomes_;  // Of those under way, as decided.
  uint64_t tag_ = 0, retired_ = 0;
  uint64_t next_offset_ = 1024, next_extent_ = 0;
  uint32_t requests_ = 0, uploads_ = 0;
  int64_t now_ms_ = 0;
  Model model_;
};

TEST(History, DecisionsFoldsAndRebuildsAgree) {
  ASSERT_TRUE(rc::check([] {
    const auto script = *rc::gen::container<std::vector<uint32_t>>(*rc::gen::inRange(0, 150),
                                                                   rc::gen::inRange(0u, 1u << 30));
    History history;
    for (uint32_t number : script) {
      history.step(number);
      history.check();
    }
    history.check_folded();
  }));
}

}  // namespace
}  // namespace kura
