// The MD5s that a loop wants at about the same time, hashed together: bodies of different requests
// fill the lanes of a vector register (s3/codec/md5.h).

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/loop.h"
#include "s3/codec/md5.h"

namespace kura::s3 {

// The MD5 of one body among those that a loop receives. Belongs to the loop.
class BodyMd5 {
 public:
  BodyMd5() = default;
  ~BodyMd5();
  BodyMd5(const BodyMd5&) = delete;
  // As Md5::update(), at the end of this turn or of one of the next few. Long pieces wait longer
  // for those of other bodies, while there are some: the first one of a body a quarter of the time
  // that bodies lately took from there to their end, 5 ms at most; the others half of the time that
  // the body takes from piece to piece, 20 ms at most; none for a while after one waited for
  // nobody. `bytes` must live until then.
  Task<void> update(std::string_view bytes);
  std::string finish();  // The 16 raw bytes. Once.

 private:
  struct LongBodies;  // What those of a loop that have long pieces share.
  int64_t patience_ns();

  Md5 digest_;
  std::shared_ptr<LongBodies> long_ones_;  // Null: not one of them.
  int64_t first_ns_ = 0, updated_ns_ = 0;  // When its first and last long piece were hashed,
  int64_t between_ns_ = 0;                 // and lately, from one to the coming of the next.
  bool finished_ = false;
};

}  // namespace kura::s3
