#include "s3/op/dispatcher.h"

#include <memory>
#include <utility>

#include "s3/auth/body.h"
#include "s3/codec/checksum.h"
#include "s3/codec/uri.h"
#include "s3/op/access.h"
#include "s3/op/address.h"
#include "s3/op/conditions.h"
#include "s3/op/hoisted.h"
#include "s3/op/lookup.h"
#include "s3/op/owner.h"
#include "s3/op/params.h"
#include "s3/op/request_id.h"
#include "s3/op/subresource.h"

namespace kura::s3 {
namespace {

struct Destination {
  const Route* route = nullptr;
  Address address;
  Query query;
  std::optional<RequestHead> head;  // If it is another one than was sent.
};

S3Result<Destination> destination_of(const RequestHead& head, const Settings& settings) {
  S3Result<Address> address = address_of(head, settings.domains);
  if (!address) return s3_fail(address.error());
  S3Result<QueryParams> params = parse_query(head.query);
  if (!params) return s3_fail(params.error());
  Query query;
  for (auto& [name, value] : *params) {
    if (!is_utf8(name) || !is_utf8(value))
      return s3_fail(invalid_argument("A parameter must be UTF-8", name, value));
    query.add(std::move(name), std::move(value));
  }
  S3Result<std::optional<RequestHead>> whole = with_hoisted_headers(head, query);
  if (!whole) return s3_fail(whole.error());
  const Headers& headers = *whole ? (*whole)->headers : head.headers;
  const Route* route = find_route(head.method, address->target, query, headers);
  if (route == nullptr) {
    S3Error error = s3_error("MethodNotAllowed");
    error.details.emplace_back("Method", head.method);
    return s3_fail(std::move(error));
  }
  return Destination{route, std::move(*address), std::move(query), std::move(*whole)};
}

// The client can say whose bucket it expects. There is one owner, so any other is a mistake.
S3Result<void> check_expected_owner(const Store& store, const Headers& headers) {
  for (std::string_view name :
       {"x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"}) {
    if (headers.has(name) && headers.get(name) != owner_id(store)) return s3_fail("AccessDenied");
  }
  return {};
}

// A sub-resource that is not there yet: "not configured" is an answer about a bucket that exists.
S3Error fixed_answer(const Context& context, const Destination& destination) {
  const Route& route = *destination.route;
  if (route.fixed == "NotImplemented") {
    // A row without a method stands for what no operation has.
    const std::string what = route.method.empty()
                                 ? "The sub-resource " +
                                       std::string(subresource_of(destination.query)) +
                                       " with this method and target"
                                 : std::string(route.name);
    return s3_error(route.fixed, what + " is not implemented");
  }
  const std::string& name = destination.address.bucket;
  S3Result<Bucket> bucket = find_bucket(context, name);
  if (!bucket) return bucket.error();
  S3Error error = s3_error(route.fixed);
  error.details.emplace_back("BucketName", name);
  return error;
}

// The body as the operation sees it.
S3Result<std::unique_ptr<VerifiedBody>> body_for(const Route& route, BodySource& raw,
                                                 const RequestHead& head,
                                                 const VerifiedRequest& verified) {
  if (!route.checksum_of_object) return make_verified_body(raw, head, verified);
  RequestHead without = head;
  without.headers = {};
  for (const auto& [name, value] : head.headers.all()) {
    if (!algorithm_from_header(name)) without.headers.add(name, value);
  }
  return make_verified_body(raw, without, verified);
}

}  // namespace

Task<Reply> Dispatcher::handle(const RequestHead& head, BodySource& body,
                               const ConnectionInfo& connection) {
  Reply reply;
  S3Result<Response> response = co_await answer(head, body, connection, reply);
  if (response) {
    reply.response = std::move(*response);
  } else {
    reply.response =
        plain_error(response.error(), head.method == "HEAD", head.path, connection.request_id);
  }
  co_return reply;
}

Task<S3Result<Response>> Dispatcher::answer(const RequestHead& sent, BodySource& body,
                                            const ConnectionInfo& connection, Reply& reply) {
  S3Result<VerifiedRequest> verified = authenticator_.verify(sent);
  if (!verified) co_return s3_fail(verified.error());
  reply.access_key = verified->identity.access_key;
  S3Result<Destination> destination = destination_of(sent, context_.settings);
  if (!destination) co_return s3_fail(destination.error());
  const RequestHead& head = destination->head ? *destination->head : sent;
  const Route& route = *destination->route;
  reply.operation = route.name;

  // Before any look-up: who may not touch a bucket does not learn whether it is there.
  if (!is_allowed(verified->identity, route.access, destination->address.bucket)) {
    co_return s3_fail("AccessDenied");
  }
  if (auto expected = check_expected_owner(context_.store, head.headers); !expected) {
    co_return s3_fail(expected.error());
  }
  if (route.handler == nullptr) {
    co_return s3_fail(fixed_answer(context_, *destination));
  }
  if (route.access == Access::write) {
    if (auto honoured = refuse_other_conditions(head.headers, route.conditions); !honoured)
      co_return s3_fail(honoured.error());
    if (!read_only_.empty()) co_return s3_fail("ServiceUnavailable", read_only_);
  }
  S3Result<std::unique_ptr<VerifiedBody>> checked = body_for(route, body, sent, *verified);
  if (!checked) co_return s3_fail(checked.error());
  Request request{head,
                  std::move(destination->query),
                  std::move(destination->address.bucket),
                  std::move(destination->address.key),
                  verified->identity,
                  request_id_of(head.headers, verified->identity),
                  connection.request_id,
                  **checked,
                  connection.encrypted};
  co_return co_await route.handler(context_, request);
}

}  // namespace kura::s3
