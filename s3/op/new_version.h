// A version or part made of a written body and what is known about its bytes. Pure.

#pragma once

#include "actors/bucket/command.h"
#include "s3/http/message.h"
#include "s3/op/body_writer.h"

namespace kura::s3 {

// REQUIRES: `bytes`, the body that was written, has come to its good end.
CommitPut make_put(v1::ObjectInfo info, WrittenBody written, const VerifiedBody& bytes);
CommitPart make_part(std::string upload_id, uint32_t number, WrittenBody written,
                     const VerifiedBody& bytes);

}  // namespace kura::s3
