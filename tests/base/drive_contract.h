// The contract of Drive and File (base/drive.h), run against every implementation. For one .cc file
// of a binary:
//
//   INSTANTIATE_TEST_SUITE_P(Local, DriveContract, ::testing::Values(make_local_subject));

#pragma once

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/drive.h"
#include "tests/base/background.h"

namespace kura::testing {

struct DriveSubject {
  virtual ~DriveSubject() = default;
  virtual void run(Task<void> task) = 0;  // On a loop; returns when it has ended.
  virtual Drive& drive() = 0;             // Empty at first; another object after crash().
  // The process dies and the drive is opened again. What a real crash may lose may be lost here;
  // every File is gone before. Outside run().
  virtual void crash() = 0;
};

class DriveContract
    : public ::testing::TestWithParam<std::function<std::unique_ptr<DriveSubject>()>> {
 protected:
  using Step = Task<void> (*)(Drive&);
  void SetUp() override { subject_ = GetParam()(); }
  void run(Step step) { subject_->run(step(subject_->drive())); }
  void crash() { subject_->crash(); }

 private:
  std::unique_ptr<DriveSubject> subject_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DriveContract);

namespace drive_contract {

using FilePtr = std::shared_ptr<File>;

template <class T>
Errc code_of(const Result<T>& result) {
  return result ? Errc{} : result.error().code;
}

inline Task<FilePtr> make(Drive& drive, std::string name, uint64_t size_bytes) {
  auto file = co_await drive.create(std::move(name), size_bytes);
  EXPECT_TRUE(file) << file.error().detail;
  co_return file ? *file : nullptr;
}

inline Task<bool> put(File& file, uint64_t offset_bytes, std::string text) {
  std::vector<std::string_view> pieces{text};
  Result<void> wrote = co_await file.write(offset_bytes, std::move(pieces));
  EXPECT_TRUE(wrote) << wrote.error().detail;
  co_return wrote.has_value();
}

inline Task<std::string> get(File& file, uint64_t offset_bytes, uint64_t length_bytes) {
  Result<std::string> text = co_await file.read(offset_bytes, length_bytes);
  EXPECT_TRUE(text) << text.error().detail;
  co_return text.value_or("error");
}

inline Task<std::string> names(Drive& drive, std::string folder) {
  auto files = co_await drive.list(std::move(folder));
  EXPECT_TRUE(files) << files.error().detail;
  std::string all;
  if (files)
    for (const FileInfo& file : *files) all += file.name + " ";
  co_return all;
}

inline Task<void> created_files_read_as_zeros(Drive& drive) {
  FilePtr file = co_await make(drive, "a", 10'000);
  if (!file) co_return;
  EXPECT_EQ(file->size_bytes().value_or(0), 10'000u);
  std::string all = co_await get(*file, 0, 20'000);
  EXPECT_EQ(all, std::string(10'000, '\0'));
  FilePtr empty = co_await make(drive, "b", 0);
  if (!empty) co_return;
  EXPECT_EQ(empty->size_bytes().value_or(1), 0u);
  std::string nothing = co_await get(*empty, 0, 10);
  EXPECT_EQ(nothing, "");
}

inline Task<void> errors_of_names(Drive& drive) {
  co_await make(drive, "a", 0);
  auto again = co_await drive.create("a", 0);
  EXPECT_EQ(code_of(again), Errc::exists);
  auto opened = co_await drive.open("b");
  EXPECT_EQ(code_of(opened), Errc::not_found);
  auto in_folder = co_await drive.open("folder/b");
  EXPECT_EQ(code_of(in_folder), Errc::not_found);
  auto removed = co_await drive.remove("b");
  EXPECT_EQ(code_of(removed), Errc::not_found);
  auto renamed = co_await drive.rename("b", "c");
  EXPECT_EQ(code_of(renamed), Errc::not_found);
  removed = co_await drive.remove("a");
  EXPECT_TRUE(removed);
  opened = co_await drive.open("a");
  EXPECT_EQ(code_of(opened), Errc::not_found);
}

inline Task<void> refuses_foreign_names(Drive& drive) {
  for (const char* text : {"", ".", "..", "../x", "x/..", "x/../y", "/x", "x/", "a//b", "a/b/c",
                           "A", "a b", "a\\b", "a\nb", "\xc3\xa9", "x/./y", "*"}) {
    std::string name = text;
    auto created = co_await drive.create(name, 0);
    EXPECT_EQ(code_of(created), Errc::invalid_argument) << name;
    auto opened = co_await drive.open(name);
    EXPECT_EQ(code_of(opened), Errc::invalid_argument) << name;
    auto removed = co_await drive.remove(name);
    EXPECT_EQ(code_of(removed), Errc::invalid_argument) << name;
    auto from = co_await drive.rename(name, "x");
    EXPECT_EQ(code_of(from), Errc::invalid_argument) << name;
    auto to = co_await drive.rename("x", name);
    EXPECT_EQ(code_of(to), Errc::invalid_argument) << name;
  }
  auto folder = co_await drive.list("a/b");
  EXPECT_EQ(code_of(folder), Errc::invalid_argument);
  std::string long_name(kFileNameBytesMax + 1, 'a');
  auto created = co_await drive.create(long_name, 0);
  EXPECT_EQ(code_of(created), Errc::invalid_argument);
  std::string top = co_await names(drive, "");
  EXPECT_EQ(top, "");
}

inline Task<void> writes_and_reads(Drive& drive) {
  FilePtr file = co_await make(drive, "journal/0.log", 100);
  if (!file) co_return;
  std::string a = "one ", b, c = "two", d = " three";
  std::vector<std::string_view> pieces{a, b, c, d};
  Result<void> wrote = co_await file->write(10, std::move(pieces));
  EXPECT_TRUE(wrote);
  std::string text = co_await get(*file, 9, 15);
  EXPECT_EQ(text, std::string(1, '\0') + "one two three" + std::string(1, '\0'));
  co_await put(*file, 14, "TWO");
  text = co_await get(*file, 10, 13);
  EXPECT_EQ(text, "one TWO three");
  EXPECT_EQ(file->size_bytes().value_or(0), 100u);
  // Beyond the end, with a gap.
  co_await put(*file, 150, "end");
  EXPECT_EQ(file->size_bytes().value_or(0), 153u);
  text = co_await get(*file, 95, 1000);
  EXPECT_EQ(text, std::string(55, '\0') + "end");
  text = co_await get(*file, 153, 10);
  EXPECT_EQ(text, "");
  text = co_await get(*file, 1'000'000, 10);
  EXPECT_EQ(text, "");
  text = co_await get(*file, 0, 0);
  EXPECT_EQ(text, "");
  // Another handle sees the same bytes.
  auto other = co_await drive.open("journal/0.log");
  EXPECT_TRUE(other);
  if (!other) co_return;
  text = co_await get(**other, 150, 3);
  EXPECT_EQ(text, "end");
}

inline Task<void> writes_many_pieces(Drive& drive) {
  FilePtr file = co_await make(drive, "a", 0);
  if (!file) co_return;
  std::string all;
  for (int i = 0; i < 5000; ++i) all += std::to_string(i) + ",";
  std::vector<std::string_view> pieces;
  for (size_t at = 0; at < all.size(); at += 7)
    pieces.push_back(std::string_view(all).substr(at, 7));
  Result<void> wrote = co_await file->write_and_sync(3, std::move(pieces));
  EXPECT_TRUE(wrote);
  std::string text = co_await get(*file, 3, all.size() + 10);
  EXPECT_EQ(text, all);
}

inline Task<void> try_read_is_right_or_declines(Drive& drive) {
  FilePtr file = co_await make(drive, "a", 0);
  if (!file) co_return;
  co_await put(*file, 0, "hello world");
  std::string warm = co_await get(*file, 0, 11);
  std::string out;
  if (file->try_read(6, 5, &out)) {
    EXPECT_EQ(out, "world");
  }
  if (file->try_read(6, 100, &out)) {
    EXPECT_EQ(out, "world");
  }
  if (file->try_read(11, 5, &out)) {
    EXPECT_EQ(out, "");
  }
  std::array<char, 3> first{};
  std::array<char, 6> second{};
  const std::array<std::span<char>, 2> parts{first, second};
  if (file->try_read_into(2, parts)) {
    EXPECT_EQ(std::string(first.begin(), first.end()), "llo");
    EXPECT_EQ(std::string(second.begin(), second.end()), " world");
  }
  EXPECT_FALSE(file->try_read_into(3, parts)) << "the file ends before";
}

inline Task<void> lists_by_name(Drive& drive) {
  for (const char* name : {"b", "a.2", "f/z", "f/y", "c"}) co_await make(drive, name, 5);
  std::string top = co_await names(drive, "");
  EXPECT_EQ(top, "a.2 b c ");
  std::string folder = co_await names(drive, "f");
  EXPECT_EQ(folder, "y z ") << "names without the folder";
  std::string missing = co_await names(drive, "none");
  EXPECT_EQ(missing, "");
  auto files = co_await drive.list("f");
  EXPECT_TRUE(files && files->size() == 2 && files->at(0).size_bytes == 5);
}

inline Task<void> renames(Drive& drive) {
  FilePtr a = co_await make(drive, "a", 0);
  FilePtr b = co_await make(drive, "b", 0);
  if (!a || !b) co_return;
  co_await put(*a, 0, "from a");
  co_await put(*b, 0, "from b, longer");
  auto renamed = co_await drive.rename("a", "b");
  EXPECT_TRUE(renamed);
  auto opened = co_await drive.open("b");
  EXPECT_TRUE(opened);
  if (!opened) co_return;
  std::string text = co_await get(**opened, 0, 100);
  EXPECT_EQ(text, "from a");
  co_await put(*a, 0, "FROM");  // A handle follows its file.
  text = co_await get(**opened, 0, 100);
  EXPECT_EQ(text, "FROM a");
  renamed = co_await drive.rename("b", "folder/b");
  EXPECT_TRUE(renamed);
  std::string top = co_await names(drive, ""), folder = co_await names(drive, "folder");
  EXPECT_EQ(top, "");
  EXPECT_EQ(folder, "b ");
}

inline Task<void> truncates(Drive& drive) {
  FilePtr file = co_await make(drive, "a", 0);
  if (!file) co_return;
  co_await put(*file, 0, "hello world");
  Result<void> cut = co_await file->truncate(5);
  EXPECT_TRUE(cut);
  EXPECT_EQ(file->size_bytes().value_or(0), 5u);
  cut = co_await file->truncate(8);
  EXPECT_TRUE(cut);
  std::string text = co_await get(*file, 0, 100);
  EXPECT_EQ(text, std::string("hello\0\0\0", 8));
  // What was cut off and comes back reads as zeros, in later blocks, too.
  Result<void> grown = co_await file->truncate(100'000);
  EXPECT_TRUE(grown);
  EXPECT_EQ(file->size_bytes().value_or(0), 100'000u);
  text = co_await get(*file, 4, 200'000);
  EXPECT_EQ(text, "o" + std::string(99'995, '\0'));
}

inline Task<bool> write_block(FilePtr file, uint64_t index) {
  std::string block(4096, static_cast<char>('a' + index % 26));
  bool wrote = co_await put(*file, index * 4096, block);
  Result<void> synced = co_await file->sync();
  EXPECT_TRUE(synced);
  std::string back = co_await get(*file, index * 4096, 4096);
  EXPECT_EQ(back, block);
  co_return wrote&& synced;
}

inline Task<void> operations_overlap(Drive& drive) {
  FilePtr file = co_await make(drive, "a", 64 * 4096);
  if (!file) co_return;
  std::vector<Background<bool>> blocks;
  for (uint64_t i = 0; i < 64; ++i) blocks.emplace_back(write_block(file, i));
  for (auto& block : blocks) {
    auto ended = co_await block.join();
    EXPECT_TRUE(ended && *ended);
  }
}

inline Task<void> space_is_bounded(Drive& drive) {
  auto space = drive.space();
  EXPECT_TRUE(space);
  if (!space) co_return;
  EXPECT_GT(space->total_bytes, 0u);
  EXPECT_LE(space->free_bytes, space->total_bytes);
  auto file = co_await drive.create("f/huge", space->total_bytes + (1ull << 30));
  EXPECT_EQ(code_of(file), Errc::no_space);
  std::string left = co_await names(drive, "f");
  EXPECT_EQ(left, "");
}

inline Task<void> before_crash(Drive& drive) {
  for (const char* name : {"kept", "old", "gone"}) {
    FilePtr file = co_await make(drive, name, 0);
    if (!file) co_return;
    co_await put(*file, 0, std::string("bytes of ") + name);
    Result<void> synced = co_await file->sync();
    EXPECT_TRUE(synced);
  }
  auto renamed = co_await drive.rename("old", "f/new");
  EXPECT_TRUE(renamed);
  auto removed = co_await drive.remove("gone");
  EXPECT_TRUE(removed);
  co_await make(drive, "reserved", 12345);
  FilePtr cut = co_await make(drive, "cut", 0);
  if (!cut) co_return;
  std::string text = "0123456789";
  std::vector<std::string_view> pieces{text};
  Result<void> wrote = co_await cut->write_and_sync(0, std::move(pieces));
  EXPECT_TRUE(wrote);
  Result<void> truncated = co_await cut->truncate(4);
  EXPECT_TRUE(truncated);
}

inline Task<void> after_crash(Drive& drive) {
  std::string top = co_await names(drive, ""), folder = co_await names(drive, "f");
  EXPECT_EQ(top, "cut kept reserved ");
  EXPECT_EQ(folder, "new ");
  Result<std::string> text = co_await read_file(drive, "kept");
  EXPECT_EQ(text.value_or("error"), "bytes of kept");
  text = co_await read_file(drive, "f/new");
  EXPECT_EQ(text.value_or("error"), "bytes of old");
  text = co_await read_file(drive, "reserved");
  EXPECT_EQ(text.value_or("error"), std::string(12345, '\0'));
  text = co_await read_file(drive, "cut");
  EXPECT_EQ(text.value_or("error"), "0123");
}

inline Task<void> replace_twice(Drive& drive) {
  Result<void> replaced = co_await replace_file(drive, "identity", "first, and longer");
  EXPECT_TRUE(replaced);
  replaced = co_await replace_file(drive, "identity", "second");
  EXPECT_TRUE(replaced);
}

inline Task<void> replaced_is_second(Drive& drive) {
  Result<std::string> text = co_await read_file(drive, "identity");
  EXPECT_EQ(text.value_or("error"), "second");
  std::string top = co_await names(drive, "");
  EXPECT_EQ(top, "identity ");
}

}  // namespace drive_contract

TEST_P(DriveContract, CreatedFilesReadAsZeros) { run(drive_contract::created_files_read_as_zeros); }
TEST_P(DriveContract, ErrorsOfNames) { run(drive_contract::errors_of_names); }
TEST_P(DriveContract, RefusesForeignNames) { run(drive_contract::refuses_foreign_names); }
TEST_P(DriveContract, WritesAndReads) { run(drive_contract::writes_and_reads); }
TEST_P(DriveContract, WritesManyPieces) { run(drive_contract::writes_many_pieces); }
TEST_P(DriveContract, TryReadIsRightOrDeclines) {
  run(drive_contract::try_read_is_right_or_declines);
}
TEST_P(DriveContract, ListsByName) { run(drive_contract::lists_by_name); }
TEST_P(DriveContract, Renames) { run(drive_contract::renames); }
TEST_P(DriveContract, Truncates) { run(drive_contract::truncates); }
TEST_P(DriveContract, OperationsOverlap) { run(drive_contract::operations_overlap); }
TEST_P(DriveContract, SpaceIsBounded) { run(drive_contract::space_is_bounded); }
TEST_P(DriveContract, WhatWasDurableSurvivesACrash) {
  run(drive_contract::before_crash);
  crash();
  run(drive_contract::after_crash);
  crash();
  run(drive_contract::after_crash);
}
TEST_P(DriveContract, ReplacedFileSurvivesACrash) {
  run(drive_contract::replace_twice);
  crash();
  run(drive_contract::replaced_is_second);
}

}  // namespace kura::testing
