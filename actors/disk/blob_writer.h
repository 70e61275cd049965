// The BlobWriter of segment sets: gathers a body until its layout is clear, then packs or stripes.

#pragma once

#include <memory>
#include <string>

#include "actors/disk/striped_upload.h"
#include "base/blob_store.h"

namespace kura::disk {

// size_hint_bytes: 0 when not known.
std::unique_ptr<BlobWriter> make_blob_writer(std::shared_ptr<DiskCore> core, Target target,
                                             uint64_t size_hint_bytes);

}  // namespace kura::disk
