// DriveTable: which drives of the node are online. Thread-safe.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/drive.h"
#include "base/ids.h"

namespace kura::disk {

class DriveTable {
 public:
  enum class State {
    online,
    away,    // Not there or not ours: may come back as it was.
    failed,  // A write, sync or call of it failed: not used again by this process unless added
             // anew.
  };
  struct Entry {
    DriveId id;
    std::shared_ptr<Drive> drive;  // Null: never seen by this process.
    State state = State::away;
    std::string reason;
    int64_t since_ns = 0;  // Monotonic: of the last change of state.
  };

  // Called, on any thread, after a drive stopped being online.
  void on_offline(std::function<void(DriveId)> observer) { observer_ = std::move(observer); }

  void put(Entry entry);  // Replaces.
  void erase(DriveId id);
  std::shared_ptr<Drive> online(DriveId id) const;   // Null unless it is online.
  std::shared_ptr<Drive> mounted(DriveId id) const;  // Online or not; null: never seen.
  // An away drive may become failed; nothing else changes one that is offline.
  void set_offline(DriveId id, State state, std::string reason, int64_t now_ns);
  void set_reason(DriveId id, std::string reason);  // Of one that is offline.
  bool set_online(DriveId id, int64_t now_ns);      // Only from away; false otherwise.
  std::vector<Entry> all() const;                   // By id.
  std::vector<Entry> all_online() const;            // By id.
  bool known(DriveId id) const;
  size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::map<DriveId, Entry> drives_;
  std::function<void(DriveId)> observer_;
};

}  // namespace kura::disk
