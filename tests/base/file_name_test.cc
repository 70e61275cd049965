#include <gtest/gtest.h>

#include "base/drive.h"
#include "base/ids.h"

namespace kura {
namespace {

TEST(FileName, TakesOurNames) {
  for (const char* name : {"a", "journal/0.log", "set-12_3.member", "0/1", "...", "a..b"})
    EXPECT_TRUE(is_file_name(name)) << name;
  EXPECT_TRUE(is_folder_name(""));
  EXPECT_TRUE(is_folder_name("journal"));
}

TEST(FileName, RefusesEverythingElse) {
  for (const char* name : {"", ".", "..", "/", "/a", "a/", "a//b", "a/b/c", "../a", "a/..", "./a",
                           "A", "a b", "a\tb", "\xff", "a:b", "~"})
    EXPECT_FALSE(is_file_name(name)) << name;
  EXPECT_FALSE(is_file_name(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_file_name(std::string(kFileNameBytesMax + 1, 'a')));
  EXPECT_FALSE(is_folder_name("a/b"));
  EXPECT_FALSE(is_folder_name(".."));
}

TEST(Ids, HexAndOrder) {
  std::string raw(
      "\x00\x01\xfe\xff"
      "0123456789ab",
      16);
  auto id = uuid_from<DriveId>(raw);
  EXPECT_EQ(to_hex(id), "0001feff303132333435363738396162");
  EXPECT_EQ(id.view(), raw);
  EXPECT_FALSE(id.is_nil());
  EXPECT_TRUE(DriveId{}.is_nil());
  EXPECT_LT(Offset(1), Offset(2));
}

}  // namespace
}  // namespace kura
