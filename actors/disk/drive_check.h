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
  std::map<DriveId, std::shared_ptr<bool>> asking_;  // True while a question is under way.
};

}  // namespace kura::disk
