// TemporaryMount: a small tmpfs that a test can fill up or take away. Needs root.

#pragma once

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <string>

#include "tests/base/temporary_folder.h"

namespace kura::testing {

class TemporaryMount {
 public:
  explicit TemporaryMount(const std::string& size) {
    std::string options = "size=" + size;
    mounted_ = mount("none", folder_.path().c_str(), "tmpfs", 0, options.c_str()) == 0;
    EXPECT_TRUE(mounted_) << "this test mounts a tmpfs: run it as root";
  }
  ~TemporaryMount() { detach(); }
  bool mounted() const { return mounted_; }
  const std::string& path() const { return folder_.path(); }
  // As `umount -l`: open descriptors go on working, the path shows the empty folder below.
  void detach() {
    if (!mounted_) return;
    EXPECT_EQ(umount2(folder_.path().c_str(), MNT_DETACH), 0);
    mounted_ = false;
  }

 private:
  TemporaryFolder folder_;
  bool mounted_ = false;
};

}  // namespace kura::testing
