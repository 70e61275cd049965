// Where rules read rows and write them: the view itself, or rows laid over it that are not in it
// yet. The same fold runs over both, so what an actor decides on is what the committer will write.
//
// Not thread-safe, but for KvRows. Errors are those of the Kv below.

#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/kv.h"
#include "base/result.h"

namespace kura {

struct Row {
  std::string key;
  std::string value;
};

class RowReader {
 public:
  virtual ~RowReader() = default;
  virtual Result<std::optional<std::string>> get(std::string_view key) = 0;
  // Rows whose key starts with `prefix`, ascending, at most `rows_max`.
  virtual Result<std::vector<Row>> scan(std::string_view prefix, size_t rows_max) = 0;
};

// Reads its own writes.
class Rows : public RowReader {
 public:
  virtual void put(std::string key, std::string value) = 0;
  virtual void remove(std::string key) = 0;
};

// The view as it is now. Holds no state: from any thread.
class KvRows final : public RowReader {
 public:
  explicit KvRows(Kv& kv) : kv_(&kv) {}
  Result<std::optional<std::string>> get(std::string_view key) override;
  Result<std::vector<Row>> scan(std::string_view prefix, size_t rows_max) override;

 private:
  Kv* kv_;
};

// Rows over others, which must live longer. Each row belongs to the tag under which it was written
// last, for example the seq of its event; retire(tag) forgets what has reached the rows below.
class Overlay final : public Rows {
 public:
  explicit Overlay(RowReader& below) : below_(&below) {}

  Result<std::optional<std::string>> get(std::string_view key) override;
  Result<std::vector<Row>> scan(std::string_view prefix, size_t rows_max) override;
  void put(std::string key, std::string value) override;
  void remove(std::string key) override;

  void begin(uint64_t tag);  // Rows from now on belong to `tag`. REQUIRES: tags never fall.
  void undo();               // Back to the last begin(). REQUIRES: nothing was retired since.
  // Forgets rows of this and all lower tags: they are below now. REQUIRES: each had its begin().
  void retire(uint64_t tag);
  void clear();                  // Forgets all rows; the next tag may be any.
  void move_to(KvBatch& batch);  // All rows, by key; none is left here.
  size_t rows() const { return rows_.size(); }

 private:
  struct Entry {
    std::optional<std::string> value;  // None: removed.
    uint64_t tag = 0;
  };
  using RowMap = std::map<std::string, Entry, std::less<>>;
  void write(std::string key, std::optional<std::string> value);

  RowReader* below_;
  RowMap rows_;
  std::deque<std::pair<uint64_t, std::string>> written_;  // By tag; one per write. For retire().
  uint64_t tag_ = 0;
  bool begun_ = false;  // Without begin() nothing is kept for undo() and retire().
  std::vector<std::pair<RowMap::iterator, std::optional<Entry>>> before_;  // Of rows of this tag.
};

// A row that is a protobuf message. Errors: corrupt when it is none.
template <class Message>
Result<std::optional<Message>> get_message(RowReader& rows, std::string_view key) {
  Result<std::optional<std::string>> value = rows.get(key);
  if (!value) return fail(value.error());
  if (!*value) return std::nullopt;
  Message message;
  if (!message.ParseFromString(**value)) return fail(Errc::corrupt, "row does not parse");
  return message;
}

}  // namespace kura
