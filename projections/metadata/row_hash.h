// RowHash: 128 bits over rows as they pass by (XXH3), what snapshots and digests of a view are
// compared by. Stored bytes depend on it.

#pragma once

#include <memory>
#include <string>
#include <string_view>

struct XXH3_state_s;

namespace kura {

class RowHash {
 public:
  RowHash();
  void add(std::string_view bytes);
  std::string digest() const;  // Of what was added so far: 16 bytes.

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

}  // namespace kura
