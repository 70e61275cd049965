#include <algorithm>

#include "s3/codec/encoding.h"
#include "s3/codec/uri.h"
#include "sim/sim_client.h"

namespace kura::sim {

namespace {

constexpr int kPagesMax = 10'000;
// Above every name.
const std::string& last_name() {
  static const std::string name(2000, '\xff');
  return name;
}

}  // namespace

// One page of ListObjectsV2.
struct SimClient::Page {
  struct Entry {
    std::string name;
    bool prefix = false;
    std::string etag;
    uint64_t size_bytes = 0;
  };
  Answer answer;
  std::vector<Entry> entries;  // As told: objects and common prefixes, merged by name.
  bool truncated = false;
  std::string token;
};

Task<bool> SimClient::list_page(std::string bucket,
                                std::vector<std::pair<std::string, std::string>> query,
                                Page* page) {
  S3Request request;
  request.method = "GET";
  request.bucket = bucket;
  request.query = std::move(query);
  const bool encoded = random_.pick(3) == 0;
  if (encoded) request.query.emplace_back("encoding-type", "url");
  page->answer = co_await perform(std::move(request));
  const Answer& answer = page->answer;
  record_bucket(bucket, answer, "LIST");
  expect(answer.is(404, "NoSuchBucket"), answer, "LIST", bucket);
  if (!answer.ok()) co_return false;
  const auto decoded = [encoded](std::string text) {
    return encoded ? s3::percent_decode(text, true).value_or("undecodable") : text;
  };
  std::string last_key;
  for (std::string_view one : xml_elements(answer.reply.body, "Contents")) {
    Page::Entry entry;
    entry.name = decoded(xml_text(one, "Key"));
    const std::string etag = xml_text(one, "ETag");
    entry.etag = etag.size() > 2 ? etag.substr(1, etag.size() - 2) : etag;
    entry.size_bytes = s3::parse_decimal(xml_text(one, "Size")).value_or(0);
    if (!last_key.empty() && entry.name <= last_key)
      shared_.violate("LIST is not in order: " + last_key + " before " + entry.name, bucket);
    last_key = entry.name;
    page->entries.push_back(std::move(entry));
  }
  for (std::string_view one : xml_elements(answer.reply.body, "CommonPrefixes"))
    page->entries.push_back({decoded(xml_text(one, "Prefix")), true, "", 0});
  std::stable_sort(page->entries.begin(), page->entries.end(),
                   [](const auto& a, const auto& b) { return a.name < b.name; });
  page->truncated = xml_text(answer.reply.body, "IsTruncated") == "true";
  page->token = xml_text(answer.reply.body, "NextContinuationToken");
  co_return true;
}

void SimClient::record_page(const std::string& bucket, const Page& page, const std::string& prefix,
                            const std::string& delimiter, const std::string& after) {
  std::map<std::string, const Page::Entry*> listed;
  for (const Page::Entry& entry : page.entries) {
    if (!listed.emplace(entry.name, &entry).second)
      shared_.violate("LIST shows a name twice: " + entry.name, bucket);
    const bool rolled_up =
        !delimiter.empty() && after.ends_with(delimiter) && entry.name.starts_with(after);
    if (entry.name <= after || rolled_up || !entry.name.starts_with(prefix))
      shared_.violate("LIST shows a name that is not in its range: " + entry.name, bucket);
    if (!entry.prefix && !shared_.keys[bucket].contains(entry.name))
      shared_.violate("LIST shows a key that nobody ever wrote: " + entry.name, bucket);
  }
  if (page.truncated && (page.entries.empty() || page.token.empty()))
    shared_.violate("LIST is truncated but does not go on", bucket);
  const std::string end =
      page.truncated && !page.entries.empty() ? page.entries.back().name : last_name();

  for (const std::string& key : shared_.keys[bucket]) {
    if (!key.starts_with(prefix)) continue;
    std::string shown = key;
    if (!delimiter.empty()) {
      const size_t at = key.find(delimiter, prefix.size());
      if (at != std::string::npos) shown = key.substr(0, at + delimiter.size());
    }
    if (shown <= after || shown > end) continue;
    const std::string name = bucket + "/" + key;
    auto entry = listed.find(shown);
    if (entry == listed.end()) {
      record_read(name, page.answer, "LIST", Holds::is, kAbsent);
      continue;
    }
    if (entry->second->prefix) continue;  // Some key below it is there.
    const Page::Entry& object = *entry->second;
    auto values = shared_.by_etag.find({name, object.etag});
    if (values == shared_.by_etag.end()) {
      shared_.violate("LIST shows an ETag that nobody wrote there: " + object.etag, name);
      continue;
    }
    const Value any = *values->second.begin();
    if (shared_.history.content(any).size_bytes() != object.size_bytes)
      shared_.violate("LIST shows a wrong size: " + std::to_string(object.size_bytes), name);
    if (values->second.size() == 1)
      record_read(name, page.answer, "LIST", Holds::is, any);
    else
      record_read(name, page.answer, "LIST", Holds::is_present, kAbsent);
  }
}

Task<CountedBucket> SimClient::list(std::string bucket, bool plain) {
  CountedBucket found;
  std::string prefix, delimiter, after;
  uint64_t keys_max = plain ? 1000 : 1 + random_.pick(1 + shared_.keys[bucket].size());
  if (!plain) {
    const std::string key = draw_key(bucket);
    if (random_.pick(3) == 0) prefix = key.substr(0, random_.pick(key.size() + 1));
    if (random_.pick(4) == 0) delimiter = "/";
    if (random_.pick(5) == 0) after = draw_key(bucket);
  } else if (random_.pick(2) == 0) {
    keys_max = 1 + random_.pick(7);
  }
  // An escape cut in half would be no UTF-8.
  while (!prefix.empty() && (static_cast<uint8_t>(prefix.back()) & 0x80)) prefix.pop_back();
  std::string token;
  for (int pages = 0; pages < kPagesMax; ++pages) {
    std::vector<std::pair<std::string, std::string>> query{{"list-type", "2"}};
    if (!prefix.empty()) query.emplace_back("prefix", prefix);
    if (!delimiter.empty()) query.emplace_back("delimiter", delimiter);
    if (keys_max < 1000) query.emplace_back("max-keys", std::to_string(keys_max));
    if (!token.empty())
      query.emplace_back("continuation-token", token);
    else if (!after.empty())
      query.emplace_back("start-after", after);
    Page page;
    const bool read = co_await list_page(bucket, std::move(query), &page);
    if (!read) co_return found;
    if (page.entries.size() > keys_max)
      shared_.violate("LIST shows more than max-keys: " + std::to_string(page.entries.size()),
                      bucket);
    record_page(bucket, page, prefix, delimiter, after);
    for (const Page::Entry& entry : page.entries) {
      found.objects += entry.prefix ? 0 : 1;
      found.bytes += entry.size_bytes;
    }
    if (!page.truncated || page.token.empty() || page.entries.empty()) co_return found;
    probe("LIST went on to another page");
    token = page.token;
    after = page.entries.back().name;
  }
  shared_.violate("LIST never ends", bucket);
  co_return found;
}

Task<uint64_t> SimClient::count_uploads(std::string bucket) {
  uint64_t uploads = 0;
  std::string key_marker, upload_marker;
  for (int pages = 0; pages < kPagesMax; ++pages) {
    S3Request request;
    request.method = "GET";
    request.bucket = bucket;
    request.query = {{"uploads", ""}, {"max-uploads", "7"}};
    if (!key_marker.empty()) request.query.emplace_back("key-marker", key_marker);
    if (!upload_marker.empty()) request.query.emplace_back("upload-id-marker", upload_marker);
    Answer answer = co_await perform(std::move(request));
    if (!answer.ok()) break;
    uploads += xml_elements(answer.reply.body, "Upload").size();
    if (xml_text(answer.reply.body, "IsTruncated") != "true") break;
    key_marker = xml_text(answer.reply.body, "NextKeyMarker");
    upload_marker = xml_text(answer.reply.body, "NextUploadIdMarker");
  }
  co_return uploads;
}

Task<void> SimClient::ensure_bucket(std::string bucket) {
  while (true) {
    S3Request request;
    request.method = "PUT";
    request.bucket = bucket;
    Answer answer = co_await perform(std::move(request));
    if (answer.ok() || answer.is(409, "")) co_return;
    expect(false, answer, "CreateBucket", bucket);
    co_await sleep_for(50 * kMillisecond);
  }
}

Task<void> SimClient::create_bucket(std::string bucket) {
  S3Request request;
  request.method = "PUT";
  request.bucket = bucket;
  const Value value = new_value(bucket, {}, "");
  Answer answer = co_await perform(std::move(request));
  const bool there = answer.is(409, "BucketAlreadyOwnedByYou");
  expect(there, answer, "CreateBucket", bucket);
  record_write(bucket, answer, "CreateBucket", Holds::is, kAbsent, value);
  if (there) record_read(bucket, answer, "CreateBucket", Holds::is_present, kAbsent);
  if (answer.ok() && answer.doubtful) {  // No request id ties the attempts together.
    Answer earlier = answer;
    earlier.reply = S3Reply{.sent = true};
    const Value another = new_value(bucket, {}, "");
    record_write(bucket, earlier, "CreateBucket, first attempts", Holds::is, kAbsent, another);
  }
  if (answer.ok()) probe("bucket created");
}

Task<void> SimClient::delete_bucket(std::string bucket) {
  S3Request request;
  request.method = "DELETE";
  request.bucket = bucket;
  Answer answer = co_await perform(std::move(request));
  const bool gone = answer.is(404, "NoSuchBucket"), full = answer.is(409, "BucketNotEmpty");
  expect(gone || full, answer, "DeleteBucket", bucket);
  record_write(bucket, answer, "DeleteBucket", Holds::is_present, kAbsent, kAbsent);
  if (gone) record_read(bucket, answer, "DeleteBucket", Holds::is, kAbsent);
  if (full) record_read(bucket, answer, "DeleteBucket", Holds::is_present, kAbsent);
  if (full) probe("bucket not empty");
  if (!answer.ok()) co_return;
  probe("bucket deleted");
  // It was empty when it went.
  Answer whole = answer;
  whole.attempted_ns = answer.invoked_ns;
  for (const std::string& key : shared_.keys[bucket])
    record_read(bucket + "/" + key, whole, "DeleteBucket", Holds::is, kAbsent);
  if (!answer.doubtful) co_return;
  whole.reply = S3Reply{.sent = true};
  record_write(bucket, whole, "DeleteBucket, first attempts", Holds::is_present, kAbsent, kAbsent);
}

Task<void> SimClient::head_bucket(std::string bucket) {
  S3Request request;
  request.method = "HEAD";
  request.bucket = bucket;
  Answer answer = co_await perform(std::move(request));
  expect(answer.is(404, ""), answer, "HeadBucket", bucket);
  if (answer.is(404, "")) record_read(bucket, answer, "HeadBucket", Holds::is, kAbsent);
  if (answer.ok()) record_read(bucket, answer, "HeadBucket", Holds::is_present, kAbsent);
}

}  // namespace kura::sim
