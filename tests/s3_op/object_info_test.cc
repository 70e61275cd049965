#include "s3/op/object_info.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "s3/codec/uri.h"
#include "s3/op/hoisted.h"

namespace kura::s3 {
namespace {

class NoBody final : public VerifiedBody {
 public:
  Task<S3Result<std::string>> next() override { co_return std::string(); }
  std::optional<uint64_t> length_bytes() const override { return 0; }
  const Headers& trailer() const override { return trailer_; }
  const std::string& md5() const override { return md5_; }
  v1::Checksum::Algorithm checksum_algorithm() const override { return v1::Checksum::NONE; }
  const v1::Checksum& checksum() const override { return checksum_; }

 private:
  Headers trailer_;
  std::string md5_;
  v1::Checksum checksum_;
};

S3Result<v1::ObjectInfo> info_of(std::vector<Headers::Field> fields,
                                 std::vector<Headers::Field> query = {}) {
  RequestHead head;
  for (auto& [name, value] : fields) head.headers.add(name, value);
  Query params;
  for (auto& [name, value] : query) params.add(name, value);
  auto whole = with_hoisted_headers(head, params);
  if (!whole) return s3_fail(whole.error());
  if (*whole) head = **whole;
  NoBody body;
  Request request{head, std::move(params), "b", "k", {}, {}, "", body};
  return object_info_of(request);
}

std::string header_of(const v1::ObjectInfo& info, std::string_view name) {
  for (const v1::Header& header : info.headers())
    if (header.name() == name) return header.value();
  return "<none>";
}

TEST(ObjectInfo, TakesContentHeadersAndMetadata) {
  auto info = info_of({{"content-type", "text/plain"},
                       {"cache-control", "no-cache"},
                       {"content-encoding", "aws-chunked, gzip"},
                       {"content-length", "5"},
                       {"x-amz-meta-color", "blue"},
                       {"x-amz-meta-", "empty name"},
                       {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                       {"authorization", "secret"}});
  ASSERT_TRUE(info);
  EXPECT_EQ(header_of(*info, "content-type"), "text/plain");
  EXPECT_EQ(header_of(*info, "cache-control"), "no-cache");
  EXPECT_EQ(header_of(*info, "content-encoding"), "gzip");
  EXPECT_EQ(header_of(*info, "content-length"), "<none>");
  EXPECT_EQ(info->headers_size(), 3);
  ASSERT_EQ(info->user_metadata_size(), 2);
  EXPECT_EQ(info->user_metadata(0).name(), "color");
  EXPECT_EQ(info->user_metadata(0).value(), "blue");
  EXPECT_EQ(info->storage_class(), v1::REDUCED_REDUNDANCY);
}

TEST(ObjectInfo, AwsChunkedAloneIsNoEncoding) {
  auto info = info_of({{"content-encoding", "aws-chunked"}});
  ASSERT_TRUE(info);
  EXPECT_EQ(header_of(*info, "content-encoding"), "<none>");
}

TEST(ObjectInfo, HeadersThatAPresignedUrlCarries) {
  auto info = info_of({}, {{"X-Amz-Meta-Color", "blue"},
                           {"X-Amz-Storage-Class", "REDUCED_REDUNDANCY"},
                           {"X-Amz-Signature", "s"}});
  ASSERT_TRUE(info);
  ASSERT_EQ(info->user_metadata_size(), 1);
  EXPECT_EQ(info->user_metadata(0).name(), "color");
  EXPECT_EQ(info->storage_class(), v1::REDUCED_REDUNDANCY);
  // A line end would let the URL write headers of later answers.
  auto injected = info_of({}, {{"x-amz-meta-a", "b\r\nset-cookie: c"}});
  ASSERT_FALSE(injected);
  EXPECT_EQ(injected.error().code, "InvalidArgument");
  EXPECT_FALSE(info_of({}, {{"x-amz-meta-a: b\r\nc", "d"}}));
}

TEST(ObjectInfo, MetadataHasALimit) {
  // Names and values count, the prefix does not.
  std::string fits(kUserMetadataBytesMax - 3, 'v');
  EXPECT_TRUE(info_of({{"x-amz-meta-abc", fits}}));
  auto refused = info_of({{"x-amz-meta-abc", fits + "v"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "MetadataTooLarge");
}

// Stored text is a protobuf string: bytes that are no UTF-8 would make the record unreadable.
TEST(ObjectInfo, EveryByteBecomesUtf8) {
  auto info = info_of({{"x-amz-meta-a", "caf\xe9"},
                       {"x-amz-meta-b", "caf\xc3\xa9"},
                       {"content-disposition", "\xff"}});
  ASSERT_TRUE(info);
  EXPECT_EQ(info->user_metadata(0).value(), "caf\xc3\xa9");
  EXPECT_EQ(info->user_metadata(1).value(), "caf\xc3\xa9");
  EXPECT_TRUE(is_utf8(header_of(*info, "content-disposition")));
  v1::ObjectInfo again;
  EXPECT_TRUE(again.ParseFromString(info->SerializeAsString()));
}

TEST(ObjectInfo, JoinsMetadataOfOneName) {
  auto info = info_of(
      {{"x-amz-meta-a", "1"}, {"x-amz-meta-b", "x"}, {"x-amz-meta-a", "2"}, {"x-amz-meta-a", ""}},
      {{"X-Amz-Meta-A", "4"}});  // A header counts instead of a parameter of its name.
  ASSERT_TRUE(info);
  ASSERT_EQ(info->user_metadata_size(), 2);
  EXPECT_EQ(info->user_metadata(0).name(), "a");
  EXPECT_EQ(info->user_metadata(0).value(), "1,2,");
  EXPECT_EQ(info->user_metadata(1).value(), "x");
  // The joined value is what counts against the limit.
  std::vector<Headers::Field> many(kUserMetadataBytesMax / 2, {"x-amz-meta-a", "1"});
  EXPECT_TRUE(info_of(many));
  many.emplace_back("x-amz-meta-a", "1");
  EXPECT_EQ(info_of(many).error().code, "MetadataTooLarge");
}

TEST(ObjectInfo, RefusesWhatIsNotThere) {
  struct {
    const char* name;
    const char* value;
    const char* code;
  } cases[] = {
      {"x-amz-server-side-encryption", "AES256", "NotImplemented"},
      {"x-amz-server-side-encryption-customer-key", "k", "NotImplemented"},
      {"x-amz-tagging", "a=b", "NotImplemented"},
      {"x-amz-write-offset-bytes", "0", "NotImplemented"},
      {"x-amz-acl", "public-read", "AccessControlListNotSupported"},
      {"x-amz-acl", "bogus", "InvalidArgument"},
      {"x-amz-acl", "Private", "InvalidArgument"},
      {"x-amz-grant-read", "id=1", "AccessControlListNotSupported"},
      {"x-amz-object-lock-mode", "GOVERNANCE", "InvalidRequest"},
      {"x-amz-storage-class", "GLACIER", "InvalidStorageClass"},
      {"x-amz-website-redirect-location", "elsewhere", "InvalidArgument"},
  };
  for (const auto& c : cases) {
    auto info = info_of({{c.name, c.value}});
    ASSERT_FALSE(info) << c.name;
    EXPECT_EQ(info.error().code, c.code) << c.name;
  }
  EXPECT_EQ(info_of({}, {{"versionId", "null"}}).error().code, "InvalidArgument");
  EXPECT_TRUE(info_of({{"x-amz-acl", "private"}}));
  EXPECT_TRUE(info_of({{"x-amz-acl", "bucket-owner-full-control"}}));
}

TEST(MailSafe, EncodesWhatIsNotAscii) {
  EXPECT_EQ(mail_safe("plain ascii"), "plain ascii");
  EXPECT_EQ(mail_safe("\xc3\xa4\xc3\xb6"), "=?UTF-8?B?w6TDtg==?=");
  std::string long_text;
  for (int i = 0; i < 100; ++i) long_text += "\xe2\x82\xac";
  std::string safe = mail_safe(long_text);
  size_t begin = 0;
  int words = 0;
  while (begin < safe.size()) {
    size_t end = std::min(safe.find(' ', begin), safe.size());
    EXPECT_LE(end - begin, 75u);
    begin = end + 1;
    ++words;
  }
  EXPECT_EQ(words, 7);  // 300 bytes, 45 in each.
}

}  // namespace
}  // namespace kura::s3
