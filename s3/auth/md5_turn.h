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
  // As Md5::update(), at the end of this turn or of one of the next few; pieces of a long body wait
  // longer for those of others, half of the time that the body takes from piece to piece and 20
  // ms at most; not for a while after they waited for nobody. `bytes` must live until then.
  Task<void> update(std::string_view bytes);
  std::string finish();  // The 16 raw bytes. Once.

 private:
  struct LongBodies;  // What those of a loop that have several long pieces share.
  int64_t patience_ns(std::string_view bytes, int64_t now_ns);

  Md5 digest_;
  int64_t updated_ns_ = 0;                 // When its last long piece was hashed.
  std::shared_ptr<LongBodies> long_ones_;  // Null: not one of them.
};

}  // namespace kura::s3
