// S3Client: one S3 client of a simulated run: signs, sends, reconnects. It does not retry by
// itself.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "s3/auth/signer.h"
#include "sim/http_client.h"
#include "sim/sim_stream.h"

namespace kura::sim {

// How the body of a request is covered by its signature.
enum class BodyForm : uint8_t { hash, unsigned_payload, chunked, chunked_trailer };

struct S3Request {
  std::string method;
  std::string bucket;                                      // Empty: the service.
  std::string key;                                         // Raw bytes.
  std::vector<std::pair<std::string, std::string>> query;  // Not encoded.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  BodyForm form = BodyForm::hash;
  std::string invocation_id;  // amz-sdk-invocation-id; the same for all attempts of one call.
  bool expect_continue = false;
  std::optional<uint64_t> abandon_after;
};

struct S3Reply {
  bool answered = false;
  bool sent = false;  // Not answered, and part of the request may have reached the server.
  int status = 0;
  s3::Headers headers;
  std::string body;
  std::string code;  // Of the error document, if there is one.
  bool ok() const { return answered && status >= 200 && status < 300; }
};

class S3Client {
 public:
  S3Client(SimNetwork& network, std::string address, s3::Signer signer)
      : network_(network),
        host_(network.new_host()),
        address_(std::move(address)),
        signer_(std::move(signer)) {}

  Task<S3Reply> call(S3Request request, int64_t timeout_ns);
  void disconnect() { connection_ = nullptr; }
  HostId host() const { return host_; }

 private:
  HttpRequest sign(const S3Request& request, int64_t now_ms) const;

  SimNetwork& network_;
  HostId host_;
  std::string address_;
  s3::Signer signer_;
  std::unique_ptr<HttpConnection> connection_;
};

// The text of the first element of that name, unescaped; empty if there is none.
std::string xml_text(std::string_view xml, std::string_view element);
// The inner XML of every element of that name; they do not nest.
std::vector<std::string_view> xml_elements(std::string_view xml, std::string_view element);

}  // namespace kura::sim
