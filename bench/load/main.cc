// kura_load: loads an S3 server on this machine and prints one line of JSON. ./dev bench drives it.

#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench/load/run.h"

namespace {

using kura::bench::Outcome;

double percentile(std::vector<float>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))];
}

std::string text_of(Outcome& outcome) {
  std::vector<float>& latencies = outcome.latencies_us;
  std::sort(latencies.begin(), latencies.end());
  return nlohmann::json{
      {"operations", latencies.size()},       {"seconds", outcome.seconds},
      {"client_cpu_s", outcome.client_cpu_s}, {"puts", outcome.puts},
      {"put_bytes", outcome.put_bytes},       {"p50_us", percentile(latencies, 0.5)},
      {"p99_us", percentile(latencies, 0.99)}}
      .dump();
}

}  // namespace

int main(int argc, char** argv) {
  kura::bench::RunOptions run;
  kura::bench::WorkloadOptions work;
  std::string access_key, secret_key, save_body;
  CLI::App app("Loads an S3 server on 127.0.0.1.");
  app.add_option("operation", work.operation, "make-bucket|put|get|stat|delete|list|mixed")
      ->required();
  app.add_option("--port", run.port)->required();
  app.add_option("--access-key", access_key)->required();
  app.add_option("--secret-key", secret_key)->required();
  app.add_option("--bucket", work.bucket)->required();
  app.add_option("--prefix", work.prefix, "of every key");
  app.add_option("--first", work.first, "number of the first key that put or delete takes");
  app.add_option("--keys", work.keys, "get, stat and list: keys there are, numbered from 0");
  app.add_option("--size", work.size_bytes, "bytes of an object");
  app.add_option("--connections", run.connections, "each has one request in flight");
  app.add_option("--seconds", run.seconds, "no new request after so long");
  app.add_option("--count", run.count, "nor after so many");
  app.add_option("--rate", run.requests_per_s, "requests per second; else as fast as answers come");
  app.add_option("--save-body", save_body, "a file that gets the bytes of every object");
  app.add_flag("--list-anywhere", work.list_anywhere, "pages begin at random keys");
  CLI11_PARSE(app, argc, argv);
  if (run.seconds <= 0 && run.count == 0) run.count = 1;

  ::prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);  // A given rate is kept to the microsecond.

  auto workload = kura::bench::Workload::make(work);
  if (!workload) {
    std::fprintf(stderr, "kura_load: no operation '%s'\n", work.operation.c_str());
    return 2;
  }
  if (!save_body.empty() && !(std::ofstream(save_body, std::ios::binary) << workload->body())) {
    std::fprintf(stderr, "kura_load: cannot write %s\n", save_body.c_str());
    return 2;
  }
  kura::bench::Signer signer("127.0.0.1:" + std::to_string(run.port), access_key, secret_key);
  Outcome outcome = kura::bench::run(run, signer, *workload);
  if (!outcome.error.empty()) {
    std::fprintf(stderr, "kura_load: %s: %s\n", work.operation.c_str(), outcome.error.c_str());
    return 1;
  }
  std::puts(text_of(outcome).c_str());
  return 0;
}
