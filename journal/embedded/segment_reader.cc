#include "journal/embedded/segment_reader.h"

#include <algorithm>

namespace kura::journal {

Task<void> SegmentReader::load(uint64_t at, uint64_t length) {
  if (covers(at, length) || is_lost(*mirror_)) co_return;
  const uint64_t end = std::min(at + kWindowBytes, file_bytes_);
  Result<std::string> got = co_await file_->read(at, end - at);
  if (got && got->size() == end - at) {
    window_at_ = at;
    window_ = std::move(*got);
    co_return;
  }
  if (is_lost(*mirror_)) {
    mirror_->fail(got ? Error{Errc::io_error, "short read"} : got.error());
    co_return;
  }
  co_await load_piecewise(at, end);
}

Task<void> SegmentReader::load_piecewise(uint64_t at, uint64_t end) {
  constexpr uint64_t kPieceBytes = 4096;
  window_at_ = at;
  window_.clear();
  bool any = false;
  Error last{Errc::io_error, "short read"};
  for (uint64_t pos = at; pos < end; pos += kPieceBytes) {
    const uint64_t length = std::min(kPieceBytes, end - pos);
    Result<std::string> piece = co_await file_->read(pos, length);
    any = any || piece.has_value();
    if (!piece) last = piece.error();
    std::string bytes = piece ? std::move(*piece) : std::string();
    bytes.resize(length, '\0');
    window_ += bytes;
  }
  if (!any) mirror_->fail(last);
}

}  // namespace kura::journal
