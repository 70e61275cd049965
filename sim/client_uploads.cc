#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "sim/sim_client.h"

namespace kura::sim {

Task<void> SimClient::upload(std::string bucket, std::string key) {
  const std::string name = bucket + "/" + key;
  const Value value = new_value(name, {}, "");
  S3Request request;
  request.method = "POST";
  request.bucket = bucket;
  request.key = key;
  request.query.emplace_back("uploads", "");
  request.headers.emplace_back("x-amz-meta-value", std::to_string(value));
  Answer answer = co_await perform(std::move(request));
  expect(answer.is(404, "NoSuchBucket"), answer, "CreateMultipartUpload", name);
  if (!answer.ok()) co_return;
  const std::string upload = xml_text(answer.reply.body, "UploadId");

  std::vector<std::pair<uint32_t, PartDone>> parts;
  const uint32_t first = 1 + static_cast<uint32_t>(random_.pick(5));
  const auto count = static_cast<uint32_t>(1 + random_.pick(4));
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t part_number = first + i * 7;
    const uint64_t least = i + 1 < count ? shared_.options.part_bytes_min : 1;
    const uint64_t size = least + draw_size();
    auto part = co_await put_part(bucket, key, upload, part_number, size);
    if (part && random_.pick(4) == 0) {  // The client thinks better of it.
      part = co_await put_part(bucket, key, upload, part_number, size + 1);
      probe("part replaced");
    }
    if (!part) {
      co_await abort_upload(bucket, key, upload);
      co_return;
    }
    parts.emplace_back(part_number, std::move(*part));
  }
  const uint64_t end = random_.pick(10);
  if (end == 0) co_return;  // Left open.
  if (end == 1) {
    co_await abort_upload(bucket, key, upload);
    co_return;
  }
  if (count > 1) probe("upload of several parts");
  co_await finish_upload(bucket, key, upload, value, std::move(parts));
}

Task<std::optional<SimClient::PartDone>> SimClient::put_part(std::string bucket, std::string key,
                                                             std::string upload, uint32_t number,
                                                             uint64_t size_bytes) {
  S3Request request;
  request.method = "PUT";
  request.bucket = bucket;
  request.key = key;
  request.query = {{"partNumber", std::to_string(number)}, {"uploadId", upload}};
  PartDone done;
  done.content = {random_.draw(), size_bytes};
  request.body = Content{{done.content}}.bytes();
  done.etag = s3::hex_encode(s3::md5_of(request.body));
  draw_form(&request);
  Answer answer = co_await perform(std::move(request));
  expect(answer.is(404, "NoSuchUpload") || answer.is(404, "NoSuchBucket"), answer, "UploadPart",
         bucket + "/" + key);
  if (!answer.ok()) co_return std::nullopt;
  if (answer.reply.headers.get("etag") != "\"" + done.etag + "\"")
    shared_.violate("UploadPart answered with the ETag of other bytes", bucket + "/" + key);
  co_return done;
}

Task<void> SimClient::finish_upload(std::string bucket, std::string key, std::string upload,
                                    Value value, std::vector<std::pair<uint32_t, PartDone>> parts) {
  const std::string name = bucket + "/" + key;
  S3Request request;
  request.method = "POST";
  request.bucket = bucket;
  request.key = key;
  request.query.emplace_back("uploadId", upload);
  Content content;
  std::string digests;
  request.body = "<CompleteMultipartUpload>";
  for (const auto& [number, part] : parts) {
    request.body += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>\"" +
                    part.etag + "\"</ETag></Part>";
    content.pieces.push_back(part.content);
    digests += *s3::hex_decode(part.etag);
  }
  request.body += "</CompleteMultipartUpload>";
  const std::string etag = s3::hex_encode(s3::md5_of(digests)) + "-" + std::to_string(parts.size());
  shared_.history.content(value) = std::move(content);
  shared_.etags[value] = etag;
  shared_.by_etag[{name, etag}].insert(value);
  const auto demanded = draw_condition(name, &request);

  Answer answer = co_await perform(std::move(request));
  // S3 may begin a 200 before it knows the end; then the body tells.
  if (answer.ok() && xml_elements(answer.reply.body, "ETag").empty())
    answer.reply = S3Reply{.sent = true};
  record_conditional(bucket, name, answer, "CompleteMultipartUpload", demanded, value);
  if (!answer.ok()) co_return;
  probe("upload completed");
  last_seen_[name] = value;
  const std::string told = xml_text(answer.reply.body, "ETag");
  if (told != "\"" + etag + "\"")
    shared_.violate("CompleteMultipartUpload answered ETag " + told + " instead of " + etag, name);
}

Task<void> SimClient::abort_upload(std::string bucket, std::string key, std::string upload) {
  S3Request request;
  request.method = "DELETE";
  request.bucket = bucket;
  request.key = key;
  request.query.emplace_back("uploadId", upload);
  Answer answer = co_await perform(std::move(request));
  expect(answer.is(404, "NoSuchUpload") || answer.is(404, "NoSuchBucket"), answer,
         "AbortMultipartUpload", bucket + "/" + key);
  if (!answer.ok()) co_return;
  probe("upload aborted");
  // An aborted upload is gone for good.
  S3Request late;
  late.method = "PUT";
  late.bucket = bucket;
  late.key = key;
  late.query = {{"partNumber", "1"}, {"uploadId", upload}};
  late.body = "too late";
  Answer refused = co_await perform(std::move(late));
  if (refused.ok())
    shared_.violate("A part was taken after its upload was aborted", bucket + "/" + key);
}

}  // namespace kura::sim
