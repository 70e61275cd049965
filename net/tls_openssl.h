// What the OpenSSL side of net/ shares. For net/tls_*.cc only.

#pragma once

#include <string>

namespace kura {

// The last error of this thread as text; empties OpenSSL's queue.
std::string openssl_error();

}  // namespace kura
