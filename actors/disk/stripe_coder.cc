#include "actors/disk/stripe_coder.h"

#include <algorithm>

#include "base/check.h"
#include "base/crc32c.h"

namespace kura::disk {
namespace {

constexpr uint64_t kZerosMax = kPieceBytes;

std::string_view zeros(uint64_t bytes) {
  static const std::string all(kZerosMax, '\0');
  INVARIANT(bytes <= kZerosMax, "padding is shorter than a piece");
  return std::string_view(all).substr(0, bytes);
}

// Who asks writes every byte: filling it with zeros first would cost as much as coding does.
std::shared_ptr<char[]> unset_bytes(size_t bytes) {
  return std::make_shared_for_overwrite<char[]>(bytes);
}

// Adds header and payload of every member of one stripe to `run`. data: by data shard.
void add_stripe(CodedRun& run, const Code& code, StripeHeader header,
                const std::vector<const char*>& data) {
  std::shared_ptr<char[]> parity = unset_bytes(code.parity_shards() * header.shard_bytes);
  std::vector<char*> sums;
  for (uint32_t i = 0; i < code.parity_shards(); ++i)
    sums.push_back(parity.get() + i * header.shard_bytes);
  code.encode(data, sums, header.shard_bytes);
  auto headers = std::make_shared<std::string>();
  const uint64_t header_bytes = stripe_header_bytes(header.reservations.size());
  headers->reserve(code.members() * header_bytes);
  for (uint32_t i = 0; i < code.members(); ++i) {
    const char* payload = i < code.data_shards() ? data[i] : sums[i - code.data_shards()];
    const std::string_view shard{payload, header.shard_bytes};
    header.member = static_cast<uint8_t>(i);
    header.payload_crc32c = crc32c(shard);
    *headers += encode(header);
    run.members[i].push_back({headers->data() + i * header_bytes, header_bytes});
    run.members[i].push_back(shard);
  }
  run.owned.push_back(std::move(parity));
  run.owned.push_back(std::move(headers));
  run.end = header.end();
}

StripeHeader header_of(const Code& code, const StripeOwner& owner, StripeHeader::Layout layout) {
  StripeHeader h;
  h.layout = layout;
  h.set = owner.set;
  h.data_shards = static_cast<uint8_t>(code.data_shards());
  h.parity_shards = static_cast<uint8_t>(code.parity_shards());
  h.incarnation = owner.incarnation;
  return h;
}

}  // namespace

std::shared_ptr<const CodedRun> code_striped(const Code& code, const StripeOwner& owner,
                                             uint64_t reservation, uint64_t offset,
                                             uint64_t piece_bytes,
                                             std::shared_ptr<const std::string> plain) {
  const Striping shape{code.data_shards(), piece_bytes, plain->size()};
  auto run = std::make_shared<CodedRun>();
  run->offset = offset;
  run->members.resize(code.members());
  run->owned.push_back(plain);
  StripeHeader header = header_of(code, owner, StripeHeader::Layout::striped);
  header.reservations = {reservation};
  for (uint64_t row = 0; row < shape.rows(); ++row) {
    const uint64_t shard_bytes = shape.shard_bytes(row);
    header.offset = offset + shape.row_offset(row);
    header.shard_bytes = static_cast<uint32_t>(shard_bytes);
    header.used_bytes = static_cast<uint32_t>(shape.row_length(row));
    const std::string_view body =
        std::string_view(*plain).substr(row * shape.row_bytes(), shape.row_length(row));
    std::vector<const char*> data;
    for (uint32_t c = 0; c < shape.k; ++c) {
      const uint64_t begin = c * shard_bytes;
      if (begin + shard_bytes <= body.size()) {
        data.push_back(body.data() + begin);
        continue;
      }
      auto padded = std::make_shared<std::string>(begin < body.size() ? body.substr(begin)
                                                                      : std::string_view());
      padded->resize(shard_bytes, '\0');
      data.push_back(padded->data());
      run->owned.push_back(std::move(padded));
    }
    add_stripe(*run, code, header, data);
  }
  return run;
}

std::shared_ptr<const CodedRun> code_packed(
    const Code& code, const StripeOwner& owner, uint64_t offset, const PackedStripe& stripe,
    const std::vector<std::shared_ptr<const std::string>>& bodies) {
  auto run = std::make_shared<CodedRun>();
  run->offset = offset;
  run->members.resize(code.members());
  StripeHeader header = header_of(code, owner, StripeHeader::Layout::packed);
  header.reservations = stripe.reservations;
  header.offset = offset;
  header.shard_bytes = static_cast<uint32_t>(stripe.shard_bytes);
  const size_t shard_bytes = stripe.shard_bytes;
  std::shared_ptr<char[]> columns = unset_bytes(code.data_shards() * shard_bytes);
  std::vector<const char*> data;
  for (uint32_t c = 0; c < code.data_shards(); ++c) data.push_back(columns.get() + c * shard_bytes);
  std::vector<size_t> ends(code.data_shards(), 0);  // Of the bodies in each column, without gaps.
  for (const PackedSlot& slot : stripe.slots) {
    const std::string& body = *bodies[slot.item];
    INVARIANT(slot.column_offset == ends[slot.member], "a column is packed from its top");
    body.copy(columns.get() + slot.member * shard_bytes + slot.column_offset, body.size());
    ends[slot.member] += body.size();
    header.used_bytes += static_cast<uint32_t>(body.size());
  }
  for (uint32_t c = 0; c < code.data_shards(); ++c)
    std::fill_n(columns.get() + c * shard_bytes + ends[c], shard_bytes - ends[c], '\0');
  run->owned.push_back(std::move(columns));
  add_stripe(*run, code, header, data);
  return run;
}

std::shared_ptr<const CodedRun> join(const std::vector<std::shared_ptr<const CodedRun>>& runs) {
  INVARIANT(!runs.empty(), "something to write");
  if (runs.size() == 1) return runs.front();
  auto all = std::make_shared<CodedRun>();
  all->offset = all->end = runs.front()->offset;
  all->members.resize(runs.front()->members.size());
  for (const auto& run : runs) {
    INVARIANT(run->offset >= all->end && run->offset - all->end < kBlockBytes,
              "runs follow one another");
    for (size_t i = 0; i < all->members.size(); ++i) {
      auto& pieces = all->members[i];
      if (run->offset > all->end) pieces.push_back(zeros(run->offset - all->end));
      pieces.insert(pieces.end(), run->members[i].begin(), run->members[i].end());
    }
    all->owned.insert(all->owned.end(), run->owned.begin(), run->owned.end());
    all->end = run->end;
  }
  return all;
}

}  // namespace kura::disk
