// Reading bodies that lie in one data shard.

#include "actors/disk/core.h"
#include "actors/disk/set_reader.h"
#include "base/crc32c.h"
#include "base/drive_calls.h"

namespace kura::disk {
namespace {

bool is_body(const v1::Extent& extent, std::string_view bytes) {
  return bytes.size() == extent.stored_bytes() && crc32c(bytes) == extent.crc32c();
}

// The same columns of k other members give the body without knowing where its stripe begins. Right
// unless one of those is damaged as well, which the body's checksum tells.
Task<Result<std::string>> mend_columns(std::shared_ptr<DiskCore> core, SegmentSet set,
                                       v1::Extent extent) {
  std::vector<uint32_t> others;
  std::vector<Task<Result<std::string>>> calls;
  for (uint32_t i = 0; i < set.members.size(); ++i) {
    if (i == extent.member()) continue;
    others.push_back(i);
    calls.push_back(read_member(core, set.id, i, extent.offset(), extent.stored_bytes()));
  }
  auto results =
      co_await all_within<std::string>(std::move(calls), 2 * core->options.drive_timeout_ns);
  std::vector<uint32_t> have;
  std::vector<const char*> sources;
  for (size_t i = 0; i < results.size() && have.size() < set.data_shards; ++i) {
    if (!results[i] || results[i]->size() != extent.stored_bytes()) continue;
    have.push_back(others[i]);
    sources.push_back(results[i]->data());
  }
  if (have.size() < set.data_shards) co_return fail(Errc::unavailable, "too few members");
  std::string body(extent.stored_bytes(), '\0');
  const std::vector<uint32_t> want{extent.member()};
  const std::vector<char*> out{body.data()};
  Code(set.data_shards, set.parity_shards).reconstruct(have, sources, want, out, body.size());
  if (!is_body(extent, body)) co_return fail(Errc::corrupt, "another member is damaged");
  co_return body;
}

// With the checksums of whole shards to tell good members from damaged ones.
Task<Result<std::string>> mend_stripe(std::shared_ptr<DiskCore> core, SegmentSet set,
                                      v1::Extent extent) {
  auto header = co_await locate_stripe(core, set.id, extent.offset());
  if (!header) co_return fail(header.error());
  const uint64_t begin = *header ? (*header)->payload_offset() : 0;
  if (!*header || extent.offset() < begin ||
      extent.offset() + extent.stored_bytes() > (*header)->end())
    co_return fail(Errc::corrupt, "no stripe holds a packed body");
  std::vector<Shard> shards = co_await read_stripe(core, **header);
  const std::vector<uint32_t> want{extent.member()};
  auto mended = mend(**header, shards, want);
  if (!mended) co_return fail(mended.error());
  std::string body = mended->front().substr(extent.offset() - begin, extent.stored_bytes());
  if (!is_body(extent, body)) co_return fail(Errc::corrupt, "checksum of a packed body");
  co_return body;
}

}  // namespace

bool try_read_packed(DiskCore& core, const v1::Extent& extent, std::string* out) {
  auto file = core.files.opened(SetId(extent.set()), extent.member());
  return file && file->try_read(extent.offset(), extent.stored_bytes(), out) &&
         is_body(extent, *out);
}

Task<Result<std::string>> read_packed(std::shared_ptr<DiskCore> core, v1::Extent extent) {
  const SetId id(extent.set());
  const auto state = core->ledger.state();
  auto known = state->sets.find(id);
  if (known == state->sets.end()) co_return fail(Errc::unavailable, "the set was dropped");
  const SegmentSet& set = known->second;
  if (extent.member() >= set.data_shards || extent.stored_bytes() > kPackedBodyMax)
    co_return fail(Errc::corrupt, "not a packed extent of this set");
  auto direct =
      co_await read_member(core, id, extent.member(), extent.offset(), extent.stored_bytes());
  if (direct && is_body(extent, *direct)) co_return direct;
  const bool damaged = direct || direct.error().code == Errc::io_error;
  if (damaged) core->repairs.add(id, extent.offset());
  auto quick = co_await mend_columns(core, set, extent);
  if (quick) co_return quick;
  auto thorough = co_await mend_stripe(core, set, extent);
  if (thorough || quick.error().code == Errc::unavailable) core->repairs.add(id, extent.offset());
  co_return thorough;
}

}  // namespace kura::disk
