#include "s3/op/body_writer.h"

#include <memory>
#include <utility>

#include "base/limits.h"
#include "s3/op/transform.h"

namespace kura::s3 {
namespace {

S3Error too_large(uint64_t size_bytes, uint64_t size_bytes_max) {
  S3Error error = s3_error("EntityTooLarge");
  error.details.emplace_back("ProposedSize", std::to_string(size_bytes));
  error.details.emplace_back("MaxSizeAllowed", std::to_string(size_bytes_max));
  return error;
}

}  // namespace

Task<S3Result<WrittenBody>> write_body(BlobStore& blobs, v1::Envelope::Transform transform,
                                       v1::StorageClass storage_class, uint64_t size_bytes_max,
                                       BodySource& source) {
  uint64_t declared_bytes = source.length_bytes().value_or(0);
  if (declared_bytes > size_bytes_max) co_return s3_fail(too_large(declared_bytes, size_bytes_max));

  Encoder encoder(transform);
  WrittenBody written;
  written.envelope.set_transform(transform);
  std::string stored;  // Waits to be written, or for the decision that the body is inline.
  std::unique_ptr<BlobWriter> writer;
  while (true) {
    S3Result<std::string> chunk = co_await source.next();
    if (!chunk) co_return s3_fail(std::move(chunk.error()));
    bool end = chunk->empty();
    written.size_bytes += chunk->size();
    if (written.size_bytes > size_bytes_max) {
      co_return s3_fail(too_large(written.size_bytes, size_bytes_max));
    }
    std::string encoded;
    if (end)
      encoded = encoder.finish();
    else
      encoded = encoder.feed(std::move(*chunk));
    if (stored.empty())
      stored = std::move(encoded);
    else
      stored += encoded;
    if (!writer && std::max(written.size_bytes, declared_bytes) > kInlineBodyMax) {
      uint64_t hint = declared_bytes == 0 ? 0 : stored_bytes(transform, declared_bytes);
      Result<std::unique_ptr<BlobWriter>> opened = co_await blobs.write(storage_class, hint);
      if (!opened) co_return s3_fail(opened.error());
      writer = std::move(*opened);
    }
    if (writer && !stored.empty()) {
      written.stored_bytes += stored.size();
      std::string piece = std::exchange(stored, {});
      Result<void> taken = co_await writer->append(std::move(piece));
      if (!taken) co_return s3_fail(taken.error());
    }
    if (end) break;
  }
  if (!writer) {
    written.stored_bytes = stored.size();
    written.inline_body = std::move(stored);
    co_return written;
  }
  Result<v1::Body> body = co_await writer->finish();
  if (!body) co_return s3_fail(body.error());
  written.body = std::move(*body);
  written.reservation = writer->reservation();
  co_return written;
}

}  // namespace kura::s3
