// SimClient: one client of a workload. Each function is one call of an SDK, retries included, and
// records what it saw.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/s3_client.h"
#include "sim/workload.h"

namespace kura::sim {

// The outcome of a call that was tried once or more.
struct Answer {
  S3Reply reply;             // Of the last attempt.
  bool doubtful = false;     // An attempt before it may have taken place, or may still.
  int64_t invoked_ns = 0;    // Of the first attempt.
  int64_t attempted_ns = 0;  // Of the last attempt: where a read took place at the earliest.
  int64_t returned_ns = 0;
  int attempts = 0;

  bool ok() const { return reply.ok(); }
  // The last attempt was refused, and it was the only one: nothing happened.
  bool refused() const { return reply.answered && reply.status < 500 && !reply.ok() && !doubtful; }
  bool is(int status, std::string_view code) const {
    return reply.answered && reply.status == status && (code.empty() || reply.code == code);
  }
};

class SimClient {
 public:
  SimClient(Shared& shared, uint32_t number);

  HostId host() const { return s3_.host(); }

  // One operation of the mix.
  Task<void> step();

  // Tries until the bucket is there.
  Task<void> ensure_bucket(std::string bucket);
  // `create`: only if it is not there.
  Task<void> put(std::string bucket, std::string key, bool create = false);
  Task<void> get(std::string bucket, std::string key);
  Task<void> head(std::string bucket, std::string key);
  Task<void> remove(std::string bucket, std::string key);
  Task<void> remove_many(std::string bucket);
  Task<void> copy(std::string bucket, std::string from, std::string to);
  Task<void> upload(std::string bucket, std::string key);
  // Returns what it listed: objects and their bytes.
  Task<CountedBucket> list(std::string bucket, bool plain);
  Task<uint64_t> count_uploads(std::string bucket);
  Task<void> create_bucket(std::string bucket);
  Task<void> delete_bucket(std::string bucket);
  Task<void> head_bucket(std::string bucket);

 private:
  struct Page;
  struct PartDone {
    std::string etag;
    Content::Piece content;
  };

  Task<Answer> perform(S3Request request);
  // Sends an acknowledged request again, as it was: it must not take place a second time.
  Task<void> repeat(S3Request request, std::string name);
  Task<void> side_bucket_step();
  // Removes a key, so that all clients race to create it.
  Task<void> start_race();
  Task<std::optional<PartDone>> put_part(std::string bucket, std::string key, std::string upload,
                                         uint32_t number, uint64_t size_bytes);
  Task<void> finish_upload(std::string bucket, std::string key, std::string upload, Value value,
                           std::vector<std::pair<uint32_t, PartDone>> parts);
  Task<void> abort_upload(std::string bucket, std::string key, std::string upload);
  // One page into `page`; false: it could not be read.
  Task<bool> list_page(std::string bucket, std::vector<std::pair<std::string, std::string>> query,
                       Page* page);
  void record_page(const std::string& bucket, const Page& page, const std::string& prefix,
                   const std::string& delimiter, const std::string& after);

  Operation operation(const Answer& answer, const std::string& what) const;
  void record_read(const std::string& name, const Answer& answer, const std::string& what,
                   Holds holds, Value operand);
  void record_write(const std::string& name, const Answer& answer, const std::string& what,
                    Holds holds, Value operand, Value written);
  // The bucket was there, or was not, at the time of the answer.
  void record_bucket(const std::string& bucket, const Answer& answer, const std::string& what);
  // Adds a condition drawn by chance to a write of `name`; returns what it demands.
  std::pair<Holds, Value> draw_condition(const std::string& name, S3Request* request,
                                         bool create = false);
  void record_conditional(const std::string& bucket, const std::string& name, const Answer& answer,
                          const std::string& what, std::pair<Holds, Value> demanded, Value written);
  // Judges a 200 or 206 of GET, or a 200 of HEAD; returns the value it names.
  std::optional<Value> judge_object(const std::string& name, const Answer& answer, bool has_body);
  void expect(bool allowed, const Answer& answer, const std::string& what, const std::string& name);

  Value new_value(const std::string& name, Content content, std::string etag);
  // The value of that name with that ETag, if there is exactly one.
  std::optional<Value> value_of(const std::string& name, const std::string& etag) const;
  uint64_t draw_size();
  std::string draw_key(const std::string& bucket);
  void draw_form(S3Request* request);
  void probe(const std::string& what) { ++shared_.probes[what]; }

  Shared& shared_;
  uint32_t number_;
  SimRandom random_;
  S3Client s3_;
  uint64_t calls_ = 0;
  std::map<std::string, Value> last_seen_;  // By register.
};

}  // namespace kura::sim
