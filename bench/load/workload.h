// Which request comes next. Pure: a function of the options and of what was answered.
//
// Objects are numbered; the name of number n is a scrambled n, so that neighbours in time are not
// neighbours in any index, and a later run finds the objects of an earlier one by their numbers.

#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>

#include "bench/load/signer.h"

namespace kura::bench {

enum class Operation { make_bucket, put, get, stat, del, list };

struct Mix {
  Operation operation;
  uint32_t share;  // Of 100.
};

struct WorkloadOptions {
  std::string operation;  // make-bucket, put, get, stat, delete, list, mixed.
  std::string bucket;
  std::string prefix;
  uint64_t first = 0;          // put and delete take first, first + 1, ...
  uint64_t keys = 1;           // get, stat and list choose below.
  uint64_t size_bytes = 4096;  // Of a PUT's body and of what GET has to give.
  uint32_t list_keys = 1000;   // Of a page.
  bool list_anywhere = false;  // Pages begin at a random key, not at the first.
};

struct Request {
  Operation operation;
  uint64_t number;
  Target target;
};

class Workload {
 public:
  // Nothing for an unknown operation.
  static std::optional<Workload> make(WorkloadOptions options);

  Request next();
  void answered(const Request& request);

  // What every PUT sends: the same pseudo-random bytes for a size, in every process.
  const std::string& body() const { return body_; }
  const WorkloadOptions& options() const { return options_; }

 private:
  Workload(WorkloadOptions options, std::vector<Mix> mix);
  Operation choose();
  std::string path(const std::string& prefix, uint64_t number) const;

  WorkloadOptions options_;
  std::vector<Mix> mix_;
  std::string body_;
  std::mt19937_64 random_;
  uint64_t next_;
  std::deque<uint64_t> deletable_;  // Written by this run and not deleted yet.
};

}  // namespace kura::bench
