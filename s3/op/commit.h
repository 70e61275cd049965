// From an operation to the bucket actor: the command with the request's id and digest, and what
// becomes of the body's blocks when the answer is no.

#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "s3/op/operation.h"
#include "s3/op/request_id.h"

namespace kura::s3 {

// The command of a request about its own key; `body_digest` is the MD5 of the body, empty without.
template <class Action>
Command make_command(const Request& request, BucketId bucket, Action action,
                     std::string_view body_digest) {
  Command command;
  command.bucket = bucket;
  command.key = request.key;
  command.request_id = request.id;
  if (!request.id.is_nil())
    command.request_digest = request_digest(request.head, request.query, body_digest);
  command.action = std::move(action);
  return command;
}

Task<S3Result<Outcome>> commit(Store& store, Command command);

// Also ends the `reservation` that the command names when the outcome is known: blocks that no
// event names become garbage. When it is not known they stay until this process ends.
Task<S3Result<Outcome>> commit(Store& store, Command command,
                               std::optional<v1::Reservation> reservation);

}  // namespace kura::s3
