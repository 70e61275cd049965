// DriveCheck: reads the identity of every drive again and again, through its path. A drive whose
// identity is missing or foreign goes offline; one that went offline that way comes back when its
// own identity is there again.

#pragma once

#include <map>
#include <memory>

#include "actors/disk/drive_table.h"
#include "base/result.h"
#include "base/task.h"

namespace kura::disk {

struct DiskCore;

class DriveCheck {
 public:
  explicit DriveCheck(std::shared_ptr<DiskCore> core) : core_(std::move(core)) {}
  // One look at every drive, side by side. A drive that hangs is not asked again before it answers.
  Task<void> pass();

 private:
  const std::shared_ptr<DiskCore> core_;
  // The last question to each drive. One that was added anew is another mount of it: what the old
  // one still owes says nothing of it.
  struct Question {
    std::weak_ptr<Drive> drive;
    std::shared_ptr<bool> under_way;
  };
  std::map<DriveId, Question> questions_;
};

}  // namespace kura::disk
