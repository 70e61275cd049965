#include "node/server/server_loops.h"

#include <sys/resource.h>

#include <string>

namespace kura::node {
namespace {

constexpr int kScanNice = 10;

}  // namespace

ServerLoops::ServerLoops(Clock& clock, uint32_t io_threads)
    : log(clock), journal(clock), disk(clock), scan(clock) {
  for (uint32_t i = 0; i < io_threads; ++i) io_.push_back(std::make_unique<AsioLoop>(clock));
}

void ServerLoops::start() {
  log.start("log");
  scan.start("scan");
  // Passes wait while those who serve need the processor. In Linux it is this thread's priority
  // alone.
  scan.post([] { ::setpriority(PRIO_PROCESS, 0, kScanNice); });
  journal.start("journal");
  disk.start("disk");
  for (size_t i = 0; i < io_.size(); ++i) io_[i]->start("io" + std::to_string(i));
}

std::vector<AsioLoop*> ServerLoops::io() const {
  std::vector<AsioLoop*> loops;
  for (const auto& loop : io_) loops.push_back(loop.get());
  return loops;
}

}  // namespace kura::node
