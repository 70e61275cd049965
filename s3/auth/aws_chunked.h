// AwsChunkedDecoder: takes the aws-chunked framing off a body and checks what it promises (S3 API,
// "Transferring Payload in Multiple Chunks", with and without trailers).
//
//   body    = *chunk last trailer CRLF
//   chunk   = size [";chunk-signature=" 64HEX] CRLF size*OCTET CRLF      size > 0
//   last    = "0" [";chunk-signature=" 64HEX] CRLF
//   trailer = *(name ":" value CRLF) ["x-amz-trailer-signature:" 64HEX CRLF]
//
// Pure: bytes in, bytes out, whatever their cut; memory is bounded by kChunkHeaderBytesMax.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "s3/auth/sigv4.h"
#include "s3/codec/checksum.h"
#include "s3/http/message.h"

namespace kura::s3 {

class AwsChunkedDecoder {
 public:
  struct Options {
    uint64_t decoded_bytes = 0;         // x-amz-decoded-content-length
    std::optional<ChunkSigner> signer;  // Signed chunks, from the seed on.
    bool trailer = false;               // A -TRAILER form.
    std::string trailer_name;           // x-amz-trailer, lower case; empty: none announced.
  };
  explicit AwsChunkedDecoder(Options options);

  // Replaces the framed bytes by the payload among them (which may be none). Payload is given out
  // before its chunk's signature was seen; a bad one is an error of a later call. Errors:
  // InvalidRequest (not the grammar), IncompleteBody (not decoded_bytes), SignatureDoesNotMatch,
  // MalformedTrailerError (a trailer that was not announced, or not sent).
  S3Result<void> decode(std::string* bytes);

  // Everything was there and right; further bytes are an error.
  bool done() const { return state_ == State::done; }
  const Headers& trailer() const { return trailer_; }

 private:
  enum class State : uint8_t { size_line, data, data_end, trailer_line, done };

  S3Result<void> take_line();
  S3Result<void> take_size(std::string_view line);
  S3Result<void> take_trailer_line(std::string_view line);
  S3Result<void> end_chunk();
  S3Result<void> end_trailer();
  S3Result<void> check_signature(std::string_view computed, std::string_view given) const;

  Options options_;
  State state_ = State::size_line;
  std::string line_;         // Up to its line feed.
  uint64_t chunk_left_ = 0;  // Bytes of the current chunk still to come.
  uint64_t decoded_ = 0;     // Announced by the size lines so far.
  bool last_ = false;
  std::unique_ptr<Digest> chunk_hash_;
  std::string chunk_signature_;
  std::string trailer_signature_;
  size_t trailer_bytes_ = 0;
  Headers trailer_;
};

}  // namespace kura::s3
