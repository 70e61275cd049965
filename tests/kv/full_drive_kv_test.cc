#include "projections/kv/full_drive_kv.h"

#include <gtest/gtest.h>

#include "projections/kv/memory_kv.h"
#include "tests/kv/batch_of_one.h"

namespace kura::testing {
namespace {

// A map that somebody else keeps the rows of, and that says when it is closed.
class Handle final : public Kv {
 public:
  Handle(Kv& rows, bool& open) : rows_(rows), open_(open) { open_ = true; }
  ~Handle() override { open_ = false; }
  Result<std::optional<std::string>> get(std::string_view key) override { return rows_.get(key); }
  Result<void> write(const KvBatch& batch) override { return rows_.write(batch); }
  Result<void> flush() override { return rows_.flush(); }
  std::unique_ptr<KvIterator> iterate() override { return rows_.iterate(); }
  void on_damage(std::function<void(Error)> notify) override { notify(Error{Errc::corrupt, "b"}); }

 private:
  Kv& rows_;
  bool& open_;
};

TEST(FullDriveKv, IsReadUntilAFlushOpensIt) {
  MemoryKv rows;
  ASSERT_TRUE(rows.write(one("a", "1")));
  bool reader = false, writer = false, room = false;
  auto kv = make_full_drive_kv(std::make_unique<Handle>(rows, reader),
                               [&]() -> Result<std::unique_ptr<Kv>> {
                                 if (!room) return fail(Errc::no_space, "full");
                                 return std::make_unique<Handle>(rows, writer);
                               });
  int damages = 0;
  kv->on_damage([&](Error) { ++damages; });
  EXPECT_EQ(damages, 1);
  EXPECT_EQ(kv->room(), KvRoom::lacking);
  for (auto refused : {kv->write(one("a", "2")), kv->flush()}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::no_space);
  }
  EXPECT_EQ(kv->get("a").value(), "1");
  auto it = kv->iterate();
  room = true;
  ASSERT_TRUE(kv->flush());
  EXPECT_TRUE(writer);
  EXPECT_TRUE(reader) << "somebody reads it";
  it->seek("");
  EXPECT_TRUE(it->valid());
  it.reset();
  EXPECT_FALSE(reader);
  EXPECT_EQ(damages, 2) << "of the other one";
  EXPECT_EQ(kv->room(), KvRoom::enough);
  ASSERT_TRUE(kv->write(one("a", "2")));
  EXPECT_EQ(kv->get("a").value(), "2");
}

}  // namespace
}  // namespace kura::testing
