#include "projections/metadata/rows.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace kura {
namespace {

// Keys of few distinct bytes, so that prefixes, equal keys and the escaped byte are common.
rc::Gen<std::string> any_key() {
  return rc::gen::container<std::string>(
      rc::gen::element('\0', '\x01', 'a', 'b', '\xc3', '\xfe', '\xff'));
}

int sign(int order) { return order < 0 ? -1 : order > 0 ? 1 : 0; }

TEST(Rows, EscapingKeepsTheOrderOfKeys) {
  ASSERT_TRUE(rc::check([] {
    const std::string a = *any_key(), b = *any_key();
    // With what follows: the order must not depend on the upload id behind the key.
    const std::string row_a = row::upload_key(BucketId{7}, a, std::string(16, '\xff'));
    const std::string row_b = row::upload_key(BucketId{7}, b, std::string(16, '\0'));
    if (a != b) RC_ASSERT(sign(row_a.compare(row_b)) == sign(a.compare(b)));
  }));
}

TEST(Rows, NoKeyWithItsTerminatorStartsAnother) {
  ASSERT_TRUE(rc::check([] {
    const std::string a = *any_key(), b = *any_key();
    if (a == b) return;
    RC_ASSERT(
        !row::upload_key(BucketId{7}, b, "").starts_with(row::upload_key(BucketId{7}, a, "")));
  }));
}

TEST(Rows, PrefixesOfKeysArePrefixesOfRows) {
  ASSERT_TRUE(rc::check([] {
    const std::string key = *any_key(), prefix = *any_key();
    const std::string row = row::upload_key(BucketId{7}, key, std::string(16, 'u'));
    const std::string row_prefix = row::uploads_prefix(BucketId{7}) + row::escape(prefix);
    RC_ASSERT(row.starts_with(row_prefix) == key.starts_with(prefix));
    RC_ASSERT(
        row::current_key(BucketId{7}, key).starts_with(row::current_prefix(BucketId{7}) + prefix) ==
        key.starts_with(prefix));
  }));
}

TEST(Rows, KeysParseBack) {
  ASSERT_TRUE(rc::check([](uint64_t bucket, uint64_t number, uint32_t set, uint32_t member) {
    const std::string key = *any_key();
    const std::string id(16, static_cast<char>(number));
    const auto upload = row::parse_upload_key(row::upload_key(BucketId{bucket}, key, id));
    RC_ASSERT(upload.has_value());
    RC_ASSERT(upload->bucket.value == bucket && upload->key == key && upload->upload_id == id);
    const auto extent = row::parse_extent_key(row::extent_key(SetId{set}, number, member));
    RC_ASSERT(extent.has_value());
    RC_ASSERT(extent->set.value == set && extent->offset_bytes == number &&
              extent->member == member);
    const auto old = row::parse_noncurrent_key(row::noncurrent_key(BucketId{bucket}, key, number));
    RC_ASSERT(old.has_value());
    RC_ASSERT(old->key == key && old->sequence == number);
  }));
}

TEST(Rows, CutOrForeignKeysAreCorrupt) {
  const std::string upload =
      row::upload_key(BucketId{7}, std::string("a\0b", 3), std::string(16, 'u'));
  for (size_t size = 0; size < upload.size(); ++size)
    EXPECT_FALSE(row::parse_upload_key(upload.substr(0, size))) << size;
  EXPECT_FALSE(row::parse_upload_key(upload + "x"));
  EXPECT_FALSE(row::parse_extent_key(upload));
  EXPECT_FALSE(row::decode_u64("seven77"));
}

TEST(Rows, NewestVersionOfAKeyComesFirst) {
  ASSERT_TRUE(rc::check([](uint64_t older, uint64_t newer) {
    RC_PRE(older < newer);
    RC_ASSERT(row::noncurrent_key(BucketId{1}, "k", newer) <
              row::noncurrent_key(BucketId{1}, "k", older));
  }));
}

TEST(Rows, NumbersInKeysKeepTheirOrder) {
  ASSERT_TRUE(rc::check([](uint64_t a, uint64_t b) {
    RC_ASSERT((row::extent_key(SetId{1}, a, 0) < row::extent_key(SetId{1}, b, 0)) == (a < b));
    RC_ASSERT((row::current_key(BucketId{a}, "z") < row::current_key(BucketId{b}, "a")) == (a < b));
    RC_ASSERT(*row::decode_u64(row::encode_u64(a)) == a);
  }));
}

TEST(Rows, BehindIsTheFirstStringAfterAllOfAPrefix) {
  ASSERT_TRUE(rc::check([] {
    const std::string prefix = *any_key(), other = *any_key();
    const std::optional<std::string> behind = row::behind(prefix);
    if (!behind) {
      RC_ASSERT(prefix.find_first_not_of('\xff') == std::string::npos);
      return;
    }
    RC_ASSERT(prefix < *behind);
    // `other` lies before the mark exactly if it lies before the prefix or starts with it.
    RC_ASSERT((other < *behind) == (other < prefix || other.starts_with(prefix)));
  }));
}

}  // namespace
}  // namespace kura
