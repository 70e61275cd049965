// Buckets, the service, and what is the same for every request: addresses, permissions, errors.

#include <gtest/gtest.h>

#include "tests/s3_op/op_world.h"

namespace kura::s3 {
namespace {

TEST(Buckets, CreateHeadLocateDelete) {
  OpWorld w;
  Got created = w.send("PUT", "/my-bucket");
  EXPECT_EQ(created.status, 200);
  EXPECT_EQ(created.header("location"), "/my-bucket");
  Got head = w.send("HEAD", "/my-bucket");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("x-amz-bucket-region"), "us-east-1");
  Got location = w.send("GET", "/my-bucket?location");
  EXPECT_NE(location.body.find("\"></LocationConstraint>"), std::string::npos) << location.body;
  EXPECT_EQ(w.send("DELETE", "/my-bucket").status, 204);
  Got gone = w.send("HEAD", "/my-bucket");
  EXPECT_EQ(gone.status, 404);
  EXPECT_EQ(gone.body, "");
  EXPECT_EQ(w.send("DELETE", "/my-bucket").code, "NoSuchBucket");
}

TEST(Buckets, RegionOfTheCreation) {
  OpWorld w;
  std::string document =
      "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
  EXPECT_EQ(w.send("PUT", "/bbb", document).status, 200);
  EXPECT_NE(w.send("GET", "/bbb?location").body.find(">eu-west-1<"), std::string::npos);
  EXPECT_EQ(w.send("HEAD", "/bbb").header("x-amz-bucket-region"), "eu-west-1");
  w.settings.region_strict = true;
  EXPECT_EQ(w.send("PUT", "/ccc", document).code, "IllegalLocationConstraintException");
  EXPECT_EQ(w.send("PUT", "/ccc", "<CreateBucketConfiguration>").code, "MalformedXML");
}

TEST(Buckets, RefusedCreations) {
  OpWorld w;
  EXPECT_EQ(w.send("PUT", "/bbb").status, 200);
  Got again = w.send("PUT", "/bbb");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.code, "BucketAlreadyOwnedByYou");
  EXPECT_EQ(w.send("PUT", "/Bad_Name").code, "InvalidBucketName");
  EXPECT_EQ(w.send("PUT", "/bb").code, "InvalidBucketName");
  EXPECT_EQ(w.send("PUT", "/ccc", "", {{"x-amz-bucket-object-lock-enabled", "true"}}).code,
            "NotImplemented");
  EXPECT_EQ(w.send("PUT", "/ccc", "", {{"x-amz-acl", "public-read"}}).code,
            "AccessControlListNotSupported");
  EXPECT_EQ(w.send("HEAD", "/ccc").status, 404);
}

TEST(Buckets, AFullBucketStays) {
  OpWorld w;
  w.send("PUT", "/bbb");
  w.send("PUT", "/bbb/k", "x");
  Got refused = w.send("DELETE", "/bbb");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.code, "BucketNotEmpty");
  EXPECT_EQ(w.send("GET", "/bbb/k").body, "x");
  // The uploads of a bucket that stays do as well.
  const std::string id = w.send("POST", "/bbb/k?uploads").element("UploadId");
  EXPECT_EQ(w.send("DELETE", "/bbb").code, "BucketNotEmpty");
  EXPECT_EQ(w.send("PUT", "/bbb/k?partNumber=1&uploadId=" + id, "x").status, 200);
}

