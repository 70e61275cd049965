#include "tests/base/drive_contract.h"
#include "tests/base/temporary_folder.h"
#include "tests/base/temporary_mount.h"
#include "tests/local_drive/drive_on_loop.h"

namespace kura::testing {
namespace {

// On the file system of the temporary folder (a disk), there without direct writes, and in memory.
template <class Place, bool direct = true>
struct LocalSubject : DriveSubject {
  template <class... Args>
  explicit LocalSubject(Args... args)
      : place(args...), on_loop(place.path(), LocalDriveOptions{.direct = direct}) {
    EXPECT_EQ(on_loop.drive->label(), place.path());
  }
  void run(Task<void> task) override { block_on(on_loop.loop, std::move(task)); }
  Drive& drive() override { return *on_loop.drive; }
  // The page cache outlives a process.
  void crash() override { on_loop.open(); }
  Place place;
  DriveOnLoop on_loop;
};

INSTANTIATE_TEST_SUITE_P(LocalDisk, DriveContract, ::testing::Values([] {
                           return std::unique_ptr<DriveSubject>(new LocalSubject<TemporaryFolder>);
                         }));
INSTANTIATE_TEST_SUITE_P(LocalDiskByThreads, DriveContract, ::testing::Values([] {
                           return std::unique_ptr<DriveSubject>(
                               new LocalSubject<TemporaryFolder, false>);
                         }));
INSTANTIATE_TEST_SUITE_P(LocalMemory, DriveContract, ::testing::Values([] {
                           return std::unique_ptr<DriveSubject>(
                               new LocalSubject<TemporaryMount>("64m"));
                         }));

}  // namespace
}  // namespace kura::testing
