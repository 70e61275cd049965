#include "s3/op/subresource.h"

#include <algorithm>
#include <iterator>

namespace kura::s3 {
namespace {

// Names in a query that change what a request means. With a method that has no row for the name,
// the request must not fall through to the plain form (PUT ?foo is not PutObject).
constexpr std::string_view kSubresources[] = {"abac",
                                              "accelerate",
                                              "acl",
                                              "analytics",
                                              "append",
                                              "attributes",
                                              "cors",
                                              "delete",
                                              "encryption",
                                              "events",
                                              "intelligent-tiering",
                                              "inventory",
                                              "legal-hold",
                                              "lifecycle",
                                              "location",
                                              "logging",
                                              "metadataConfiguration",
                                              "metadataInventoryTable",
                                              "metadataJournalTable",
                                              "metadataTable",
                                              "metrics",
                                              "notification",
                                              "object-lock",
                                              "ownershipControls",
                                              "policy",
                                              "policyStatus",
                                              "publicAccessBlock",
                                              "renameObject",
                                              "replication",
                                              "requestPayment",
                                              "restore",
                                              "retention",
                                              "select",
                                              "session",
                                              "tagging",
                                              "torrent",
                                              "uploadId",
                                              "uploads",
                                              "versioning",
                                              "versions",
                                              "website"};

}  // namespace

std::string_view subresource_of(const Query& query) {
  for (const auto& [name, value] : query.all())
    if (std::find(std::begin(kSubresources), std::end(kSubresources), name) !=
        std::end(kSubresources))
      return name;
  return {};
}

}  // namespace kura::s3
