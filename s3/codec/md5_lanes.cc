// Many digests at a time: a lane goes on with the next digest when one has no whole block left.

#include <algorithm>

#include "s3/codec/md5.h"
#include "s3/codec/md5_blocks.h"

namespace kura::s3 {
namespace {

// A batch costs the same however many lanes are filled: as much as two to three digests alone.
constexpr size_t kLanesWorthwhile = 3;

}  // namespace

class Md5Lanes {
 public:
  Md5Lanes(const Md5Kernel& kernel, std::span<const Md5Update> updates)
      : kernel_(kernel), next_(updates.begin()), end_(updates.end()) {}

  void run() {
    for (;;) {
      while (used_ < kernel_.lanes && next_ != end_) fill(*next_++);
      if (used_ < kLanesWorthwhile) break;
      advance();
    }
    for (size_t l = 0; l < used_; ++l) {
      store(l);
      lanes_[l].digest->update(lanes_[l].bytes);
    }
  }

 private:
  // Takes a lane, unless there is no whole block.
  void fill(const Md5Update& update) {
    const std::string_view bytes = update.digest->complete_block(update.bytes);
    if (bytes.size() < Md5::kBlockBytes) return update.digest->keep_rest(bytes);
    for (int w = 0; w < 4; ++w) states_.word[w][used_] = update.digest->state_[w];
    lanes_[used_++] = {update.digest, bytes};
  }

  // All lanes, by as many blocks as the shortest has.
  void advance() {
    size_t blocks = SIZE_MAX;
    const char* at[kMd5LanesMax];
    for (size_t l = 0; l < used_; ++l) {
      blocks = std::min(blocks, lanes_[l].bytes.size() / Md5::kBlockBytes);
      at[l] = lanes_[l].bytes.data();
    }
    for (size_t l = used_; l < kernel_.lanes; ++l) at[l] = at[0];  // What it makes is not read.
    kernel_.blocks(&states_, at, blocks);
    for (size_t l = 0; l < used_; ++l) {
      lanes_[l].bytes.remove_prefix(blocks * Md5::kBlockBytes);
      lanes_[l].digest->size_bytes_ += blocks * Md5::kBlockBytes;
    }
    for (size_t l = 0; l < used_;) {
      if (lanes_[l].bytes.size() >= Md5::kBlockBytes) {
        ++l;
        continue;
      }
      store(l);
      lanes_[l].digest->keep_rest(lanes_[l].bytes);
      --used_;
      lanes_[l] = lanes_[used_];
      for (auto& word : states_.word) word[l] = word[used_];
    }
  }

  void store(size_t lane) {
    for (int w = 0; w < 4; ++w) lanes_[lane].digest->state_[w] = states_.word[w][lane];
  }

  const Md5Kernel& kernel_;
  std::span<const Md5Update>::iterator next_, end_;
  size_t used_ = 0;
  Md5Update lanes_[kMd5LanesMax];
  Md5LaneStates states_{};
};

const Md5Kernel* md5_kernel() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return &kMd5Avx512;
  if (__builtin_cpu_supports("avx2")) return &kMd5Avx2;
#endif
  return nullptr;
}

void md5_update_in_lanes(std::span<const Md5Update> updates, const Md5Kernel& kernel) {
  Md5Lanes(kernel, updates).run();
}

size_t md5_lanes() {
  static const Md5Kernel* const kernel = md5_kernel();
  return kernel ? kernel->lanes : 1;
}

void md5_update_all(std::span<const Md5Update> updates) {
  static const Md5Kernel* const kernel = md5_kernel();
  if (kernel != nullptr && updates.size() >= kLanesWorthwhile)
    return md5_update_in_lanes(updates, *kernel);
  for (const Md5Update& update : updates) update.digest->update(update.bytes);
}

}  // namespace kura::s3
