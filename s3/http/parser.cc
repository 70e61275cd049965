#include "s3/http/parser.h"

#include <boost/beast/http/basic_parser.hpp>

#include "base/limits.h"
#include "s3/codec/encoding.h"

namespace kura::s3 {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using View = boost::beast::string_view;

// The bytes of a head are the bound that counts. This one is above what 2 KiB of metadata can be
// cut into, and keeps everything small that looks at each field.
constexpr size_t kFieldsMax = 1000;

// Collects what Beast finds; the bodies are read elsewhere.
class Head final : public http::basic_parser<true> {
 public:
  RequestHead head;
  std::string target;
  bool too_many_fields = false;

 private:
  void on_request_impl(http::verb, View method, View request_target, int version,
                       error_code&) override {
    head.method = std::string(method);
    target = std::string(request_target);
    head.minor_version = version - 10;  // 1.x is 10 + x.
  }
  void on_response_impl(int, View, int, error_code&) override {}
  void on_field_impl(http::field, View name, View value, error_code& error) override {
    if (head.headers.all().size() >= kFieldsMax) {
      too_many_fields = true;
      error = http::error::header_limit;
      return;
    }
    head.headers.add(lower_case(std::string_view(name.data(), name.size())),
                     std::string(trim_spaces(std::string_view(value.data(), value.size()))));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(View body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, View, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}
};

S3Error refused(std::string message, std::string_view code = "BadRequest") {
  S3Error error = s3_error(code, std::move(message));
  error.close = true;
  return error;
}

// Beast takes folded lines and lone line feeds in some places; nobody who signs requests sends
// them.
bool lines_are_strict(std::string_view head) {
  size_t line = 0;
  while (line < head.size()) {
    const size_t end = head.find('\n', line);
    if (end == std::string_view::npos || end == line || head[end - 1] != '\r') return false;
    const std::string_view text = head.substr(line, end - 1 - line);
    if (!text.empty() && (text[0] == ' ' || text[0] == '\t')) return false;
    if (!is_field_value(text)) return false;
    line = end + 1;
  }
  return true;
}

// False as soon as more bytes cannot help: a TLS greeting, lines without carriage returns. Asked of
// whole heads as well, so that no verdict depends on where the network cut the bytes.
bool may_begin_a_head(std::string_view input) {
  if (!input.empty() && !(input[0] >= 'A' && input[0] <= 'Z')) return false;
  const size_t end = input.find('\n');
  return end == std::string_view::npos || (end > 0 && input[end - 1] == '\r');
}

bool has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (equal_ignoring_case(trim_spaces(list.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
  return false;
}

S3Result<void> framing(RequestHead& head) {
  const Headers& headers = head.headers;
  const size_t lengths = headers.count("content-length");
  const size_t encodings = headers.count("transfer-encoding");
  if (lengths > 1 || encodings > 1 || (lengths && encodings))
    return s3_fail(refused("The length of the body is given more than once"));
  if (lengths) {
    head.content_length = parse_decimal(headers.get("content-length"));
    if (!head.content_length || *head.content_length > static_cast<uint64_t>(INT64_MAX))
      return s3_fail(refused("Content-Length is not a number of bytes"));
  }
  if (encodings) {
    if (head.minor_version == 0 ||
        !equal_ignoring_case(headers.get("transfer-encoding"), "chunked"))
      return s3_fail(refused("The only transfer coding is chunked"));
    head.chunked = true;
  }
  if (head.minor_version != 0 && head.minor_version != 1)
    return s3_fail(refused("The HTTP version is neither 1.1 nor 1.0"));
  if (headers.count("host") > 1 || (head.minor_version >= 1 && !headers.has("host")))
    return s3_fail(refused("A request names its host once"));
  // HTTP/1.0 proxies are answered, but their keep-alive is a convention of its own.
  head.keep_alive = head.minor_version == 1;
  for (const auto& [name, value] : headers.all())
    if (name == "connection" && has_token(value, "close")) head.keep_alive = false;
  if (headers.has("expect")) {
    if (!equal_ignoring_case(headers.get("expect"), "100-continue"))
      return s3_fail(refused("The only expectation is 100-continue", "ExpectationFailed"));
    head.expect_continue = head.minor_version >= 1;
  }
  return {};
}

// The host of an absolute target counts, and no other (RFC 9112, 3.2.2): it is looked at and signed
// as if it were the Host field.
void replace_host(std::string_view authority, RequestHead& head) {
  Headers headers;
  for (const auto& [name, value] : head.headers.all())
    headers.add(name, name == "host" ? std::string(authority) : value);
  if (!headers.has("host")) headers.add("host", std::string(authority));
  head.headers = std::move(headers);
}

// What follows "http://" or "https://"; none: another form.
std::optional<std::string_view> after_scheme(std::string_view target) {
  for (std::string_view scheme : {"http://", "https://"})
    if (equal_ignoring_case(target.substr(0, scheme.size()), scheme))
      return target.substr(scheme.size());
  return std::nullopt;
}

// "/path?query" or "http://host/path?query". After framing(), which counts the Host fields sent.
S3Result<void> take_target(std::string_view target, RequestHead& head) {
  if (const std::optional<std::string_view> absolute = after_scheme(target)) {
    const std::string_view authority = absolute->substr(0, absolute->find_first_of("/?"));
    if (authority.empty() || authority.find('@') != std::string_view::npos)
      return s3_fail(refused("The request target does not name a host"));
    replace_host(authority, head);
    target = absolute->substr(authority.size());
  } else if (!target.starts_with('/')) {
    return s3_fail(refused("The request target is not a path"));
  }
  const size_t question = target.find('?');
  head.path = std::string(target.substr(0, question));
  if (head.path.empty()) head.path.push_back('/');
  if (question != std::string_view::npos) head.query = std::string(target.substr(question + 1));
  return {};
}

}  // namespace

S3Result<std::optional<ParsedHead>> parse_head(std::string_view input) {
  if (!may_begin_a_head(input)) return s3_fail(refused("The request head is malformed"));
  const size_t blank = input.substr(0, kHttpHeadBytesMax + 4).find("\r\n\r\n");
  if (blank == std::string_view::npos) {
    if (input.size() <= kHttpHeadBytesMax) return std::nullopt;
    S3Error error = s3_error("RequestHeaderSectionTooLarge");
    error.close = true;
    return s3_fail(std::move(error));
  }
  const std::string_view text = input.substr(0, blank + 4);
  if (!lines_are_strict(text)) return s3_fail(refused("The request head is malformed"));
  Head parser;
  parser.header_limit(static_cast<uint32_t>(kHttpHeadBytesMax + 64));
  parser.body_limit(boost::none);
  error_code error;
  parser.put(boost::asio::buffer(text.data(), text.size()), error);
  if (error == http::error::need_more) error = {};
  if (error || !parser.is_header_done()) {
    if (parser.too_many_fields) {
      S3Error many = s3_error("RequestHeaderSectionTooLarge");
      many.close = true;
      return s3_fail(std::move(many));
    }
    return s3_fail(refused("The request head is malformed"));
  }
  ParsedHead parsed{std::move(parser.head), text.size()};
  auto framed = framing(parsed.head);
  if (!framed) return s3_fail(framed.error());
  auto target = take_target(parser.target, parsed.head);
  if (!target) return s3_fail(target.error());
  return parsed;
}

}  // namespace kura::s3
