// Request heads: the parser gives the same answer however much of the bytes behind the head it
// sees, and a head that is written out again reads as the same head.

#include "base/limits.h"
#include "s3/http/parser.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

using s3::ParsedHead;
using s3::RequestHead;

bool same(const RequestHead& a, const RequestHead& b) {
  return a.method == b.method && a.path == b.path && a.query == b.query &&
         a.headers.all() == b.headers.all() && a.minor_version == b.minor_version &&
         a.keep_alive == b.keep_alive && a.content_length == b.content_length &&
         a.chunked == b.chunked && a.expect_continue == b.expect_continue;
}

std::string written(const RequestHead& head, bool with_query) {
  std::string out = head.method + " " + head.path;
  if (with_query) out += "?" + head.query;
  out += " HTTP/1." + std::to_string(head.minor_version) + "\r\n";
  for (const auto& [name, value] : head.headers.all()) out += name + ": " + value + "\r\n";
  return out + "\r\n";
}

void check_head(std::string_view input, const ParsedHead& parsed) {
  const RequestHead& head = parsed.head;
  INVARIANT(parsed.size_bytes <= input.size() && parsed.size_bytes <= kHttpHeadBytesMax + 4,
            "a head lies within the input and its bound");
  INVARIANT(input.substr(0, parsed.size_bytes).ends_with("\r\n\r\n"), "a head ends where it does");
  INVARIANT(head.path.starts_with('/') && head.path.find('?') == std::string::npos, "a path");
  INVARIANT(!(head.chunked && head.content_length), "one framing");
  INVARIANT(head.minor_version == 0 || head.headers.count("host") == 1, "one host");
  for (const auto& [name, value] : head.headers.all()) {
    INVARIANT(name.find_first_of("\r\n: \t") == std::string::npos && !name.empty(), "a name");
    INVARIANT(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos, "a value");
    INVARIANT(std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; }),
              "names are in lower case");
  }
  const bool has_query = input.substr(0, input.find('\r')).find('?') != std::string_view::npos;
  auto again = s3::parse_head(written(head, has_query));
  INVARIANT(again && *again && same((*again)->head, head), "a head reads as it was written");
}

}  // namespace

void fuzz_one(std::string_view input) {
  const auto whole = s3::parse_head(input);
  if (!whole) {
    INVARIANT(whole.error().close && whole.error().status >= 400, "a bad head ends the connection");
    return;
  }
  if (!*whole) {
    INVARIANT(input.size() <= kHttpHeadBytesMax, "memory for a head is bounded");
    return;
  }
  check_head(input, **whole);
  // What follows it changes nothing; less of it is not a head yet.
  const size_t size = (*whole)->size_bytes;
  const auto alone = s3::parse_head(input.substr(0, size));
  INVARIANT(alone && *alone && same((*alone)->head, (*whole)->head),
            "what follows changes nothing");
  for (size_t part : {size_t{1}, size / 3, size / 2, size - 1}) {
    const auto less = s3::parse_head(input.substr(0, part));
    INVARIANT(less && !*less, "a part of a good head is incomplete, not wrong");
  }
}

}  // namespace kura::fuzz
