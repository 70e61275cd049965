// AwsChunkedDecoder: takes the aws-chunked coding off a body and checks its signatures (S3 API,
// "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks").
//
// Pure: bytes in, decoded bytes out, in pieces of any size. Decoded bytes are handed on before the
// signature of their chunk is checked, so nothing may be committed before done().
//
//   body    = *(size [";chunk-signature=" sig] CRLF data CRLF) "0" [...] CRLF *(trailer CRLF) CRLF

#pragma once

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
  // `signer`: every chunk is signed. `with_trailer`: fields may follow the last chunk.
  AwsChunkedDecoder(std::optional<ChunkSigner> signer, bool with_trailer);

  // Decoded bytes of `bytes`. Errors: SignatureDoesNotMatch, InvalidChunkSizeError (grammar),
  // MalformedTrailerError; all of them final.
  S3Result<std::string> feed(std::string_view bytes);
  bool done() const { return state_ == State::done; }
  const Headers& trailer() const { return trailer_; }

 private:
  enum class State { size_line, data, data_end, trailer, done };

  S3Result<bool> take_line(std::string_view& bytes);
  S3Result<void> begin_chunk();
  S3Result<void> end_chunk();
  S3Result<void> trailer_line();
  S3Result<void> end_trailer();

  std::optional<ChunkSigner> signer_;
  const bool with_trailer_;
  State state_ = State::size_line;
  std::string line_;  // Of the line that is being read, without CRLF once complete.
  uint64_t left_ = 0;  // Of the chunk's data.
  std::string signature_;
  std::unique_ptr<Digest> digest_;
  Headers trailer_;
  std::string signed_trailer_;
  std::string trailer_signature_;
};

}  // namespace kura::s3
