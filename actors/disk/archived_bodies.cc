#include "actors/disk/archived_bodies.h"

#include <algorithm>

#include "actors/disk/archive.h"
#include "actors/disk/blob_reader.h"
#include "actors/disk/core.h"
#include "actors/disk/set_reader.h"
#include "journal/record_codec.h"

namespace kura::disk {
namespace {

using journal::BodyParse;

// The bytes of an archived piece from the record of an inline body on; not verified, the body is.
struct Search {
  Search(const DiskCore& core, const v1::JournalBody& body)
      : state(core.ledger.state()),
        want(body),
        piece(state->find_archived(Offset{body.offset()})),
        bytes(journal::first_read_bytes(body)) {}

  uint64_t at() const { return want.offset() - piece->from.value; }
  uint64_t length() const { return std::min(bytes, piece->to.value - want.offset()); }
  BodyParse parse(const DiskCore& core, std::string_view read, std::string* out) {
    return journal::find_body(read, core.options.journal, want, out, &bytes);
  }

  const std::shared_ptr<const ControlState> state;
  const v1::JournalBody want;
  const std::shared_ptr<const ArchivedLog> piece;  // Null: that record is not archived.
  uint64_t bytes;                                  // To read; after BodyParse::more all it takes.
};

bool try_read_spans(DiskCore& core, const std::vector<Span>& spans, std::string* out) {
  out->clear();
  std::string some;
  for (const Span& span : spans) {
    auto file = core.files.opened(span.set, span.member);
    if (!file || !file->try_read(span.offset, span.bytes, &some)) return false;
    if (out->empty())
      out->swap(some);
    else
      *out += some;
  }
  return true;
}

Task<Result<std::string>> read_spans(std::shared_ptr<DiskCore> core, std::vector<Span> spans) {
  std::string out;
  for (const Span& span : spans) {
    auto some = co_await read_member(core, span.set, span.member, span.offset, span.bytes);
    if (!some) co_return some;
    out += *some;
  }
  co_return out;
}

}  // namespace

ArchivedBodies::ArchivedBodies(std::shared_ptr<DiskCore> core, journal::InlineBodies& log)
    : core_(std::move(core)), log_(log) {}

bool ArchivedBodies::try_read_body(const v1::JournalBody& body, std::string* out) {
  if (log_.try_read_body(body, out)) return true;
  Search search(*core_, body);
  if (!search.piece) return false;
  std::string bytes;
  for (int tries = 0; tries < 2; ++tries) {
    const auto spans = spans_of(*search.state, search.piece->body, search.at(), search.length());
    if (!try_read_spans(*core_, spans, &bytes)) return false;
    const BodyParse parsed = search.parse(*core_, bytes, out);
    if (parsed != BodyParse::more) return parsed == BodyParse::good;
  }
  return false;
}

Task<Result<std::string>> ArchivedBodies::read_body(v1::JournalBody body) {
  v1::JournalBody in_log = body;
  auto logged = co_await log_.read_body(std::move(in_log));
  if (logged) co_return logged;
  // The log was cut, or has the record no more; the archive may have it.
  auto archived = co_await read_archived(core_, std::move(body));
  if (!archived && archived.error().code == Errc::not_found) co_return logged;
  co_return archived;
}

Task<Result<std::string>> read_archived(std::shared_ptr<DiskCore> core, v1::JournalBody body) {
  Search search(*core, body);
  if (!search.piece) co_return fail(Errc::not_found, "that piece of the log is not archived");
  std::string out;
  for (int tries = 0; tries < 2; ++tries) {
    auto spans = spans_of(*search.state, search.piece->body, search.at(), search.length());
    auto bytes = co_await read_spans(core, std::move(spans));
    if (!bytes) break;
    const BodyParse parsed = search.parse(*core, *bytes, &out);
    if (parsed == BodyParse::good) co_return out;
    if (parsed == BodyParse::bad) break;
  }
  // With all the stripes that it takes verified and mended.
  for (int tries = 0; tries < 2; ++tries) {
    v1::Body where = search.piece->body;
    const ByteRange range{search.at(), search.length()};
    auto bytes = co_await read_range(core, std::move(where), range);
    if (!bytes) co_return bytes;
    const BodyParse parsed = search.parse(*core, *bytes, &out);
    if (parsed == BodyParse::good) co_return out;
    if (parsed == BodyParse::bad) break;
  }
  co_return fail(Errc::corrupt, "the archived record at offset " + std::to_string(body.offset()) +
                                    " has another body than its event names");
}

}  // namespace kura::disk
