// Store: everything that the protocol edges (s3/, admin/) may use of the node.

#pragma once

#include "actors/bucket/bucket_writer.h"
#include "actors/tenant/tenants.h"
#include "base/blob_store.h"
#include "base/clock.h"
#include "base/random.h"
#include "journal/journal.h"
#include "projections/metadata/view.h"

namespace kura {

struct Store {
  BucketWriter& buckets;
  Tenants& tenants;
  MetadataView& view;
  BlobStore& blobs;
  journal::InlineBodies& inline_bodies;
  Clock& clock;
  Random& random;
};

}  // namespace kura
