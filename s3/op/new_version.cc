#include "s3/op/new_version.h"

#include <utility>

namespace kura::s3 {

CommitPut make_put(v1::ObjectInfo info, WrittenBody written, const VerifiedBody& bytes) {
  CommitPut put;
  *info.mutable_envelope() = std::move(written.envelope);
  put.version.set_size_bytes(written.size_bytes);
  put.version.set_stored_bytes(written.stored_bytes);
  put.version.set_etag(bytes.md5());
  *put.version.mutable_info() = std::move(info);
  if (bytes.checksum().algorithm() != v1::Checksum::NONE) {
    *put.version.mutable_checksum() = bytes.checksum();
  }
  *put.version.mutable_body() = std::move(written.body);
  put.inline_body = std::move(written.inline_body);
  put.reservation = std::move(written.reservation);
  return put;
}

CommitPart make_part(std::string upload_id, uint32_t number, WrittenBody written,
                     const VerifiedBody& bytes) {
  CommitPart commit;
  commit.upload_id = std::move(upload_id);
  commit.part.set_number(number);
  commit.part.set_size_bytes(written.size_bytes);
  commit.part.set_stored_bytes(written.stored_bytes);
  commit.part.set_etag(bytes.md5());
  if (bytes.checksum().algorithm() != v1::Checksum::NONE) {
    *commit.part.mutable_checksum() = bytes.checksum();
  }
  *commit.part.mutable_body() = std::move(written.body);
  *commit.part.mutable_envelope() = std::move(written.envelope);
  commit.inline_body = std::move(written.inline_body);
  commit.reservation = std::move(written.reservation);
  return commit;
}

}  // namespace kura::s3
