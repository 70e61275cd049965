#include "s3/codec/xml_request.h"

#include "base/limits.h"
#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "s3/codec/time.h"
#include "s3/codec/xml_reader.h"

namespace kura::s3 {
namespace {

bool blank(std::string_view text) { return trim_spaces(text).empty(); }

template <class T>
bool set_once(std::optional<T>* field, std::optional<T> value) {
  if (*field || !value) return false;
  *field = std::move(value);
  return true;
}

bool parse_flag(std::string_view text, bool* out) {
  const std::string value = lower_case(trim_spaces(text));
  *out = value == "true";
  return *out || value == "false";
}

class DeleteReader : public XmlHandler {
 public:
  bool open(std::string_view path) override {
    if (path == "Delete") return true;
    if (path == "Delete/Quiet") return !quiet_seen_;
    if (path == "Delete/Object") {
      object_ = {};
      key_.reset();
      return request.objects.size() < kDeleteObjectsMax;
    }
    return path.starts_with("Delete/Object/") && path.find('/', 14) == path.npos;
  }

  bool close(std::string_view path, std::string text) override {
    if (path == "Delete") return blank(text) && !request.objects.empty();
    if (path == "Delete/Quiet") {
      quiet_seen_ = true;
      return parse_flag(text, &request.quiet);
    }
    if (path == "Delete/Object") {
      if (!blank(text) || !key_ || key_->empty()) return false;
      object_.key = std::move(*key_);
      request.objects.push_back(std::move(object_));
      return true;
    }
    return field(path.substr(14), std::move(text));
  }

  DeleteRequest request;

 private:
  bool field(std::string_view name, std::string text) {
    if (name == "Key") return set_once(&key_, std::optional(std::move(text)));
    const std::string_view value = trim_spaces(text);
    if (name == "VersionId") {
      // Some clients send the element empty when they mean no version.
      if (value.empty()) return true;
      return set_once(&object_.version_id, std::optional(std::string(value)));
    }
    if (name == "ETag") return set_once(&object_.etag, std::optional(std::string(value)));
    if (name == "Size") return set_once(&object_.size_bytes, parse_decimal(value));
    if (name == "LastModifiedTime")
      return set_once(&object_.last_modified_ms, parse_http_date_or_iso8601(value));
    return false;
  }

  DeleteRequest::Object object_;
  std::optional<std::string> key_;
  bool quiet_seen_ = false;
};

class CompleteReader : public XmlHandler {
 public:
  bool open(std::string_view path) override {
    if (path == "CompleteMultipartUpload") return true;
    if (path == kPart) {
      part_ = {};
      number_.reset();
      etag_.reset();
      return request.parts.size() < kPartNumberMax;
    }
    return path.starts_with(kPartField) && path.find('/', kPartField.size()) == path.npos;
  }

  bool close(std::string_view path, std::string text) override {
    if (path == "CompleteMultipartUpload") return blank(text) && !request.parts.empty();
    if (path == kPart) {
      if (!blank(text) || !number_ || !etag_) return false;
      part_.number = static_cast<uint32_t>(*number_);
      part_.etag = std::move(*etag_);
      request.parts.push_back(std::move(part_));
      return true;
    }
    return field(path.substr(kPartField.size()), trim_spaces(text));
  }

  CompleteRequest request;
  bool number_out_of_range = false;

 private:
  static constexpr std::string_view kPart = "CompleteMultipartUpload/Part";
  static constexpr std::string_view kPartField = "CompleteMultipartUpload/Part/";

  bool field(std::string_view name, std::string_view value) {
    if (name == "PartNumber") {
      const std::optional<uint64_t> number = parse_decimal(value);
      if (number && (*number == 0 || *number > kPartNumberMax)) number_out_of_range = true;
      return set_once(&number_, number) && !number_out_of_range;
    }
    if (name == "ETag") return set_once(&etag_, std::optional(std::string(value)));
    if (!name.starts_with("Checksum")) return false;
    for (int i = v1::Checksum::CRC32; i <= v1::Checksum::SHA256; ++i) {
      const auto algorithm = static_cast<Algorithm>(i);
      if (name != checksum_element(algorithm)) continue;
      std::optional<std::string> raw = parse_checksum(algorithm, value);
      if (!raw) return false;
      v1::Checksum checksum;
      checksum.set_algorithm(algorithm);
      checksum.set_type(v1::Checksum::FULL_OBJECT);
      checksum.set_value(std::move(*raw));
      return set_once(&part_.checksum, std::optional(std::move(checksum)));
    }
    return false;
  }

  CompleteRequest::Part part_;
  std::optional<uint64_t> number_;
  std::optional<std::string> etag_;
};

class CreateBucketReader : public XmlHandler {
 public:
  bool open(std::string_view path) override {
    if (path == "CreateBucketConfiguration/LocationConstraint") return !location;
    tagged |= path == kTag;
    return path == "CreateBucketConfiguration" || path == "CreateBucketConfiguration/Tags" ||
           path.starts_with(kTag);
  }
  bool close(std::string_view path, std::string text) override {
    if (path == "CreateBucketConfiguration/LocationConstraint") {
      location = std::string(trim_spaces(text));
      return true;
    }
    return path.starts_with(kTag) || blank(text);
  }

  std::optional<std::string> location;
  bool tagged = false;

 private:
  static constexpr std::string_view kTag = "CreateBucketConfiguration/Tags/Tag";
};

}  // namespace

S3Result<DeleteRequest> parse_delete(std::string_view xml) {
  DeleteReader reader;
  if (auto read = read_xml(xml, reader); !read) return s3_fail(std::move(read.error()));
  return std::move(reader.request);
}

S3Result<CompleteRequest> parse_complete(std::string_view xml) {
  CompleteReader reader;
  auto read = read_xml(xml, reader);
  if (reader.number_out_of_range)
    return s3_fail("InvalidArgument",
                   "PartNumber must be an integer between 1 and 10000, inclusive");
  if (!read) return s3_fail(std::move(read.error()));
  return std::move(reader.request);
}

S3Result<std::string> parse_create_bucket(std::string_view xml) {
  if (blank(xml)) return std::string();
  CreateBucketReader reader;
  if (auto read = read_xml(xml, reader); !read) return s3_fail(std::move(read.error()));
  if (reader.tagged) return s3_fail("NotImplemented", "Bucket tags are not implemented");
  return reader.location.value_or(std::string());
}

}  // namespace kura::s3
