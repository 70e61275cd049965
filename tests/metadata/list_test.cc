// LIST against a naive model, and its cost in moves of the iterator.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

#include "projections/metadata/rows.h"
#include "projections/metadata/view_scan.h"
#include "tests/metadata/fold_world.h"

namespace kura {
namespace {

const BucketId kB{500};

// Counts moves of its iterators, and can break them after some.
class WatchedKv final : public Kv {
 public:
  explicit WatchedKv(Kv& kv) : kv_(kv) {}
  Result<std::optional<std::string>> get(std::string_view key) override { return kv_.get(key); }
  Result<void> write(const KvBatch& batch) override { return kv_.write(batch); }
  Result<void> flush() override { return kv_.flush(); }
  std::unique_ptr<KvIterator> iterate() override {
    return std::make_unique<Iterator>(*this, kv_.iterate());
  }
  size_t moves = 0;
  size_t moves_max = SIZE_MAX;  // Behind this many, an iterator fails.

 private:
  class Iterator final : public KvIterator {
   public:
    Iterator(WatchedKv& kv, std::unique_ptr<KvIterator> it) : kv_(kv), it_(std::move(it)) {}
    void seek(std::string_view key) override { move(), it_->seek(key); }
    void next() override { move(), it_->next(); }
    bool valid() const override { return !failed() && it_->valid(); }
    std::string_view key() const override { return it_->key(); }
    std::string_view value() const override { return it_->value(); }
    Result<void> status() const override {
      if (failed()) return fail(Errc::io_error, "planted");
      return it_->status();
    }

