// ModelNode: a small S3 in memory behind the SimNode interface, right by default and wrong on
// demand. It shows that the workload runs, that right answers pass, and that the checkers find what
// is wrong.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "sim/run.h"
#include "sim/s3_client.h"

namespace kura::sim {

// Names of planted faults of the model.
inline constexpr const char* kModelFaults[] = {
    "ack-before-sync",  // A crash takes back the last acknowledged writes.
    "stale-read",       // A GET now and then shows what was there before.
    "two-winners",      // If-None-Match is judged before the write takes place.
    "no-request-ids",   // A late copy of a retried PUT takes place again.
    "skip-in-listing",  // A page now and then begins one key too late.
    "wrong-bytes",      // One bit of a body.
    "wrong-counters",   // A removal is not counted.
    "half-upload",      // A completed upload has only its last part.
};

class ModelNode final : public SimNode {
 public:
  explicit ModelNode(NodeParts parts);
  ~ModelNode() override;

  void start() override;
  void crash(Unsynced policy) override;
  void lose_view() override {}  // It has none.
  bool stop() override;
  bool running() const override { return loop_ != nullptr; }
  void set_paused(bool paused) override {
    if (running()) loop_->set_paused(paused);
  }
  void step_wall(int64_t by_ms) override { clock_.step_wall(by_ms); }
  std::string failure() const override { return {}; }
  std::optional<uint64_t> reservations() override { return 0; }
  std::optional<CountedBucket> count(const std::string& bucket) override;

 private:
  struct Object {
    std::string body, etag, value;
  };
  struct Upload {
    std::string key, value;
    std::map<int, Object> parts;
  };
  struct Bucket {
    std::map<std::string, Object> objects;
    std::map<std::string, Upload> uploads;
    int64_t counted = 0;
  };
  struct Reply {
    int status = 200;
    std::string headers, body;
  };
  struct State {
    std::map<std::string, Bucket> buckets;
    std::map<std::string, Reply> done;  // By amz-sdk-invocation-id: changes that took place.
    uint64_t uploads = 0;
  };

  struct Call {
    std::string method, bucket, key, body;
    std::map<std::string, std::string> headers, query;
    bool has(const std::string& name) const { return query.contains(name); }
    std::string get(const std::string& name) const {
      auto it = query.find(name);
      return it == query.end() ? std::string() : it->second;
    }
    std::string header(const std::string& name) const {
      auto it = headers.find(name);
      return it == headers.end() ? std::string() : it->second;
    }
  };

  Task<void> accept_all();
  Task<void> serve(std::unique_ptr<Stream> stream);
  Task<bool> receive(Stream* stream, std::string* buffer, Call* call);
  Reply apply(const Call& call);
  Reply object_call(const Call& call, Bucket& bucket);
  Reply upload_call(const Call& call, Bucket& bucket);
  Reply list(const Call& call, const Bucket& bucket);
  void store(Bucket& bucket, const std::string& key, Object object);
  void sync_soon();
  bool planted(const char* fault) const { return parts_.planted == fault; }

  NodeParts parts_;
  SimRandom random_;
  SimClock clock_;
  std::unique_ptr<SimLoop> loop_;
  std::vector<std::unique_ptr<SimLoop>> dead_;
  std::unique_ptr<Acceptor> acceptor_;
  HostId host_ = 0;
  State state_, synced_;
  std::map<std::string, Object> before_;  // By "bucket/key": what a stale read shows.
};

std::unique_ptr<SimNode> make_model_node(NodeParts parts);

}  // namespace kura::sim
