// Memory of coroutine frames: an S3 request runs through twenty of them, and the same sizes come
// again with each request.

#pragma once

#include <cstddef>

namespace kura::frame_pool {

// Freed frames are kept by the thread that frees them, a bounded number of each size. Under
// AddressSanitizer nothing is kept, so that a frame that is used too late is found.
void* allocate(size_t size_bytes);
void release(void* frame, size_t size_bytes) noexcept;

}  // namespace kura::frame_pool
