#include "s3/op/upload_checksum.h"

#include <string>
#include <utility>

#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "s3/op/params.h"

namespace kura::s3 {
namespace {

bool is_sha(Algorithm algorithm) {
  return algorithm == v1::Checksum::SHA1 || algorithm == v1::Checksum::SHA256;
}

}  // namespace

S3Result<v1::Checksum::Type> checksum_type_param(const Request& request) {
  std::optional<std::string_view> text = header_of(request, "x-amz-checksum-type");
  if (!text || text->empty()) return v1::Checksum::TYPE_UNSPECIFIED;
  std::optional<v1::Checksum::Type> type = checksum_type_from(*text);
  if (type) return *type;
  return s3_fail("InvalidRequest", "Value for x-amz-checksum-type header is invalid.");
}

S3Result<UploadChecksum> upload_checksum_of(const Request& request) {
  S3Result<v1::Checksum::Type> type = checksum_type_param(request);
  if (!type) return s3_fail(type.error());
  std::optional<std::string_view> name = header_of(request, "x-amz-checksum-algorithm");
  if (!name || name->empty()) {
    if (*type == v1::Checksum::TYPE_UNSPECIFIED) return UploadChecksum{};
    return s3_fail("InvalidRequest",
                   "The x-amz-checksum-type header can only be used with the "
                   "x-amz-checksum-algorithm header.");
  }
  std::optional<Algorithm> algorithm = algorithm_from(*name);
  if (!algorithm || *algorithm == v1::Checksum::NONE) {
    return s3_fail("InvalidRequest",
                   "Checksum algorithm provided is unsupported. Please try again with any of the "
                   "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
  }
  bool crc64 = *algorithm == v1::Checksum::CRC64NVME;
  if (*type == v1::Checksum::TYPE_UNSPECIFIED) {
    return UploadChecksum{*algorithm, crc64 ? v1::Checksum::FULL_OBJECT : v1::Checksum::COMPOSITE};
  }
  bool possible = *type == v1::Checksum::FULL_OBJECT ? !is_sha(*algorithm) : !crc64;
  if (possible) return UploadChecksum{*algorithm, *type};
  return s3_fail("InvalidRequest", "The " + std::string(checksum_type_name(*type)) +
                                       " checksum type cannot be used with the " +
                                       lower_case(algorithm_name(*algorithm)) +
                                       " checksum algorithm.");
}

S3Result<std::optional<v1::Checksum>> expected_checksum_of(const Request& request) {
  S3Result<v1::Checksum::Type> type = checksum_type_param(request);
  if (!type) return s3_fail(type.error());
  std::optional<v1::Checksum> expected;
  for (const auto& [name, value] : request.head.headers.all()) {
    std::optional<Algorithm> algorithm = algorithm_from_header(name);
    if (!algorithm) continue;
    if (expected) {
      return s3_fail("InvalidRequest",
                     "Expecting a single x-amz-checksum- header. Multiple checksum Types are not "
                     "allowed.");
    }
    // A "-" is no character of base64, so it can only begin the number of parts.
    std::string_view text = value;
    size_t dash = text.find('-');
    std::optional<std::string> raw = parse_checksum(*algorithm, text.substr(0, dash));
    bool composite = dash != std::string_view::npos;
    if (!raw || (composite && !parse_decimal(text.substr(dash + 1)))) {
      return s3_fail("InvalidRequest", "Value for " + name + " header is invalid.");
    }
    expected.emplace();
    expected->set_algorithm(*algorithm);
    expected->set_type(composite ? v1::Checksum::COMPOSITE : *type);
    expected->set_value(std::move(*raw));
  }
  return expected;
}

}  // namespace kura::s3
