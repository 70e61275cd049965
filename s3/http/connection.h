// Connection: a stream with what was read ahead, byte counts, and one deadline that closes it.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "base/stream.h"

namespace kura::s3 {

// On one loop, whose timer it uses.
class Connection {
 public:
  explicit Connection(std::unique_ptr<Stream> stream);
  ~Connection();
  Connection(const Connection&) = delete;

  // What a deadline ends: everything, or reading alone, so that the peer can be told.
  enum class Ends : uint8_t { all, reading };
  // Fails what waits on the stream, in `delay_ns` unless it is set again or cleared.
  void set_deadline(int64_t delay_ns, Ends ends = Ends::all);
  void clear_deadline() { deadline_ns_ = 0; }
  bool timed_out() const { return timed_out_; }

  // What was read and not used yet. Valid until the next call that is not const.
  std::string_view ahead() const { return std::string_view(ahead_).substr(used_); }
  void use(size_t size_bytes) { used_ += size_bytes; }
  std::string take_ahead();
  void put_back(std::string_view bytes);  // REQUIRES: ahead() is empty.

  // At most `size_bytes` from the stream, past what was read ahead; 0 when the peer has sent
  // everything, is gone, or was too late.
  Task<size_t> read(char* out, size_t size_bytes);
  // Reads until the peer has sent everything or `size_bytes`, `piece_bytes` at a time.
  Task<void> drop(uint64_t size_bytes, size_t piece_bytes);
  // Reads more into ahead(); false as above.
  Task<bool> fill(size_t size_bytes);
  // False: the peer is gone, or did not read for `silence_ns`. The pieces must live until then.
  Task<bool> write(std::vector<std::string_view> pieces, int64_t silence_ns);
  void close() { stream_->close(); }

  Stream& stream() { return *stream_; }
  // Taken from the stream and used: what lies ahead belongs to a request that is still to come.
  uint64_t bytes_in() const { return bytes_in_ - ahead().size(); }
  uint64_t bytes_out() const { return bytes_out_; }

 private:
  Task<bool> write_slice(std::vector<std::string_view> slice, size_t size_bytes,
                         int64_t silence_ns);
  void arm(int64_t delay_ns);
  void on_timer();

  std::unique_ptr<Stream> stream_;
  Loop& loop_;
  std::string ahead_;
  size_t used_ = 0;  // Of ahead_.
  // Where fill() reads to: a string of that size would be filled with zeros for each request.
  std::unique_ptr<char[]> fill_;
  size_t fill_bytes_ = 0;
  // The timer is armed rarely and only looks at the deadline, which moves with every request.
  int64_t deadline_ns_ = 0;  // 0: none.
  Ends ends_ = Ends::all;
  Timer::Id timer_ = 0;
  int64_t timer_at_ns_ = 0;
  bool timed_out_ = false;
  uint64_t bytes_in_ = 0, bytes_out_ = 0;
};

}  // namespace kura::s3
