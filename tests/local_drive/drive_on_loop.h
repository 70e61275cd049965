// A LocalDrive with the loop that its tests run on.

#pragma once

#include <memory>
#include <string>

#include "actors/disk/local_drive.h"
#include "net/asio_loop.h"
#include "net/block_on.h"
#include "net/kernel.h"

namespace kura::testing {

struct DriveOnLoop {
  explicit DriveOnLoop(std::string path_in, const LocalDriveOptions& options_in = {})
      : path(std::move(path_in)), options(options_in), loop(clock) {
    loop.start("test");
    open();
  }
  // Drives go before loops; the loop is still needed to close the rest.
  ~DriveOnLoop() {
    loop.stop();
    drive.reset();
  }
  void open() {
    drive.reset();
    drive = open_local_drive(path, options).value();
  }
  std::string path;
  LocalDriveOptions options;
  SystemClock clock;
  AsioLoop loop;
  std::unique_ptr<LocalDrive> drive;
};

}  // namespace kura::testing
