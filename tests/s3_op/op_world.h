// A store in memory under the real rules (decide, fold, view), and requests made against it.
//
// What is not real is only what carries: journal, drives and actors. So these tests are about the
// operations and the rules together; tests/node runs them over sockets, drives and crashes.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/bucket/decide.h"
#include "actors/store.h"
#include "projections/kv/memory_kv.h"
#include "projections/metadata/fold.h"
#include "projections/metadata/request_table.h"
#include "s3/op/dispatcher.h"
#include "sim/sim_loop.h"
#include "sim/sim_world.h"

namespace kura::s3 {

// Lets something happen between two looks of one request.
class WatchedKv final : public MemoryKv {
 public:
  std::unique_ptr<KvIterator> iterate() override {
    if (auto happen = std::exchange(before_next_scan, {})) happen();
    return MemoryKv::iterate();
  }
  std::function<void()> before_next_scan;
};

// Inline bodies by the offset of their record.
class MemoryInlineBodies final : public journal::InlineBodies {
 public:
  Task<Result<std::string>> read_body(v1::JournalBody body) override;
  bool try_read_body(const v1::JournalBody&, std::string*) override { return false; }

  std::map<uint64_t, std::string> bodies;
};

// Each body is a set of its own, in one or more extents.
class MemoryBlobs final : public BlobStore {
 public:
  Task<Result<std::unique_ptr<BlobWriter>>> write(v1::StorageClass storage_class,
                                                  uint64_t size_hint_bytes) override;
  Result<std::unique_ptr<BlobReader>> read(const v1::Body& body, ByteRange range) override;
  void release(const v1::Reservation& reservation) override { active.erase(reservation.id()); }

  std::map<uint32_t, std::string> sets;  // Stored bytes by set.
  std::set<uint64_t> active;             // Reservations.
  uint64_t extent_bytes_max = 300'000;   // So that large bodies have several extents.
  uint64_t chunk_bytes_max = 100'000;    // What one next() of a reader gives at most.
  std::optional<Errc> fail_writes;
  int reads_that_moved = 0;                     // The next reads answer not_found, as after a move.
  std::optional<uint64_t> corrupt_after_bytes;  // Readers fail after that many bytes.

 private:
  friend class MemoryBlobWriter;
  uint32_t next_set_ = 1;
  uint64_t next_reservation_ = 1;
};

class MemoryTenants final : public Tenants {
 public:
  MemoryTenants(Kv& kv, Clock& clock);
  std::shared_ptr<const ControlState> state() const override { return state_; }
  Task<Result<Bucket>> create_bucket(std::string name, std::string owner,
                                     std::string region) override;
  Task<Result<void>> delete_bucket(std::string name) override;
  Task<Result<void>> create_key(AccessKey key) override;
  Task<Result<void>> disable_key(std::string access_key) override;

 private:
  void record(const v1::Event& event);
  // Folds an effect in every partition.
  void apply_to_partitions(const v1::BucketEffect& effect);

  Kv& kv_;
  Clock& clock_;
  std::shared_ptr<const ControlState> state_ = std::make_shared<ControlState>();
  uint64_t offset_ = 10;
};

// One decision after the other, each folded at once.
class MemoryWriter final : public BucketWriter {
 public:
  MemoryWriter(Kv& kv, MemoryInlineBodies& journal, Clock& clock)
      : kv_(kv), journal_(journal), clock_(clock) {}
  Task<Result<Outcome>> submit(Command command) override;

  uint64_t events = 0;
  uint64_t part_bytes_min = 100;
  std::optional<Errc> fail_submits;

 private:
  Kv& kv_;
  MemoryInlineBodies& journal_;
  Clock& clock_;
  uint64_t offset_ = 1'000'000;
};

// One pair of keys, whatever they may do.
class OneKey final : public KeyLookup {
 public:
  explicit OneKey(Identity who) : identity(std::move(who)) {}
  std::optional<KeyRecord> find(std::string_view access_key) const override {
    if (access_key != identity.access_key) return std::nullopt;
    return KeyRecord{"secret", identity};
  }
  Identity identity;
};

struct Sent {
  std::string method = "GET";
  std::string target;  // Path and query as on the wire: "/b/k?versionId=null".
  std::vector<Headers::Field> headers;
  std::string body;
  bool presigned = false;  // Else the signature is in a header.
  bool encrypted = false;  // Over TLS.
};

struct Got {
  int status = 0;
  std::string code;  // S3 error code.
  std::string operation;
  Headers headers;
  std::string body;
  uint64_t length_bytes = 0;  // content-length.
  bool cut = false;           // The body ended with an error.
  std::string header(std::string_view name) const { return std::string(headers.get(name)); }
  // Text of the first element of that name; "<none>" without one.
  std::string element(std::string_view name) const;
  std::vector<std::string> elements(std::string_view name) const;
};

class OpWorld {
 public:
  explicit OpWorld(uint64_t seed = 1);

  Got send(Sent request);
  Got send(std::string method, std::string target, std::string body = {},
           std::vector<Headers::Field> headers = {}) {
    return send(Sent{std::move(method), std::move(target), std::move(headers), std::move(body)});
  }
  // Several requests at the same time.
  std::vector<Got> send_all(std::vector<Sent> requests);

  sim::SimWorld world;
  sim::SimClock clock{world};
  sim::SimLoop loop{world, "edge", clock};
  sim::SimRandom random;
  WatchedKv kv;
  MetadataView view{kv};
  MemoryInlineBodies journal;
  MemoryBlobs blobs;
  MemoryTenants tenants{kv, clock};
  MemoryWriter writer{kv, journal, clock};
  Store store{writer, tenants, view, blobs, journal, clock, random};
  Settings settings;
  OneKey keys{{"AKIDROOT", true, true, ""}};
  Authenticator authenticator{keys, clock, {}};

 private:
  Task<void> run(Dispatcher& dispatcher, const Sent& request, Got* got);
};

// `bytes` of content that differ from place to place.
std::string content(uint64_t bytes, uint64_t seed = 7);

}  // namespace kura::s3
