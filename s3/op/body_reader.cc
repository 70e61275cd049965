#include "s3/op/body_reader.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "s3/op/transform.h"

namespace kura::s3 {
namespace {

// The part of a piece that is asked for.
struct OpenPiece {
  std::unique_ptr<BlobReader> reader;  // Null for an inline body: all of it is in `bytes`.
  std::string bytes;
  Decoder decoder;
};

// Plain bytes of piece after piece.
class Sequence {
 public:
  Sequence(std::vector<OpenPiece> pieces, uint64_t length_bytes)
      : pieces_(std::move(pieces)), left_bytes_(length_bytes) {}

  // Empty when all of the range was given.
  Task<Result<std::string>> next() {
    while (at_ < pieces_.size()) {
      OpenPiece& piece = pieces_[at_];
      std::string stored = std::exchange(piece.bytes, {});
      if (piece.reader) {
        Result<std::string> chunk = co_await piece.reader->next();
        if (!chunk) co_return fail(chunk.error());
        stored = std::move(*chunk);
      }
      if (stored.empty()) {
        if (auto complete = piece.decoder.finish(); !complete) co_return fail(complete.error());
        piece.reader.reset();
        ++at_;
        continue;
      }
      Result<std::string> plain = piece.decoder.feed(std::move(stored));
      if (!plain) co_return fail(plain.error());
      if (plain->empty()) continue;
      if (plain->size() > left_bytes_) co_return fail(Errc::corrupt, "a body is too long");
      left_bytes_ -= plain->size();
      co_return std::move(*plain);
    }
    if (left_bytes_ > 0) co_return fail(Errc::corrupt, "a body is too short");
    co_return std::string();
  }

 private:
  std::vector<OpenPiece> pieces_;
  size_t at_ = 0;
  uint64_t left_bytes_;
};

// All of a range that came in one chunk.
class OneChunk : public ResponseBody {
 public:
  explicit OneChunk(std::string chunk) : chunk_(std::move(chunk)) {}
  Task<Result<std::string>> next() override { co_return std::exchange(chunk_, {}); }

 private:
  std::string chunk_;
};

// The reading may outlive the body: a client can go away while the drives are asked.
struct Ahead {
  explicit Ahead(Sequence s) : sequence(std::move(s)) {}
  Sequence sequence;
  std::optional<Result<std::string>> chunk;  // None while it is being read.
  std::optional<Resolver<Done>> waiter;
};

Task<void> read_ahead(std::shared_ptr<Ahead> ahead) {
  Result<std::string> chunk = co_await ahead->sequence.next();
  ahead->chunk = std::move(chunk);
  if (ahead->waiter) {
    Resolver<Done> resolve = *std::exchange(ahead->waiter, std::nullopt);
    resolve(Done{});
  }
}

// Reads one chunk ahead of the client.
class AheadBody : public ResponseBody {
 public:
  explicit AheadBody(std::shared_ptr<Ahead> ahead) : ahead_(std::move(ahead)) {}

  Task<Result<std::string>> next() override {
    if (!ahead_->chunk) {
      co_await suspend<Done>([this](Resolver<Done> resolve) { ahead_->waiter = resolve; });
    }
    if (!*ahead_->chunk || (*ahead_->chunk)->empty()) co_return *ahead_->chunk;  // It stays.
    Result<std::string> chunk = std::move(*ahead_->chunk);
    ahead_->chunk.reset();
    // At the end of the turn: this chunk is sent before, while the processor's cache holds it, and
    // other sessions have their turn.
    Loop::current()->at_turn_end([weak = std::weak_ptr(ahead_)] {
      if (auto ahead = weak.lock()) spawn(*Loop::current(), read_ahead(ahead));
    });
    co_return chunk;
  }

 private:
  std::shared_ptr<Ahead> ahead_;
};

uint64_t bytes_of(const v1::Body& body) {
  uint64_t bytes = body.has_journal() ? body.journal().length() : 0;
  for (const v1::Extent& extent : body.extents()) bytes += extent.stored_bytes();
  return bytes;
}

// `plain`: within the piece, not empty.
Task<Result<OpenPiece>> open_piece(Store& store, const StoredPiece& piece, ByteRange plain) {
  if (auto known = check_transform(piece.envelope); !known) co_return fail(known.error());
  v1::Envelope::Transform transform = piece.envelope.transform();
  if (piece.stored_bytes != stored_bytes(transform, piece.size_bytes) ||
      piece.stored_bytes != bytes_of(piece.body)) {
    co_return fail(Errc::corrupt, "a body's length contradicts its version");
  }
  ByteRange stored = stored_range(transform, piece.size_bytes, plain);
  OpenPiece open{nullptr, {}, Decoder(transform, piece.size_bytes, plain)};
  if (!piece.body.has_journal()) {
    Result<std::unique_ptr<BlobReader>> reader = store.blobs.read(piece.body, stored);
    if (!reader) co_return fail(reader.error());
    open.reader = std::move(*reader);
    co_return open;
  }
  std::string whole;
  if (!store.inline_bodies.try_read_body(piece.body.journal(), &whole)) {
    v1::JournalBody where = piece.body.journal();
    Result<std::string> read = co_await store.inline_bodies.read_body(std::move(where));
    if (!read) co_return fail(read.error());
    whole = std::move(*read);
  }
  if (whole.size() != piece.stored_bytes) co_return fail(Errc::corrupt, "an inline body's length");
  open.bytes = stored.length_bytes == whole.size()
                   ? std::move(whole)
                   : whole.substr(stored.offset_bytes, stored.length_bytes);
  co_return open;
}

}  // namespace

Task<Result<std::unique_ptr<ResponseBody>>> open_body(Store& store, std::vector<StoredPiece> pieces,
                                                      ByteRange range) {
  std::vector<OpenPiece> open;
  uint64_t begin = 0;  // Plain offset of the piece in the whole.
  uint64_t range_end = range.offset_bytes + range.length_bytes;
  for (const StoredPiece& piece : pieces) {
    uint64_t from = std::max(begin, range.offset_bytes);
    uint64_t to = std::min(begin + piece.size_bytes, range_end);
    if (from < to) {
      ByteRange within{from - begin, to - from};
      Result<OpenPiece> opened = co_await open_piece(store, piece, within);
      if (!opened) co_return fail(opened.error());
      open.push_back(std::move(*opened));
    }
    begin += piece.size_bytes;
  }
  Sequence sequence(std::move(open), range.length_bytes);
  Result<std::string> first = co_await sequence.next();
  if (!first) co_return fail(first.error());
  if (first->size() == range.length_bytes) {
    Result<std::string> end = co_await sequence.next();
    if (!end) co_return fail(end.error());
    co_return std::make_unique<OneChunk>(std::move(*first));
  }
  auto ahead = std::make_shared<Ahead>(std::move(sequence));
  ahead->chunk = std::move(first);
  co_return std::make_unique<AheadBody>(std::move(ahead));
}

}  // namespace kura::s3