   private:
    void move() { ++kv_.moves; }
    bool failed() const { return kv_.moves > kv_.moves_max; }
    WatchedKv& kv_;
    std::unique_ptr<KvIterator> it_;
  };
  Kv& kv_;
};

// What S3 says, computed from all keys at once.
ListPage model(const std::set<std::string>& keys, const ListQuery& query) {
  ListPage page;
  std::set<std::string> names, prefixes;
  for (const std::string& key : keys) {
    if (!key.starts_with(query.prefix)) continue;
    std::string name = key;
    if (!query.delimiter.empty()) {
      const size_t at = key.find(query.delimiter, query.prefix.size());
      if (at != std::string::npos) {
        name = key.substr(0, at + query.delimiter.size());
        prefixes.insert(name);
      }
    }
    if (name > query.after) names.insert(name);
  }
  for (const std::string& name : names) {
    if (page.objects.size() + page.common_prefixes.size() == query.keys_max) {
      page.truncated = query.keys_max > 0;
      break;
    }
    page.last = name;
    if (prefixes.count(name))
      page.common_prefixes.push_back(name);
    else
      page.objects.push_back({name, {}});
  }
  return page;
}

std::vector<std::string> keys_of(const ListPage& page) {
  std::vector<std::string> out;
  for (const ListEntry& entry : page.objects) out.push_back(entry.key);
  return out;
}

void expect_same(const ListPage& page, const ListPage& expected) {
  RC_ASSERT(keys_of(page) == keys_of(expected));
  RC_ASSERT(page.common_prefixes == expected.common_prefixes);
  RC_ASSERT(page.truncated == expected.truncated);
  RC_ASSERT(page.last == expected.last);
}

rc::Gen<std::string> text() {
  return rc::gen::container<std::string>(
      rc::gen::element('a', 'b', '/', '/', '\xc3', '\xff', '\0'));
}

void add(MemoryKv& kv, BucketId bucket, const std::string& key, bool marker = false) {
  KvBatch batch;
  v1::ObjectVersion version;
  version.set_delete_marker(marker);
  version.set_size_bytes(key.size());
  batch.put(row::current_key(bucket, key), version.SerializeAsString());
  ASSERT_TRUE(kv.write(batch));
}

TEST(List, EqualsTheNaiveModel) {
  ASSERT_TRUE(rc::check([] {
    MemoryKv kv;
    std::set<std::string> keys;
    const std::string stem = *text();
    for (const std::string& key : *rc::gen::container<std::vector<std::string>>(text())) {
      // Many keys with a common start, or prefixes would hardly ever match.
      const std::string whole = key.size() % 2 == 0 ? stem + key : key;
      if (whole.empty()) continue;  // No object has an empty key.
      keys.insert(whole);
      add(kv, kB, whole);
      if (key.size() % 3 == 0) add(kv, BucketId{kB.value + 1}, whole);
    }
    ListQuery query;
    query.bucket = kB;
    query.prefix = *rc::gen::oneOf(rc::gen::just(std::string()), rc::gen::just(stem), text());
    query.delimiter = *rc::gen::element<std::string>("", "/", "a", "//", "ab", "/a", "\xc3");
    query.after = *rc::gen::oneOf(rc::gen::just(std::string()), text(),
                                  rc::gen::map(text(), [&](auto s) { return stem + s; }));
    query.keys_max = *rc::gen::inRange(0u, 6u);

    const MetadataView view(kv);
    expect_same(view.list(query).value(), model(keys, query));

    // Page by page gives what one page gives, and always ends.
    const ListPage all =
        model(keys, {query.bucket, query.prefix, query.delimiter, query.after, 1u << 30});
    query.keys_max = std::max(query.keys_max, 1u);
    ListPage joined;
    for (bool more = true; more;) {
      const ListPage page = view.list(query).value();
      for (const ListEntry& entry : page.objects) joined.objects.push_back({entry.key, {}});
      for (const std::string& prefix : page.common_prefixes)
        joined.common_prefixes.push_back(prefix);
      if (page.truncated) RC_ASSERT(page.last > query.after);
      if (!page.last.empty()) joined.last = query.after = page.last;
      more = page.truncated;
    }
    expect_same(joined, all);
  }));
}

TEST(List, AMarkerHidesItsKeyAndOnlyItsKey) {
  MemoryKv kv;
  add(kv, kB, "a/1", true);
  add(kv, kB, "a/2");
  add(kv, kB, "b/1", true);
  add(kv, kB, "c", true);
  const ListPage page = MetadataView(kv).list({kB, "", "/", "", 10}).value();
  EXPECT_TRUE(page.objects.empty());
  EXPECT_EQ(page.common_prefixes, std::vector<std::string>{"a/"});
  EXPECT_FALSE(page.truncated);
  EXPECT_EQ(MetadataView(kv).current(kB, "c").value(), std::nullopt);
}

TEST(List, CostsTheSameOnAnyPageAndNeverScansACommonPrefix) {
  MemoryKv memory;
  for (int folder = 0; folder < 30; ++folder)
    for (int i = 0; i < 50; ++i)
      add(memory, kB, "d" + std::to_string(100 + folder) + "/" + std::to_string(i));
  WatchedKv kv(memory);
  ListQuery query{kB, "", "/", "", 5};
  size_t pages = 0;
  for (bool more = true; more; ++pages) {
    kv.moves = 0;
    const ListPage page = MetadataView(kv).list(query).value();
    EXPECT_EQ(page.common_prefixes.size(), 5u);
    EXPECT_LE(kv.moves, 6u);  // One to start, one behind each common prefix.
    query.after = page.last;
    more = page.truncated;
  }
  EXPECT_EQ(pages, 6u);
  // A page that starts inside a common prefix does not walk to its end either.
  kv.moves = 0;
  EXPECT_EQ(MetadataView(kv).list({kB, "", "/", "d100/25", 1}).value().common_prefixes[0], "d101/");
  EXPECT_LE(kv.moves, 2u);
}

TEST(List, AFailingIteratorIsAnErrorAndNoShortPage) {
  MemoryKv memory;
  for (char c = 'a'; c < 'k'; ++c) add(memory, kB, std::string(1, c));
  WatchedKv kv(memory);
  kv.moves_max = 5;
  EXPECT_EQ(MetadataView(kv).list({kB, "", "", "", 100}).error().code, Errc::io_error);
  EXPECT_EQ(MetadataView(kv).digest().error().code, Errc::io_error);
  EXPECT_EQ(DigestScan(kv).step(100).error().code, Errc::io_error);
  EXPECT_EQ(CounterScan(kv).step(100).error().code, Errc::io_error);
  EXPECT_EQ(MetadataView(kv).counters(kB).error().code, Errc::io_error);
  EXPECT_EQ(MetadataView(kv).list_uploads({kB}).error().code, Errc::io_error);
  EXPECT_EQ(MetadataView(kv).parts(id_of(1), 0, 10).error().code, Errc::io_error);
  EXPECT_EQ(MetadataView(kv).extents_of(SetId{1}, {}, 10).error().code, Errc::io_error);
}

// Uploads: the naive model over (key, id) pairs.
UploadPage model(const std::set<std::pair<std::string, std::string>>& uploads,
                 const UploadQuery& query) {
  UploadPage page;
  std::set<std::string> prefixes;
  for (const auto& [key, id] : uploads) {
    if (!key.starts_with(query.prefix)) continue;
    size_t at = std::string::npos;
    if (!query.delimiter.empty()) at = key.find(query.delimiter, query.prefix.size());
    const bool rolled = at != std::string::npos;
    const std::string name = rolled ? key.substr(0, at + query.delimiter.size()) : key;
    if (name < query.key_marker || (rolled && name == query.key_marker)) continue;
    if (name == query.key_marker && !query.key_marker.empty() &&
        (query.upload_id_marker.empty() || id <= query.upload_id_marker))
      continue;
    if (rolled && prefixes.count(name)) continue;
    if (page.uploads.size() + page.common_prefixes.size() == query.uploads_max) {
      page.truncated = query.uploads_max > 0;
      break;
    }
    page.next_key_marker = name;
    if (rolled) {
      prefixes.insert(name);
      page.common_prefixes.push_back(name);
      page.next_upload_id_marker.clear();
    } else {
      v1::Upload upload;
      upload.set_upload_id(id);
      page.uploads.push_back({name, upload});
      page.next_upload_id_marker = id;
    }
  }
  return page;
}

std::vector<std::pair<std::string, std::string>> ids_of(const UploadPage& page) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const UploadEntry& entry : page.uploads)
    out.emplace_back(entry.key, entry.upload.upload_id());
  return out;
}

