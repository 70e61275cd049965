// The table of operations. Most specific first: of two rows that both fit, the upper one counts.

#include <algorithm>
#include <map>

#include "s3/op/handlers.h"
#include "s3/op/operation.h"
#include "s3/op/subresource.h"

namespace kura::s3 {
namespace {

constexpr Target kService = Target::service, kBucket = Target::bucket, kObject = Target::object;
constexpr Access kRead = Access::read, kWrite = Access::write;
constexpr std::string_view kNot = "NotImplemented";
constexpr std::string_view kOfPut[] = {"if-match", "if-none-match"};
constexpr std::string_view kOfDelete[] = {"if-match", "x-amz-if-match-size",
                                          "x-amz-if-match-last-modified-time"};

std::vector<Route> make_routes() {  // NOLINT(readability-function-size): a table.
  return {
      {"ListBuckets", "GET", kService, "", Access::list_buckets, list_buckets, ""},

      // Buckets: sub-resources before the plain forms.
      {"GetBucketLocation", "GET", kBucket, "location", kRead, get_bucket_location, ""},
      {"ListMultipartUploads", "GET", kBucket, "uploads", kRead, list_multipart_uploads, ""},
      {"ListObjectVersions", "GET", kBucket, "versions", kRead, list_object_versions, ""},
      {"DeleteObjects", "POST", kBucket, "delete", kWrite, delete_objects, ""},

      {"GetBucketAcl", "GET", kBucket, "acl", kRead, get_bucket_acl, ""},
      {"GetBucketVersioning", "GET", kBucket, "versioning", kRead, get_bucket_versioning, ""},
      {"GetBucketRequestPayment", "GET", kBucket, "requestPayment", kRead,
       get_bucket_request_payment, ""},
      {"GetBucketAccelerateConfiguration", "GET", kBucket, "accelerate", kRead,
       get_bucket_accelerate, ""},
      {"GetBucketLogging", "GET", kBucket, "logging", kRead, get_bucket_logging, ""},
      {"GetBucketNotificationConfiguration", "GET", kBucket, "notification", kRead,
       get_bucket_notification, ""},
      {"GetBucketCors", "GET", kBucket, "cors", kRead, nullptr, "NoSuchCORSConfiguration"},
      {"GetBucketEncryption", "GET", kBucket, "encryption", kRead, nullptr,
       "ServerSideEncryptionConfigurationNotFoundError"},
      {"GetBucketReplication", "GET", kBucket, "replication", kRead, nullptr,
       "ReplicationConfigurationNotFoundError"},
      {"GetBucketLifecycleConfiguration", "GET", kBucket, "lifecycle", kRead, nullptr,
       "NoSuchLifecycleConfiguration"},
      {"GetBucketTagging", "GET", kBucket, "tagging", kRead, nullptr, "NoSuchTagSet"},
      {"GetBucketWebsite", "GET", kBucket, "website", kRead, nullptr, "NoSuchWebsiteConfiguration"},
      {"GetBucketPolicy", "GET", kBucket, "policy", kRead, nullptr, "NoSuchBucketPolicy"},
      {"GetBucketPolicyStatus", "GET", kBucket, "policyStatus", kRead, nullptr,
       "NoSuchBucketPolicy"},
      {"GetObjectLockConfiguration", "GET", kBucket, "object-lock", kRead, nullptr,
       "ObjectLockConfigurationNotFoundError"},
      {"GetPublicAccessBlock", "GET", kBucket, "publicAccessBlock", kRead, nullptr,
       "NoSuchPublicAccessBlockConfiguration"},
      {"GetBucketOwnershipControls", "GET", kBucket, "ownershipControls", kRead, nullptr,
       "OwnershipControlsNotFoundError"},
      {"GetBucketAnalyticsConfiguration", "GET", kBucket, "analytics,id", kRead, nullptr,
       "NoSuchConfiguration"},
      {"GetBucketIntelligentTieringConfiguration", "GET", kBucket, "intelligent-tiering,id", kRead,
       nullptr, "NoSuchConfiguration"},
      {"GetBucketInventoryConfiguration", "GET", kBucket, "inventory,id", kRead, nullptr,
       "NoSuchConfiguration"},
      {"GetBucketMetricsConfiguration", "GET", kBucket, "metrics,id", kRead, nullptr,
       "NoSuchConfiguration"},

      {"PutBucketAcl", "PUT", kBucket, "acl", kWrite, nullptr, kNot},
      {"PutBucketVersioning", "PUT", kBucket, "versioning", kWrite, nullptr, kNot},
      {"PutBucketRequestPayment", "PUT", kBucket, "requestPayment", kWrite, nullptr, kNot},
      {"PutBucketAccelerateConfiguration", "PUT", kBucket, "accelerate", kWrite, nullptr, kNot},
      {"PutBucketLogging", "PUT", kBucket, "logging", kWrite, nullptr, kNot},
      {"PutBucketNotificationConfiguration", "PUT", kBucket, "notification", kWrite, nullptr, kNot},
      {"PutBucketCors", "PUT", kBucket, "cors", kWrite, nullptr, kNot},
      {"DeleteBucketCors", "DELETE", kBucket, "cors", kWrite, nullptr, kNot},
      {"PutBucketEncryption", "PUT", kBucket, "encryption", kWrite, nullptr, kNot},
      {"DeleteBucketEncryption", "DELETE", kBucket, "encryption", kWrite, nullptr, kNot},
      {"PutBucketReplication", "PUT", kBucket, "replication", kWrite, nullptr, kNot},
      {"DeleteBucketReplication", "DELETE", kBucket, "replication", kWrite, nullptr, kNot},
      {"PutBucketLifecycleConfiguration", "PUT", kBucket, "lifecycle", kWrite, nullptr, kNot},
      {"DeleteBucketLifecycle", "DELETE", kBucket, "lifecycle", kWrite, nullptr, kNot},
      {"PutBucketTagging", "PUT", kBucket, "tagging", kWrite, nullptr, kNot},
      {"DeleteBucketTagging", "DELETE", kBucket, "tagging", kWrite, nullptr, kNot},
      {"PutBucketWebsite", "PUT", kBucket, "website", kWrite, nullptr, kNot},
      {"DeleteBucketWebsite", "DELETE", kBucket, "website", kWrite, nullptr, kNot},
      {"PutBucketPolicy", "PUT", kBucket, "policy", kWrite, nullptr, kNot},
      {"DeleteBucketPolicy", "DELETE", kBucket, "policy", kWrite, nullptr, kNot},
      {"PutObjectLockConfiguration", "PUT", kBucket, "object-lock", kWrite, nullptr, kNot},
      {"PutPublicAccessBlock", "PUT", kBucket, "publicAccessBlock", kWrite, nullptr, kNot},
      {"DeletePublicAccessBlock", "DELETE", kBucket, "publicAccessBlock", kWrite, nullptr, kNot},
      {"PutBucketOwnershipControls", "PUT", kBucket, "ownershipControls", kWrite, nullptr, kNot},
      {"DeleteBucketOwnershipControls", "DELETE", kBucket, "ownershipControls", kWrite, nullptr,
       kNot},

      // An extension of MinIO's, which must not become a listing.
      {"ListenNotification", "GET", kBucket, "events", kRead, nullptr, kNot},

      {"ListObjectsV2", "GET", kBucket, "list-type=2", kRead, list_objects_v2, ""},
      {"ListObjects", "GET", kBucket, "", kRead, list_objects, ""},
      {"HeadBucket", "HEAD", kBucket, "", kRead, head_bucket, ""},
      {"CreateBucket", "PUT", kBucket, "", kWrite, create_bucket, ""},
      {"DeleteBucket", "DELETE", kBucket, "", kWrite, delete_bucket, ""},
      {"PostObject", "POST", kBucket, "", kWrite, nullptr, kNot},

      // Objects.
      {"UploadPartCopy", "PUT", kObject, "uploadId,header:x-amz-copy-source", kWrite,
       upload_part_copy, ""},
      {"UploadPart", "PUT", kObject, "uploadId", kWrite, upload_part, ""},
      // Without this row a forgotten upload id would overwrite the object.
      {"UploadPart", "PUT", kObject, "partNumber", kWrite, upload_part, ""},
      {"CreateMultipartUpload", "POST", kObject, "uploads", kWrite, create_multipart_upload, "",
       kOfPut},
      {"CompleteMultipartUpload", "POST", kObject, "uploadId", kWrite, complete_multipart_upload,
       "", kOfPut, true},
      {"AbortMultipartUpload", "DELETE", kObject, "uploadId", kWrite, abort_multipart_upload, ""},
      {"ListParts", "GET", kObject, "uploadId", kRead, list_parts, ""},

      {"GetObjectAttributes", "GET", kObject, "attributes", kRead, get_object_attributes, ""},
      {"GetObjectAcl", "GET", kObject, "acl", kRead, get_object_acl, ""},
      {"GetObjectTagging", "GET", kObject, "tagging", kRead, get_object_tagging, ""},
      {"GetObjectRetention", "GET", kObject, "retention", kRead, get_object_lock_state,
       "InvalidRequest"},
      {"GetObjectLegalHold", "GET", kObject, "legal-hold", kRead, get_object_lock_state,
       "InvalidRequest"},
      {"GetObjectTorrent", "GET", kObject, "torrent", kRead, nullptr, kNot},
      {"PutObjectAcl", "PUT", kObject, "acl", kWrite, nullptr, kNot},
      {"PutObjectTagging", "PUT", kObject, "tagging", kWrite, nullptr, kNot},
      {"DeleteObjectTagging", "DELETE", kObject, "tagging", kWrite, nullptr, kNot},
      {"PutObjectRetention", "PUT", kObject, "retention", kWrite, nullptr, kNot},
      {"PutObjectLegalHold", "PUT", kObject, "legal-hold", kWrite, nullptr, kNot},
      {"RenameObject", "PUT", kObject, "renameObject", kWrite, nullptr, kNot},
      {"RestoreObject", "POST", kObject, "restore", kWrite, nullptr, kNot},
      {"SelectObjectContent", "POST", kObject, "select", kRead, nullptr, kNot},

      {"CopyObject", "PUT", kObject, "header:x-amz-copy-source", kWrite, copy_object, "", kOfPut},
      {"PutObject", "PUT", kObject, "", kWrite, put_object, "", kOfPut},
      {"GetObject", "GET", kObject, "", kRead, get_object, ""},
      {"HeadObject", "HEAD", kObject, "", kRead, head_object, ""},
      {"DeleteObject", "DELETE", kObject, "", kWrite, delete_object, "", kOfDelete},
  };
}

constexpr Route kUnknownSubresource = {
    "UnknownSubresource", "", kObject, "", kWrite, nullptr, kNot};

// One element of Route::required: "name", "name=value" or "header:name".
bool is_there(std::string_view element, const Query& query, const Headers& headers) {
  constexpr std::string_view kHeader = "header:";
  if (element.starts_with(kHeader)) return headers.has(element.substr(kHeader.size()));
  size_t equals = element.find('=');
  if (equals == std::string_view::npos) return query.has(element);
  std::string_view name = element.substr(0, equals);
  return query.has(name) && query.get(name) == element.substr(equals + 1);
}

bool fits(const Route& route, const Query& query, const Headers& headers) {
  std::string_view rest = route.required;
  while (!rest.empty()) {
    size_t comma = rest.find(',');
    if (!is_there(rest.substr(0, comma), query, headers)) return false;
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return true;
}

bool names_subresource(const Query& query) { return !subresource_of(query).empty(); }

// The rows with this method and target, in the order of the table.
const std::vector<const Route*>& routes_of(std::string_view method, Target target) {
  static const auto index = [] {
    std::map<std::pair<std::string_view, Target>, std::vector<const Route*>> rows;
    for (const Route& route : routes()) rows[{route.method, route.target}].push_back(&route);
    return rows;
  }();
  static const std::vector<const Route*> none;
  const auto it = index.find({method, target});
  return it == index.end() ? none : it->second;
}

bool is_plain(const Route& route) {
  return route.required.empty() || route.required.starts_with("header:") ||
         route.required.starts_with("list-type");
}

}  // namespace

const std::vector<Route>& routes() {
  static const std::vector<Route> table = make_routes();
  return table;
}

const Route* find_route(std::string_view method, Target target, const Query& query,
                        const Headers& headers) {
  for (const Route* route : routes_of(method, target)) {
    if (!fits(*route, query, headers)) continue;
    return is_plain(*route) && names_subresource(query) ? &kUnknownSubresource : route;
  }
  return target != Target::service && names_subresource(query) ? &kUnknownSubresource : nullptr;
}

}  // namespace kura::s3
