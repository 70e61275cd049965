// The MD5s that one turn of a loop wants, hashed together: bodies of different requests fill the
// lanes of a vector register (s3/codec/md5.h).

#pragma once

#include <string_view>

#include "base/loop.h"
#include "s3/codec/md5.h"

namespace kura::s3 {

// As digest.update(bytes), at the end of this turn or of one of the next few. Both must live until
// then.
Task<void> md5_update(Md5& digest, std::string_view bytes);

}  // namespace kura::s3
