// What the admin API answers with.

#pragma once

#include <string>

#include "admin/render.h"
#include "s3/http/message.h"

namespace kura::admin {

s3::Response text_response(int status, std::string type, std::string body);
// document() of the fields.
s3::Response json_response(const Json& fields, int status = 200);
// Code and message; for the log the cause too.
s3::Response error_response(const s3::S3Error& error);

}  // namespace kura::admin
