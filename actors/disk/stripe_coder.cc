#include "actors/disk/stripe_coder.h"

#include <algorithm>

#include "base/check.h"
#include "base/crc32c.h"

namespace kura::disk {
namespace {

// Reads views as if they were one.
class Joined {
 public:
  explicit Joined(const std::vector<std::string_view>& views) : next_(views.begin()) {
    for (std::string_view view : views) size_bytes_ += view.size();
  }
  uint64_t size_bytes() const { return size_bytes_; }
  // The next `bytes`, or what is left; returns the place behind them.
  char* copy_to(char* out, uint64_t bytes) {
    bytes = std::min(bytes, size_bytes_);
    size_bytes_ -= bytes;
    while (bytes > 0) {
      const uint64_t part = view_.copy(out, bytes);
      view_.remove_prefix(part);
      out += part;
      bytes -= part;
      if (view_.empty() && bytes > 0) view_ = *next_++;
    }
    return out;
  }

 private:
  std::vector<std::string_view>::const_iterator next_;
  std::string_view view_;
  uint64_t size_bytes_ = 0;  // Left.
};

}  // namespace

std::vector<std::string> CodedRun::tails() const {
  const uint64_t begin = end / kBlockBytes * kBlockBytes;
  std::vector<std::string> out;
  for (uint32_t i = 0; (i + 1) * member_bytes() <= bytes.size(); ++i)
    out.emplace_back(member(i).substr(begin - offset, end - begin));
  return out;
}

RunCoder::RunCoder(const Code& code, const StripeOwner& owner, uint64_t offset, uint64_t end,
                   const std::vector<std::string>& before)
    : code_(code), owner_(owner), run_(std::make_shared<CodedRun>()), filled_(offset) {
  const uint64_t inside = offset % kBlockBytes;
  run_->offset = offset - inside;
  run_->end = end;
  run_->bytes = AlignedBytes(code.members() * run_->member_bytes());
  if (inside == 0) return;
  INVARIANT(before.size() == code.members() && before[0].size() == inside, "the block so far");
  for (uint32_t i = 0; i < code.members(); ++i) before[i].copy(at(i, run_->offset), inside);
}

void RunCoder::add_striped(ReservationId reservation, uint64_t offset, uint64_t piece_bytes,
                           const std::vector<std::string_view>& plain) {
  Joined rest(plain);
  const Striping shape{code_.data_shards(), piece_bytes, rest.size_bytes()};
  for (uint64_t row = 0; row < shape.rows(); ++row) {
    StripeHeader header = header_of(StripeHeader::Layout::striped, offset + shape.row_offset(row),
                                    shape.shard_bytes(row));
    header.reservations = {reservation};
    header.used_bytes = static_cast<uint32_t>(shape.row_length(row));
    fill_to(header.offset);
    for (uint32_t c = 0; c < shape.k; ++c) {
      char* const payload = at(c, header.payload_offset());
      std::fill(rest.copy_to(payload, header.shard_bytes), payload + header.shard_bytes, '\0');
    }
    close(std::move(header));
  }
}

void RunCoder::add_packed(uint64_t offset, const PackedStripe& stripe,
                          const std::vector<std::shared_ptr<const std::string>>& bodies) {
  StripeHeader header = header_of(StripeHeader::Layout::packed, offset, stripe.shard_bytes);
  header.reservations = stripe.reservations;
  fill_to(offset);
  std::vector<uint64_t> ends(code_.data_shards(), 0);  // Of the bodies in each column.
  for (const PackedSlot& slot : stripe.slots) {
    const std::string& body = *bodies[slot.item];
    uint64_t& end = ends[slot.member];
    INVARIANT(slot.column_offset == end, "a column is packed from its top");
    body.copy(at(slot.member, header.payload_offset() + end), body.size());
    end += body.size();
    header.used_bytes += static_cast<uint32_t>(body.size());
  }
  for (uint32_t c = 0; c < code_.data_shards(); ++c)
    std::fill_n(at(c, header.payload_offset() + ends[c]), header.shard_bytes - ends[c], '\0');
  close(std::move(header));
}

std::shared_ptr<const CodedRun> RunCoder::finish() {
  INVARIANT(filled_ == run_->end, "the stripes fill their run");
  fill_to(align_up(run_->end, kBlockBytes));
  return std::move(run_);
}

StripeHeader RunCoder::header_of(StripeHeader::Layout layout, uint64_t offset,
                                 uint64_t shard_bytes) const {
  StripeHeader header;
  header.layout = layout;
  header.set = owner_.set;
  header.data_shards = static_cast<uint8_t>(code_.data_shards());
  header.parity_shards = static_cast<uint8_t>(code_.parity_shards());
  header.offset = offset;
  header.shard_bytes = static_cast<uint32_t>(shard_bytes);
  header.incarnation = owner_.incarnation;
  return header;
}

char* RunCoder::at(uint32_t member, uint64_t offset) {
  return run_->bytes.data() + member * run_->member_bytes() + (offset - run_->offset);
}

// The data shards of the stripe are in place: adds parity, and the headers.
void RunCoder::close(StripeHeader header) {
  INVARIANT(header.end() <= run_->end, "a stripe lies in its run");
  std::vector<const char*> data;
  std::vector<char*> parity;
  for (uint32_t i = 0; i < code_.members(); ++i) {
    char* const payload = at(i, header.payload_offset());
    if (i < code_.data_shards())
      data.push_back(payload);
    else
      parity.push_back(payload);
  }
  code_.encode(data, parity, header.shard_bytes);
  for (uint32_t i = 0; i < code_.members(); ++i) {
    header.member = static_cast<uint8_t>(i);
    header.payload_crc32c = crc32c({at(i, header.payload_offset()), header.shard_bytes});
    const std::string bytes = encode(header);
    bytes.copy(at(i, header.offset), bytes.size());
  }
  filled_ = header.end();
}

void RunCoder::fill_to(uint64_t offset) {
  INVARIANT(offset >= filled_, "stripes follow one another");
  for (uint32_t i = 0; i < code_.members(); ++i)
    std::fill_n(at(i, filled_), offset - filled_, '\0');
  filled_ = offset;
}

}  // namespace kura::disk
