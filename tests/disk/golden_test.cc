// The formats against files that were written by another implementation of the grammar
// (tests/golden/disk/make.py). They never change: a build that fails here cannot read the drives of
// the builds before it.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "actors/disk/drive_identity.h"
#include "actors/disk/stripe.h"
#include "actors/disk/stripe_coder.h"
#include "base/crc32c.h"

namespace kura::disk {
namespace {

template <class IdType>
IdType filled(uint8_t byte) {
  IdType id;
  id.bytes.fill(byte);
  return id;
}

std::string golden(const std::string& name) {
  std::ifstream in(std::string(KURA_GOLDEN_DISK) + "/" + name, std::ios::binary);
  EXPECT_TRUE(in.good()) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

// Without the zeros that fill its last block.
std::string member_of(const CodedRun& run, uint32_t member) {
  const std::string_view blocks = run.member(member);
  EXPECT_EQ(blocks.size() % kBlockBytes, 0u);
  const std::string_view filling = blocks.substr(run.end - run.offset);
  EXPECT_EQ(filling.find_first_not_of('\0'), std::string_view::npos);
  return std::string(blocks.substr(0, run.end - run.offset));
}

const StripeOwner kOwner{SetId(42), filled<WriterId>(0x1c)};

std::shared_ptr<const CodedRun> coded_rows() {
  std::string body;
  for (int i = 0; i < 300; ++i) body += static_cast<char>(i * 7 % 251);
  const Code code(2, 1);
  RunCoder coder(code, kOwner, 4096, 4096 + Striping{2, 128, body.size()}.member_bytes());
  coder.add_striped(ReservationId{9}, 4096, 128, {body});
  return coder.finish();
}

std::shared_ptr<const CodedRun> coded_packing() {
  std::vector<std::shared_ptr<const std::string>> bodies;
  for (auto [letter, bytes] : {std::pair{'x', 100}, {'y', 60}, {'z', 30}})
    bodies.push_back(std::make_shared<std::string>(bytes, letter));
  PackedStripe stripe;
  stripe.slots = {{0, 0, 0}, {1, 1, 0}, {2, 1, 60}};
  stripe.shard_bytes = 128;
  stripe.reservations = {ReservationId{3}, ReservationId{17}};
  const Code code(2, 1);
  RunCoder coder(code, kOwner, 8192, 8192 + stripe_header_bytes(2) + stripe.shard_bytes);
  coder.add_packed(8192, stripe, bodies);
  return coder.finish();
}

TEST(Golden, MemberFiles) {
  for (uint32_t member = 0; member < 3; ++member) {
    std::string file = encode(SetFileHeader{filled<ClusterId>(0xc0), SetId(42),
                                            static_cast<uint8_t>(member), 2, 1, kMiB});
    file += member_of(*coded_rows(), member);
    file.resize(8192, '\0');
    file += member_of(*coded_packing(), member);
    EXPECT_TRUE(file == golden("member" + std::to_string(member) + ".seg")) << member;
  }
}

TEST(Golden, TheyDecode) {
  const std::string file = golden("member2.seg");
  auto head = decode_set_file(file);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->set, SetId(42));
  EXPECT_EQ(head->member, 2);
  EXPECT_EQ(head->member_bytes, kMiB);
  auto row = decode_stripe(std::string_view(file).substr(4096 + 192));
  ASSERT_TRUE(row);
  EXPECT_EQ(row->layout, StripeHeader::Layout::striped);
  EXPECT_EQ(row->used_bytes, 44u);
  EXPECT_EQ(row->shard_bytes, 64u);
  EXPECT_EQ(row->reservations, std::vector<ReservationId>{ReservationId{9}});
  auto packed = decode_stripe(std::string_view(file).substr(8192));
  ASSERT_TRUE(packed);
  EXPECT_EQ(packed->reservations,
            (std::vector<ReservationId>{ReservationId{3}, ReservationId{17}}));
  EXPECT_EQ(packed->payload_crc32c, crc32c(std::string_view(file).substr(8192 + 128, 128)));
}

TEST(Golden, DriveIdentity) {
  const DriveIdentity identity{filled<ClusterId>(0xc0), filled<DriveId>(0xd1)};
  EXPECT_TRUE(encode(identity) == golden("drive"));
  EXPECT_EQ(*decode_identity(golden("drive")), identity);
}

// Every byte of a header counts: no single flip goes unnoticed, none ends the process.
TEST(Formats, AnyFlippedBitIsNoticed) {
  const std::string stripe = golden("member0.seg").substr(8192, 128);
  const std::string head = golden("member0.seg").substr(0, 4096);
  const std::string drive = golden("drive");
  auto flipped = [](std::string bytes, size_t bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    return bytes;
  };
  for (size_t bit = 0; bit < stripe.size() * 8; ++bit)
    ASSERT_FALSE(decode_stripe(flipped(stripe, bit))) << bit;
  for (size_t bit = 0; bit < head.size() * 8; bit += 3)
    ASSERT_FALSE(decode_set_file(flipped(head, bit))) << bit;
  for (size_t bit = 0; bit < drive.size() * 8; ++bit)
    ASSERT_FALSE(decode_identity(flipped(drive, bit))) << bit;
  for (size_t bytes = 0; bytes < 128; ++bytes) ASSERT_FALSE(decode_stripe(stripe.substr(0, bytes)));
  for (size_t bytes = 0; bytes < drive.size(); ++bytes)
    ASSERT_FALSE(decode_identity(drive.substr(0, bytes)));
}

TEST(Formats, ANewerFormatIsRefusedByName) {
  std::string drive = golden("drive");
  drive[8] = drive[10] = 2;
  auto refused = decode_identity(drive);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_NE(refused.error().detail.find("install"), std::string::npos);
  // A newer writer whose files this reader still understands.
  std::string readable = golden("drive").substr(0, 44);
  readable[8] = 2;
  const uint32_t crc = crc32c(readable);
  for (int i = 0; i < 4; ++i) readable += static_cast<char>(crc >> (8 * i));
  EXPECT_TRUE(decode_identity(readable));
}

TEST(Formats, NamesOfMemberFiles) {
  EXPECT_EQ(set_file_name(SetId(42)), "sets/0000002a.seg");
  EXPECT_EQ(set_of_file_name("sets/0000002a.seg"), SetId(42));
  EXPECT_EQ(set_of_file_name("ffffffff.seg"), SetId(0xffffffff));
  for (const char* other : {"", "2a.seg", "0000002A.seg", "0000002a.seg.new", "0000002a.log"})
    EXPECT_FALSE(set_of_file_name(other)) << other;
}

}  // namespace
}  // namespace kura::disk
