#include "bench/load/workload.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <map>

namespace kura::bench {
namespace {

const std::map<std::string, std::vector<Mix>>& mixes() {
  static const std::map<std::string, std::vector<Mix>> table = {
      {"make-bucket", {{Operation::make_bucket, 100}}},
      {"put", {{Operation::put, 100}}},
      {"get", {{Operation::get, 100}}},
      {"stat", {{Operation::stat, 100}}},
      {"delete", {{Operation::del, 100}}},
      {"list", {{Operation::list, 100}}},
      // The shares of warp's mixed benchmark.
      {"mixed",
       {{Operation::get, 45}, {Operation::stat, 30}, {Operation::put, 15}, {Operation::del, 10}}}};
  return table;
}

// One-to-one on 64 bits (the finalizer of SplitMix64).
uint64_t scramble(uint64_t n) {
  n += 0x9e3779b97f4a7c15;
  n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9;
  n = (n ^ (n >> 27)) * 0x94d049bb133111eb;
  return n ^ (n >> 31);
}

std::string body_of(uint64_t size_bytes) {
  std::mt19937_64 random(size_bytes);
  std::string body(size_bytes, '\0');
  for (uint64_t at = 0; at < size_bytes; at += sizeof(uint64_t)) {
    const uint64_t word = random();
    std::memcpy(&body[at], &word, std::min<uint64_t>(sizeof word, size_bytes - at));
  }
  return body;
}

}  // namespace

std::optional<Workload> Workload::make(WorkloadOptions options) {
  auto it = mixes().find(options.operation);
  if (it == mixes().end()) return std::nullopt;
  return Workload(std::move(options), it->second);
}

Workload::Workload(WorkloadOptions options, std::vector<Mix> mix)
    : options_(std::move(options)),
      mix_(std::move(mix)),
      body_(body_of(options_.size_bytes)),
      random_(options_.first),
      next_(options_.first) {}

Operation Workload::choose() {
  uint64_t left = random_() % 100;
  for (const Mix& part : mix_) {
    if (left < part.share) {
      // A mix deletes only what it wrote, so the objects that it reads stay.
      const bool nothing =
          part.operation == Operation::del && mix_.size() > 1 && deletable_.empty();
      return nothing ? Operation::put : part.operation;
    }
    left -= part.share;
  }
  return mix_.back().operation;
}

std::string Workload::path(const std::string& prefix, uint64_t number) const {
  std::array<char, 20> name;
  std::snprintf(name.data(), name.size(), "%016llx",
                static_cast<unsigned long long>(scramble(number)));
  return "/" + options_.bucket + "/" + prefix + name.data();
}

Request Workload::next() {
  const Operation operation = choose();
  switch (operation) {
    case Operation::make_bucket:
      return {operation, 0, {"PUT", "/" + options_.bucket, "", 0}};
    case Operation::put: {
      const uint64_t number = next_++;
      // A mix writes beside the objects that it reads.
      const std::string prefix = mix_.size() > 1 ? options_.prefix + "new-" : options_.prefix;
      return {operation, number, {"PUT", path(prefix, number), "", body_.size()}};
    }
    case Operation::del: {
      if (mix_.size() == 1) {
        const uint64_t number = next_++;
        return {operation, number, {"DELETE", path(options_.prefix, number), "", {}}};
      }
      const uint64_t number = deletable_.front();
      deletable_.pop_front();
      return {operation, number, {"DELETE", path(options_.prefix + "new-", number), "", {}}};
    }
    case Operation::list: {
      std::string query = "list-type=2&max-keys=" + std::to_string(options_.list_keys);
      if (options_.list_anywhere)
        query +=
            "&start-after=" + path(options_.prefix, random_()).substr(options_.bucket.size() + 2);
      return {operation, 0, {"GET", "/" + options_.bucket, query, {}}};
    }
    case Operation::get:
    case Operation::stat:
      break;
  }
  const uint64_t number = random_() % options_.keys;
  const char* method = operation == Operation::get ? "GET" : "HEAD";
  return {operation, number, {method, path(options_.prefix, number), "", {}}};
}

void Workload::answered(const Request& request) {
  if (mix_.size() > 1 && request.operation == Operation::put) deletable_.push_back(request.number);
}

}  // namespace kura::bench
