// Certificates made for one test.

#pragma once

#include <string>

namespace kura::testing {

struct PemPair {
  std::string certificate;
  std::string key;
};

// A self-signed certificate, its own authority, for `name`; `alternatives` as in OpenSSL's
// configuration: "DNS:localhost,IP:127.0.0.1".
PemPair make_certificate(const std::string& name, const std::string& alternatives);

void write_file(const std::string& path, const std::string& content);

}  // namespace kura::testing