TEST(Buckets, OpenUploadsGoWithTheirBucket) {
  OpWorld w;
  w.send("PUT", "/bbb");
  w.send("PUT", "/other");
  const std::string kept = w.send("POST", "/other/k?uploads").element("UploadId");
  std::string id;
  for (int i = 0; i < 250; ++i) {  // More than one page, over all partitions.
    const std::string target = "/bbb/k" + std::to_string(i);
    id = w.send("POST", target + "?uploads").element("UploadId");
    if (i % 50 == 0) {
      for (int number : {1, 2})
        EXPECT_EQ(
            w.send("PUT", target + "?partNumber=" + std::to_string(number) + "&uploadId=" + id,
                   content(20'000))
                .status,
            200);
    }
  }
  const BucketId bucket = w.tenants.state()->find_bucket("bbb")->id;
  EXPECT_EQ(w.view.counters(bucket)->uploads, 250u);
  EXPECT_EQ(w.send("DELETE", "/bbb").status, 204);
  EXPECT_EQ(w.view.counters(bucket)->uploads, 0u);
  for (const auto& [set, bytes] : w.blobs.sets)
    EXPECT_EQ(*w.view.live_bytes(SetId{set}), 0u) << "a part is still named";
  EXPECT_EQ(w.send("PUT", "/bbb/k249?partNumber=1&uploadId=" + id, "x").code, "NoSuchBucket");
  EXPECT_EQ(w.send("PUT", "/bbb").status, 200);
  EXPECT_TRUE(w.send("GET", "/bbb?uploads").elements("Upload").empty());
  EXPECT_EQ(w.send("PUT", "/other/k?partNumber=1&uploadId=" + kept, "x").status, 200);
}

// Whoever comes first: the object stays and the bucket with it, or both are gone.
TEST(Buckets, ACompletionAndADeletionAtOnce) {
  for (int first : {0, 1}) {
    OpWorld w;
    w.send("PUT", "/bbb");
    const std::string id = w.send("POST", "/bbb/k?uploads").element("UploadId");
    const std::string etag =
        w.send("PUT", "/bbb/k?partNumber=1&uploadId=" + id, "x").header("etag");
    const Sent complete{"POST",
                        "/bbb/k?uploadId=" + id,
                        {},
                        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + etag +
                            "</ETag></Part></CompleteMultipartUpload>"};
    const Sent remove{"DELETE", "/bbb"};
    std::vector<Got> got =
        first == 0 ? w.send_all({complete, remove}) : w.send_all({remove, complete});
    const Got& completed = got[first == 0 ? 0 : 1];
    const Got& removed = got[first == 0 ? 1 : 0];
    if (completed.status == 200) {
      EXPECT_EQ(removed.code, "BucketNotEmpty");
      EXPECT_EQ(w.send("GET", "/bbb/k").body, "x");
    } else {
      EXPECT_EQ(removed.status, 204);
      EXPECT_EQ(w.send("HEAD", "/bbb").status, 404);
    }
  }
}

TEST(ListBuckets, PagesAndFilters) {
  OpWorld w;
  for (const char* name : {"/aaa", "/abb", "/abc", "/bbb"}) w.send("PUT", name);
  std::vector<std::string> all{"aaa", "abb", "abc", "bbb"};
  Got got = w.send("GET", "/");
  EXPECT_EQ(got.elements("Name"), all);
  EXPECT_EQ(got.element("ContinuationToken"), "<none>");
  EXPECT_EQ(got.element("ID").size(), 64u);

  got = w.send("GET", "/?max-buckets=3");
  EXPECT_EQ(got.elements("Name").size(), 3u);
  std::string token = got.element("ContinuationToken");
  got = w.send("GET", "/?max-buckets=3&continuation-token=" + token);
  EXPECT_EQ(got.elements("Name"), std::vector<std::string>{"bbb"});
  EXPECT_EQ(got.element("ContinuationToken"), "<none>");
  // A page that is exactly full is the last one.
  EXPECT_EQ(w.send("GET", "/?max-buckets=4").element("ContinuationToken"), "<none>");

  got = w.send("GET", "/?prefix=ab");
  EXPECT_EQ(got.elements("Name"), (std::vector<std::string>{"abb", "abc"}));
  EXPECT_EQ(got.element("Prefix"), "ab");
  EXPECT_TRUE(w.send("GET", "/?bucket-region=mars").elements("Name").empty());
  EXPECT_EQ(w.send("GET", "/?bucket-region=us-east-1").elements("Name"), all);
  for (const char* bad : {"/?max-buckets=0", "/?max-buckets=10001", "/?max-buckets=x",
                          "/?continuation-token=abc", "/?continuation-token="})
    EXPECT_EQ(w.send("GET", bad).code, "InvalidArgument") << bad;
}

TEST(Buckets, NothingConfigured) {
  OpWorld w;
  w.send("PUT", "/bbb");
  const std::pair<const char*, const char*> missing[] = {
      {"cors", "NoSuchCORSConfiguration"},
      {"encryption", "ServerSideEncryptionConfigurationNotFoundError"},
      {"replication", "ReplicationConfigurationNotFoundError"},
      {"lifecycle", "NoSuchLifecycleConfiguration"},
      {"tagging", "NoSuchTagSet"},
      {"website", "NoSuchWebsiteConfiguration"},
      {"policy", "NoSuchBucketPolicy"},
      {"policyStatus", "NoSuchBucketPolicy"},
      {"object-lock", "ObjectLockConfigurationNotFoundError"},
      {"publicAccessBlock", "NoSuchPublicAccessBlockConfiguration"},
      {"ownershipControls", "OwnershipControlsNotFoundError"}};
  for (auto [name, code] : missing) {
    Got got = w.send("GET", std::string("/bbb?") + name);
    EXPECT_EQ(got.status, 404) << name;
    EXPECT_EQ(got.element("Code"), code) << name;
    EXPECT_EQ(w.send("GET", std::string("/none?") + name).code, "NoSuchBucket") << name;
    EXPECT_EQ(w.send("PUT", std::string("/bbb?") + name, "<x/>").status, 501) << name;
  }
  EXPECT_EQ(w.send("DELETE", "/bbb?acl").element("Message"),
            "The sub-resource acl with this method and target is not implemented");
  EXPECT_EQ(w.send("PUT", "/bbb?cors", "<x/>").element("Message"),
            "PutBucketCors is not implemented");
  EXPECT_NE(w.send("GET", "/bbb?versioning").body.find("<VersioningConfiguration xmlns"),
            std::string::npos);
  EXPECT_EQ(w.send("GET", "/bbb?requestPayment").element("Payer"), "BucketOwner");
  EXPECT_EQ(w.send("GET", "/bbb?acl").element("Permission"), "FULL_CONTROL");
  EXPECT_EQ(w.send("GET", "/bbb?logging").status, 200);
  EXPECT_EQ(w.send("GET", "/bbb?notification").status, 200);
  EXPECT_EQ(w.send("GET", "/bbb?accelerate").status, 200);
  EXPECT_EQ(w.send("GET", "/none?acl").code, "NoSuchBucket");
}

TEST(Permissions, BeforeAnyLookUp) {
  OpWorld w;
  w.send("PUT", "/mine");
  w.send("PUT", "/other");
  w.send("PUT", "/other/k", "secret");
  w.send("PUT", "/mine/k", "x");

  w.keys.identity = {"AKIDROOT", false, false, ""};  // Read-only, all buckets.
  EXPECT_EQ(w.send("GET", "/mine/k").status, 200);
  EXPECT_EQ(w.send("PUT", "/mine/k", "y").code, "AccessDenied");
  EXPECT_EQ(w.send("DELETE", "/mine/k").code, "AccessDenied");
  EXPECT_EQ(w.send("POST", "/mine/k?uploads").code, "AccessDenied");
  EXPECT_EQ(w.send("POST", "/mine?delete", "<Delete/>").code, "AccessDenied");
  EXPECT_EQ(w.send("PUT", "/new").code, "AccessDenied");

  w.keys.identity = {"AKIDROOT", false, true, "mine"};  // One bucket.
  EXPECT_EQ(w.send("PUT", "/mine/k", "y").status, 200);
  EXPECT_EQ(w.send("GET", "/other/k").code, "AccessDenied");
  // The same answer whether the bucket is there or not.
  EXPECT_EQ(w.send("GET", "/none/k").code, "AccessDenied");
  EXPECT_EQ(w.send("GET", "/").elements("Name"), std::vector<std::string>{"mine"});
  // The route speaks of the destination; the source is another bucket.
  EXPECT_EQ(w.send("PUT", "/mine/c", "", {{"x-amz-copy-source", "/other/k"}}).code, "AccessDenied");
  EXPECT_EQ(w.send("PUT", "/mine/c", "", {{"x-amz-copy-source", "/mine/k"}}).status, 200);
  Got upload = w.send("POST", "/mine/m?uploads");
  std::string part = "/mine/m?partNumber=1&uploadId=" + upload.element("UploadId");
  EXPECT_EQ(w.send("PUT", part, "", {{"x-amz-copy-source", "other/k"}}).code, "AccessDenied");
}

TEST(Requests, SignaturesAndMethods) {
  OpWorld w;
  w.keys.identity.access_key = "SOMEBODY";
  EXPECT_EQ(w.send("GET", "/").code, "InvalidAccessKeyId");
  w.keys.identity.access_key = "AKIDROOT";
  EXPECT_EQ(w.send("PATCH", "/bbb").code, "MethodNotAllowed");
  EXPECT_EQ(w.send("POST", "/bbb/k").code, "MethodNotAllowed");
  EXPECT_EQ(w.send("PUT", "/").code, "MethodNotAllowed");
  EXPECT_EQ(w.send("PUT", "/bbb/k?select").code, "NotImplemented");
}

TEST(Requests, ErrorDocument) {
  OpWorld w;
  w.send("PUT", "/bbb");
  Got got = w.send("GET", "/bbb/no%20such");
  EXPECT_EQ(got.status, 404);
  EXPECT_EQ(got.header("content-type"), "application/xml");
  EXPECT_EQ(got.element("Code"), "NoSuchKey");
  EXPECT_EQ(got.element("Message"), "The specified key does not exist.");
  EXPECT_EQ(got.element("Key"), "no such");
  EXPECT_EQ(got.element("Resource"), "/bbb/no%20such");
  EXPECT_EQ(got.element("RequestId"), "REQUESTID");
  EXPECT_EQ(w.send("HEAD", "/bbb/none").body, "");
}

TEST(Requests, ExpectedOwner) {
  OpWorld w;
  w.send("PUT", "/bbb");
  std::string owner = w.send("GET", "/").element("ID");
  EXPECT_EQ(w.send("HEAD", "/bbb", "", {{"x-amz-expected-bucket-owner", owner}}).status, 200);
  EXPECT_EQ(w.send("HEAD", "/bbb", "", {{"x-amz-expected-bucket-owner", "123456789012"}}).status,
            403);
}

TEST(Requests, VirtualHostStyle) {
  OpWorld w;
  w.settings.domains = {"s3.test"};
  EXPECT_EQ(w.send("PUT", "/", "", {{"host", "bbb.s3.test:9000"}}).operation, "CreateBucket");
  EXPECT_EQ(w.send("PUT", "/k/x", "body", {{"host", "bbb.s3.test:9000"}}).status, 200);
  EXPECT_EQ(w.send("GET", "/bbb/k/x").body, "body");
  EXPECT_EQ(w.send("GET", "/", "", {{"host", "s3.test"}}).elements("Name"),
            std::vector<std::string>{"bbb"});
}

}  // namespace
}  // namespace kura::s3
