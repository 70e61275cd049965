#include "s3/http/connection.h"

#include <algorithm>

#include "base/limits.h"

namespace kura::s3 {
namespace {

// At least so much passes in each silence. With room for a head, so that no small rest of a chunk
// is sent by itself.
constexpr size_t kWriteSliceBytes = kBodyChunkBytes + kHttpHeadBytesMax;

}  // namespace

Connection::Connection(std::unique_ptr<Stream> stream)
    : stream_(std::move(stream)), loop_(*Loop::current()) {}

Connection::~Connection() {
  if (timer_ != 0) loop_.timer().cancel(timer_);
}

void Connection::set_deadline(int64_t delay_ns, Ends ends) {
  ends_ = ends;
  deadline_ns_ = loop_.clock().monotonic_ns() + delay_ns;
  if (timer_ != 0 && timer_at_ns_ <= deadline_ns_) return;
  if (timer_ != 0) loop_.timer().cancel(timer_);
  arm(delay_ns);
}

void Connection::arm(int64_t delay_ns) {
  timer_at_ns_ = loop_.clock().monotonic_ns() + delay_ns;
  timer_ = loop_.timer().after(delay_ns, [this] { on_timer(); });
}

void Connection::on_timer() {
  timer_ = 0;
  if (deadline_ns_ == 0) return;
  const int64_t left_ns = deadline_ns_ - loop_.clock().monotonic_ns();
  if (left_ns > 0) return arm(left_ns);
  timed_out_ = true;
  deadline_ns_ = 0;
  if (ends_ == Ends::reading)
    stream_->stop_reading();
  else
    stream_->close();
}

std::string Connection::take_ahead() {
  if (used_ > 0) ahead_.erase(0, used_);
  used_ = 0;
  return std::exchange(ahead_, {});
}

void Connection::put_back(std::string_view bytes) {
  ahead_ = bytes;
  used_ = 0;
}

Task<size_t> Connection::read(char* out, size_t size_bytes) {
  const Result<size_t> size = co_await stream_->read_some(out, size_bytes);
  bytes_in_ += size.value_or(0);
  co_return size.value_or(0);
}

Task<void> Connection::drop(uint64_t size_bytes, size_t piece_bytes) {
  std::string dropped(piece_bytes, '\0');
  for (uint64_t read_bytes = 0; read_bytes < size_bytes;) {
    const size_t more = co_await read(dropped.data(), dropped.size());
    if (more == 0) co_return;
    read_bytes += more;
  }
}

Task<bool> Connection::fill(size_t size_bytes) {
  if (fill_bytes_ < size_bytes) {
    fill_ = std::make_unique_for_overwrite<char[]>(size_bytes);
    fill_bytes_ = size_bytes;
  }
  const size_t more = co_await read(fill_.get(), size_bytes);
  ahead_.erase(0, used_);
  used_ = 0;
  ahead_.append(fill_.get(), more);
  co_return more > 0;
}

Task<bool> Connection::write(std::vector<std::string_view> pieces, int64_t silence_ns) {
  size_t total_bytes = 0;
  for (std::string_view piece : pieces) total_bytes += piece.size();
  if (total_bytes <= kWriteSliceBytes)
    co_return co_await write_slice(std::move(pieces), total_bytes, silence_ns);
  size_t next = 0;
  while (next < pieces.size()) {
    std::vector<std::string_view> slice;
    size_t room = kWriteSliceBytes;
    while (next < pieces.size() && room > 0) {
      std::string_view& piece = pieces[next];
      slice.push_back(piece.substr(0, room));
      piece.remove_prefix(slice.back().size());
      room -= slice.back().size();
      if (piece.empty()) ++next;
    }
    if (!co_await write_slice(std::move(slice), kWriteSliceBytes - room, silence_ns))
      co_return false;
  }
  co_return true;
}

Task<bool> Connection::write_slice(std::vector<std::string_view> slice, size_t size_bytes,
                                   int64_t silence_ns) {
  set_deadline(silence_ns);
  const Result<void> written = co_await stream_->write(std::move(slice));
  clear_deadline();
  if (!written) co_return false;
  bytes_out_ += size_bytes;
  co_return true;
}

}  // namespace kura::s3