TEST(ListUploads, EqualsTheNaiveModel) {
  ASSERT_TRUE(rc::check([] {
    FoldWorld world;
    std::set<std::pair<std::string, std::string>> uploads;
    const std::string stem = *text();
    uint32_t n = 0;
    for (const std::string& tail : *rc::gen::container<std::vector<std::string>>(text())) {
      const std::string key = "k" + (tail.size() % 2 == 0 ? stem : tail);
      const std::string id = id_of(++n * 7919 % 1000);
      uploads.emplace(key, id);
      RC_ASSERT(world.fold(upload_created(kB.value, key, id)).has_value());
    }
    UploadQuery query;
    query.bucket = kB;
    query.prefix = *rc::gen::oneOf(rc::gen::just(std::string()), rc::gen::just("k" + stem));
    query.delimiter = *rc::gen::element<std::string>("", "/", "a", "//", "ab");
    query.key_marker = *rc::gen::oneOf(rc::gen::just(std::string()), rc::gen::just("k" + stem),
                                       rc::gen::map(text(), [](auto s) { return "k" + s; }));
    if (!query.key_marker.empty() && *rc::gen::arbitrary<bool>())
      query.upload_id_marker = id_of(*rc::gen::inRange(0u, 1000u));
    query.uploads_max = *rc::gen::inRange(0u, 5u);
    const UploadPage page = world.view.list_uploads(query).value();
    const UploadPage expected = model(uploads, query);
    RC_ASSERT(ids_of(page) == ids_of(expected));
    RC_ASSERT(page.common_prefixes == expected.common_prefixes);
    RC_ASSERT(page.truncated == expected.truncated);
    RC_ASSERT(page.next_key_marker == expected.next_key_marker);
    RC_ASSERT(page.next_upload_id_marker == expected.next_upload_id_marker);

    // Page by page, nothing is listed twice and nothing is left out.
    const UploadPage all = model(uploads, {kB, query.prefix, query.delimiter, "", "", 1u << 30});
    query.key_marker.clear();
    query.upload_id_marker.clear();
    query.uploads_max = std::max(query.uploads_max, 1u);
    UploadPage joined;
    for (bool more = true; more;) {
      UploadPage next = world.view.list_uploads(query).value();
      for (UploadEntry& entry : next.uploads) joined.uploads.push_back(std::move(entry));
      for (auto& prefix : next.common_prefixes) joined.common_prefixes.push_back(prefix);
      query.key_marker = next.next_key_marker;
      query.upload_id_marker = next.next_upload_id_marker;
      more = next.truncated;
    }
    RC_ASSERT(ids_of(joined) == ids_of(all));
    RC_ASSERT(joined.common_prefixes == all.common_prefixes);
  }));
}

TEST(Parts, ArePagedByNumber) {
  FoldWorld world;
  ASSERT_TRUE(world.fold(upload_created(500, "m", id_of(1))));
  for (uint32_t number : {10000u, 2u, 256u, 1u})
    ASSERT_TRUE(world.fold(part(500, "m", id_of(1), number, number)));
  ASSERT_TRUE(world.fold(upload_created(500, "m", id_of(2))));
  ASSERT_TRUE(world.fold(part(500, "m", id_of(2), 3, 3)));
  std::vector<uint32_t> numbers;
  PartPage page = world.view.parts(id_of(1), 0, 3).value();
  EXPECT_TRUE(page.truncated);
  for (const v1::Part& p : page.parts) numbers.push_back(p.number());
  EXPECT_EQ(numbers, (std::vector<uint32_t>{1, 2, 256}));
  page = world.view.parts(id_of(1), 256, 3).value();
  EXPECT_FALSE(page.truncated);
  ASSERT_EQ(page.parts.size(), 1u);
  EXPECT_EQ(page.parts[0].number(), 10000u);
  EXPECT_TRUE(world.view.parts("short", 0, 3).value().parts.empty());
  EXPECT_TRUE(world.view.upload(BucketId{500}, "m", id_of(2)).value());
  EXPECT_FALSE(world.view.upload(BucketId{500}, "other", id_of(2)).value());
}

TEST(Extents, AreEnumeratedFromACursor) {
  FoldWorld world;
  ASSERT_TRUE(world.fold(put(500, "a", 1, {extent(1, 300, 1)})));
  ASSERT_TRUE(world.fold(put(500, "b", 1, {extent(1, 5, 1), extent(2, 5, 1)})));
  ASSERT_TRUE(world.fold(put(500, "c", 1, {extent(1, 70, 1)})));
  const auto first = world.view.extents_of(SetId{1}, {}, 2).value();
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].owner.key, "b");
  EXPECT_EQ(first[1].owner.key, "c");
  const auto rest = world.view.extents_of(SetId{1}, ExtentCursor{70, 0}, 2).value();
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].owner.key, "a");
}

}  // namespace
}  // namespace kura
