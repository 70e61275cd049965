// The worked examples of AWS's documentation (S3 API, "Examples: Signature Calculations in AWS
// Signature Version 4" and the two pages on chunked uploads).

#include <gtest/gtest.h>

#include "s3/auth/signer.h"
#include "s3/auth/sigv4.h"
#include "s3/codec/checksum.h"

namespace kura::s3 {
namespace {

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kCredential = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
constexpr std::string_view kEmptySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

RequestHead request(std::string method, std::string path, std::string query,
                    std::vector<Headers::Field> headers) {
  RequestHead head;
  head.method = std::move(method);
  head.path = std::move(path);
  head.query = std::move(query);
  for (auto& [name, value] : headers) head.headers.add(name, value);
  return head;
}

// What the signature should be, by the claim that the request makes.
std::string expected_signature(RequestHead head, const std::string& signed_headers) {
  head.headers.add("authorization", "AWS4-HMAC-SHA256 Credential=" + std::string(kCredential) +
                                        ",SignedHeaders=" + signed_headers + ",Signature=0");
  const auto claim = parse_claim(head);
  if (!claim) return claim.error().message;
  const SigningKey key = derive_signing_key(kSecret, (*claim)->scope);
  return signature_of(key, string_to_sign((*claim)->timestamp, (*claim)->scope,
                                          canonical_request(head, **claim).value()));
}

TEST(SigV4Vectors, GetObject) {
  const RequestHead head = request("GET", "/test.txt", "",
                                   {{"host", "examplebucket.s3.amazonaws.com"},
                                    {"range", "bytes=0-9"},
                                    {"x-amz-content-sha256", std::string(kEmptySha256)},
                                    {"x-amz-date", "20130524T000000Z"}});
  EXPECT_EQ(expected_signature(head, "host;range;x-amz-content-sha256;x-amz-date"),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4Vectors, PutObject) {
  const RequestHead head = request(
      "PUT", "/test%24file.text", "",
      {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
       {"host", "examplebucket.s3.amazonaws.com"},
       {"x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"},
       {"x-amz-date", "20130524T000000Z"},
       {"x-amz-storage-class", "REDUCED_REDUNDANCY"}});
  EXPECT_EQ(payload_hash_of("Welcome to Amazon S3."), head.headers.get("x-amz-content-sha256"));
  EXPECT_EQ(
      expected_signature(head, "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class"),
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  // The path is read as bytes: sent raw it is the same request.
  RequestHead raw = head;
  raw.path = "/test$file.text";
  EXPECT_EQ(
      expected_signature(raw, "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class"),
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(SigV4Vectors, Queries) {
  const std::vector<Headers::Field> headers = {{"host", "examplebucket.s3.amazonaws.com"},
                                               {"x-amz-content-sha256", std::string(kEmptySha256)},
                                               {"x-amz-date", "20130524T000000Z"}};
  const std::string names = "host;x-amz-content-sha256;x-amz-date";
  EXPECT_EQ(expected_signature(request("GET", "/", "lifecycle", headers), names),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  for (const char* query : {"max-keys=2&prefix=J", "prefix=J&max-keys=2", "prefix=%4A&max-keys=2"})
    EXPECT_EQ(expected_signature(request("GET", "/", query, headers), names),
              "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SigV4Vectors, Presigned) {
  RequestHead head = request("GET", "/test.txt", "", {{"host", "examplebucket.s3.amazonaws.com"}});
  const Signer signer("AKIAIOSFODNN7EXAMPLE", std::string(kSecret));
  signer.presign(&head, 1369353600000, 86400);
  EXPECT_EQ(head.query,
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
            "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"
            "X-Amz-SignedHeaders=host&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

constexpr char kFirst[] = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";

TEST(SigV4Vectors, SignedChunks) {
  const RequestHead head = request("PUT", "/examplebucket/chunkObject.txt", "",
                                   {{"host", "s3.amazonaws.com"},
                                    {"x-amz-date", "20130524T000000Z"},
                                    {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                                    {"x-amz-content-sha256", std::string(kStreamingSigned)},
                                    {"content-encoding", "aws-chunked"},
                                    {"x-amz-decoded-content-length", "66560"},
                                    {"content-length", "66824"}});
  const std::string seed =
      expected_signature(head,
                         "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
                         "x-amz-decoded-content-length;x-amz-storage-class");
  EXPECT_EQ(seed, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  const Scope scope{"20130524", "us-east-1", "s3"};
  ChunkSigner signer{derive_signing_key(kSecret, scope), "20130524T000000Z", scope, seed};
  EXPECT_EQ(signer.chunk(sha256_of(std::string(65536, 'a'))), kFirst);
  EXPECT_EQ(signer.chunk(sha256_of(std::string(1024, 'a'))),
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
  EXPECT_EQ(signer.chunk(sha256_of("")),
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
}

TEST(SigV4Vectors, SignedTrailer) {
  const RequestHead head = request("PUT", "/examplebucket/chunkObject.txt", "",
                                   {{"host", "s3.amazonaws.com"},
                                    {"x-amz-date", "20130524T000000Z"},
                                    {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                                    {"x-amz-content-sha256", std::string(kStreamingSignedTrailer)},
                                    {"content-encoding", "aws-chunked"},
                                    {"x-amz-decoded-content-length", "66560"},
                                    {"x-amz-trailer", "x-amz-checksum-crc32c"}});
  const std::string seed = expected_signature(
      head,
      "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;"
      "x-amz-storage-class;x-amz-trailer");
  EXPECT_EQ(seed, "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
  const Scope scope{"20130524", "us-east-1", "s3"};
  ChunkSigner signer{derive_signing_key(kSecret, scope), "20130524T000000Z", scope, seed};
  EXPECT_EQ(signer.chunk(sha256_of(std::string(65536, 'a'))),
            "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2");
  EXPECT_EQ(signer.chunk(sha256_of(std::string(1024, 'a'))),
            "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7");
  EXPECT_EQ(signer.chunk(sha256_of("")),
            "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992");
  EXPECT_EQ(signer.trailer("x-amz-checksum-crc32c:sOO8/Q==\n"),
            "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
}

}  // namespace
}  // namespace kura::s3
