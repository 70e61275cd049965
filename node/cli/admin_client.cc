#include "node/cli/admin_client.h"

#include <algorithm>

#include "admin/routes.h"
#include "net/asio_loop.h"
#include "net/block_on.h"
#include "net/kernel.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "s3/auth/signer.h"
#include "s3/codec/encoding.h"

namespace kura::node {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kConnectNs = 5'000'000'000;
constexpr size_t kAnswerBytesMax = 64 << 20;

struct Answer {
  int status = 0;
  std::string request_id;
  std::string body;
};

// Closes a stream after a time, so that no command waits for ever.
class Deadline {
 public:
  Deadline(AsioLoop& loop, Stream& stream, int64_t delay_ns)
      : loop_(loop), timer_(loop.timer().after(delay_ns, [this, &stream] {
          expired_ = true;
          stream.close();
        })) {}
  ~Deadline() { loop_.timer().cancel(timer_); }
  Deadline(const Deadline&) = delete;
  bool expired() const { return expired_; }

 private:
  AsioLoop& loop_;
  bool expired_ = false;
  Timer::Id timer_;
};

std::string field_of(std::string_view head, std::string_view name) {
  size_t line = head.find("\r\n");
  while (line != std::string_view::npos) {
    const size_t begin = line + 2, end = std::min(head.find("\r\n", begin), head.size());
    const std::string_view text = head.substr(begin, end - begin);
    const size_t colon = text.find(':');
    if (colon != std::string_view::npos && s3::equal_ignoring_case(text.substr(0, colon), name))
      return std::string(s3::trim_spaces(text.substr(colon + 1)));
    line = head.find("\r\n", begin);
  }
  return {};
}

Task<Result<Answer>> exchange(AsioLoop& loop, const AdminTarget& target, Address address, bool tls,
                              std::string request) {
  auto connected = co_await tcp_connect(loop, address, kConnectNs);
  if (!connected)
    co_return fail(Errc::unavailable,
                   "no answer from " + target.endpoint + ": " + connected.error().detail);
  std::unique_ptr<Stream> stream = std::move(*connected);
  if (tls) {
    auto keys = make_tls_client({target.ca_path, target.insecure});
    if (!keys)
      co_return fail(Error{keys.error().code, target.ca_source + ": " + keys.error().detail});
    stream = make_tls_client_stream(std::move(stream), *keys, address.host);
  }
  Deadline deadline(loop, *stream, int64_t{target.timeout_s} * 1'000'000'000);
  auto gone = [&](const Error& error) {
    if (!deadline.expired()) return fail(Errc::unavailable, target.endpoint + ": " + error.detail);
    return fail(Errc::timed_out, "no answer from " + target.endpoint + " in " +
                                     std::to_string(target.timeout_s) + " s");
  };
  std::vector<std::string_view> pieces{request};
  auto written = co_await stream->write(std::move(pieces));
  if (!written) co_return gone(written.error());
  std::string text;
  char buffer[16384];
  for (;;) {
    auto size = co_await stream->read_some(buffer, sizeof buffer);
    if (!size) co_return gone(size.error());
    if (*size == 0) break;
    text.append(buffer, *size);
    if (text.size() > kAnswerBytesMax) co_return fail(Errc::too_large, "the answer is too long");
  }
  if (text.empty())
    co_return fail(Errc::unavailable, target.endpoint + " closed the connection without an answer");
  const size_t end = text.find("\r\n\r\n");
  if (text.rfind("HTTP/1.1 ", 0) != 0 || end == std::string::npos)
    co_return fail(Errc::unavailable, target.endpoint + " does not speak HTTP");
  Answer answer;
  answer.status = std::atoi(text.c_str() + 9);
  answer.request_id = field_of(std::string_view(text).substr(0, end), "x-amz-request-id");
  answer.body = text.substr(end + 4);
  co_return answer;
}

// The reaction that an answer asks for: its status says it, but for damage.
Errc code_of(int status, const Json& answer) {
  const std::string name = answer.is_object() ? answer.value("code", "") : "";
  if (name == "Corrupt") return Errc::corrupt;
  if (name == "AuthorizationHeaderMalformed") return Errc::access_denied;  // Of another region.
  switch (status) {
    case 400:
    case 405:
      return Errc::invalid_argument;
    case 403:
      return Errc::access_denied;
    case 404:
      return Errc::not_found;
    case 409:
      return Errc::exists;
    case 503:
      return Errc::unavailable;
    case 507:
      return Errc::no_space;
    default:
      return Errc::io_error;
  }
}

}  // namespace

Result<Json> admin_request(const AdminTarget& target, const std::string& method,
                           const std::string& path_and_query, const Json& body,
                           AdminFailure* failure) {
  const bool tls = target.endpoint.rfind("https://", 0) == 0;
  if (!tls && target.endpoint.rfind("http://", 0) != 0)
    return fail(Errc::invalid_argument, target.endpoint_source + ": '" + target.endpoint +
                                            "' does not begin with http:// or https://");
  std::string host = target.endpoint.substr(tls ? 8 : 7);
  while (!host.empty() && host.back() == '/') host.pop_back();
  if (host.find('/') != host.npos)
    return fail(Errc::invalid_argument,
                target.endpoint_source + ": '" + target.endpoint + "': an endpoint has no path");
  const size_t bracket = host.rfind(']');  // Of an IPv6 address.
  const bool has_port = host.find(':', bracket == host.npos ? 0 : bracket) != host.npos;
  if (!host.empty() && !has_port) host += tls ? ":443" : ":80";
  auto address = parse_address(host);
  if (!address)
    return fail(Errc::invalid_argument, target.endpoint_source + ": " + address.error().detail);

  SystemClock clock;
  const std::string text = body.is_null() ? std::string() : body.dump();
  s3::RequestHead head;
  head.method = method;
  const size_t question = path_and_query.find('?');
  head.path = std::string(admin::kAdminPrefix) + path_and_query.substr(0, question);
  if (question != std::string::npos) head.query = path_and_query.substr(question + 1);
  head.headers.add("host", host);
  s3::Signer signer(target.access_key, target.secret_key, target.region);
  (void)signer.sign(&head, s3::payload_hash_of(text), clock.wall_ms());
  std::string request =
      method + " " + head.path + (head.query.empty() ? "" : "?" + head.query) + " HTTP/1.1\r\n";
  for (const auto& [name, value] : head.headers.all()) request += name + ": " + value + "\r\n";
  request += "content-length: " + std::to_string(text.size()) + "\r\nconnection: close\r\n\r\n";
  request += text;

  AsioLoop loop(clock);
  loop.start("client");
  auto answer = block_on(loop, exchange(loop, target, *address, tls, std::move(request)));
  loop.stop();
  if (!answer) return fail(answer.error());
  Json json = Json::parse(answer->body, nullptr, false);
  if (answer->status != 200) {
    std::string message = "HTTP status " + std::to_string(answer->status);
    if (json.is_object() && json.contains("message")) message = json["message"];
    if (json.is_object()) failure->code = json.value("code", "");
    failure->request_id = answer->request_id;
    return fail(code_of(answer->status, json), std::move(message));
  }
  if (json.is_discarded())
    return fail(Errc::unavailable, "the answer of " + target.endpoint + " ended early");
  return json;
}

}  // namespace kura::node
