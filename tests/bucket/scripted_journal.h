// A log in memory whose appends can be refused.

#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/loop.h"
#include "journal/journal.h"
#include "journal/record_codec.h"

namespace kura {

class ScriptedJournal final : public journal::Journal {
 public:
  using Records = std::vector<journal::Record>;

  JournalId id() const override { return {}; }
  journal::Bounds bounds() const override { return {Offset(0), Offset(end_)}; }
  Task<Result<std::vector<Offset>>> append(Records& records, journal::AppendClass) override {
    std::optional<Errc> code = refuses ? refuses(records) : std::nullopt;
    if (!code && refuse) {
      code = refuse;
      if (--refusals <= 0) refuse.reset();
    }
    began_ns.push_back(Loop::current()->clock().monotonic_ns());
    if (takes_ns > 0) co_await sleep_for(takes_ns);
    if (code) co_return fail(*code);
    sizes.push_back(records.size());
    std::vector<Offset> offsets;
    for (const auto& record : records) {
      offsets.push_back(Offset(end_));
      end_ += journal::encoded_size(record);
      kinds.push_back(record.kind);
    }
    co_return offsets;
  }
  Task<Result<std::vector<journal::StoredRecord>>> read(Offset, uint64_t) override {
    co_return fail(Errc::unsupported);
  }
  Task<Result<journal::RawRecords>> read_raw(Offset, Offset, uint64_t) override {
    co_return fail(Errc::unsupported);
  }
  Task<Result<std::string>> read_body(v1::JournalBody) override { co_return fail(Errc::not_found); }
  bool try_read_body(const v1::JournalBody&, std::string*) override { return false; }
  Task<Result<void>> truncate(Offset) override { co_return Result<void>(); }

  std::optional<Errc> refuse;                                  // The next appends,
  int refusals = 1;                                            // so many.
  std::function<std::optional<Errc>(const Records&)> refuses;  // Each for which it says so.
  int64_t takes_ns = 0;                                        // Each append.
  std::vector<journal::RecordKind> kinds;                      // Of what was appended,
  std::vector<size_t> sizes;                                   // and how much at a time.
  std::vector<int64_t> began_ns;                               // When each append began.

 private:
  uint64_t end_ = 512;
};

}  // namespace kura
