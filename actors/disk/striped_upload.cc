#include "actors/disk/striped_upload.h"

#include <algorithm>

#include "actors/disk/core.h"
#include "actors/disk/geometry.h"
#include "base/check.h"

namespace kura::disk {
namespace {

constexpr uint64_t kBatchBytes = kMiB;  // At least, of body, per write call.
constexpr uint64_t kUnsyncedBytesMax = 16 * kMiB;
constexpr uint64_t kUnsyncedBytesMin = 2 * kMiB;
constexpr uint64_t kGrowthFirstBytes = 2 * kMiB;  // Room asked for when the size is not known.
// The same when it is known: so much is synced before more is written anyway, so that a further
// region costs no further sync.
constexpr uint64_t kKnownFirstBytes = kUnsyncedBytesMax;
constexpr uint64_t kGrowthMaxBytes = 64 * kMiB;

Task<Result<Region>> region_of(std::shared_ptr<DiskCore> core, Target target,
                               ReservationId reservation, uint64_t bytes) {
  co_return co_await core->write_sets.striped_region(target, reservation, bytes);
}

// True: everything below `end` is durable.
Task<Result<bool>> sync_set(std::shared_ptr<DiskCore> core, std::shared_ptr<OpenSet> set,
                            uint64_t end) {
  OpenSet::Synced synced = co_await set->sync(end);
  core->write_sets.members_failed(set, std::move(synced.errors));
  co_return synced.durable;
}

Task<Result<bool>> report(std::shared_ptr<DiskCore> core, std::shared_ptr<OpenSet> set,
                          std::vector<MemberError> errors) {
  core->write_sets.members_failed(set, std::move(errors));
  co_return true;
}

Task<void> run_to_end(std::shared_ptr<StripedUpload> upload, Task<void> run) {
  co_await std::move(run);
}

}  // namespace

StripedUpload::StripedUpload(std::shared_ptr<DiskCore> core, Target target,
                             ReservationId reservation, uint64_t size_hint_bytes)
    : core_(std::move(core)),
      target_(target),
      reservation_(reservation),
      size_hint_bytes_(size_hint_bytes),
      growth_bytes_(kGrowthFirstBytes) {
  ++core_->counters.writers;
}

StripedUpload::~StripedUpload() {
  --core_->counters.writers;
  if (!finished_) core_->reservations.end(reservation_);
}

Task<Result<void>> StripedUpload::push(std::string bytes) {
  auto self = shared_from_this();
  if (error_) co_return fail(*error_);
  if (bytes.empty()) co_return Result<void>();
  input_bytes_ += bytes.size();
  // It is kept until it is durable, so its room has to be what is counted.
  if (bytes.capacity() > bytes.size() + bytes.size() / 4) bytes.shrink_to_fit();
  auto whole = std::make_shared<const std::string>(std::move(bytes));
  input_.push_back({whole, *whole});
  if (!started_) {
    started_ = true;
    Task<void> task = run_to_end(self, run());
    spawn(*Loop::current(), std::move(task));
  }
  wake();
  while (!error_ && input_bytes_ > 2 * batch_bytes())
    co_await suspend<Done>([this](Resolver<Done> resolve) { caller_ = resolve; });
  if (error_) co_return fail(*error_);
  co_return Result<void>();
}

Task<Result<v1::Body>> StripedUpload::finish() {
  auto self = shared_from_this();
  ended_ = true;
  if (!started_) finished_ = true;
  wake();
  while (!error_ && !finished_)
    co_await suspend<Done>([this](Resolver<Done> resolve) { caller_ = resolve; });
  if (error_) co_return fail(*error_);
  co_return std::move(body_);
}

void StripedUpload::abort() {
  aborted_ = true;
  wake();
}

void StripedUpload::wake() {
  if (!writer_) return;
  Resolver<Done> resolve = *writer_;
  writer_.reset();
  resolve(Done{});
}

Task<void> StripedUpload::run() {
  while (!aborted_ && !finished_ && !error_) {
    Result<void> stepped = co_await step();
    if (!stepped) error_ = stepped.error();
    if (caller_) {
      Resolver<Done> resolve = *caller_;
      caller_.reset();
      resolve(Done{});
    }
  }
  region_ = Region{};
}

Task<Result<void>> StripedUpload::step() {
  if (region_.use && region_.use->failed()) rewrite_unsynced();
  if (input_bytes_ == 0 && ended_) {
    co_await sync();
    finished_ = unsynced_.bytes == 0 && input_bytes_ == 0;
    co_return Result<void>();
  }
  const bool full = !region_.use || region_used_bytes_ == region_.body_bytes;
  // Room is taken for bytes that are here, not for those that were announced: who announces much
  // and sends nothing must not fill the drives.
  const uint64_t left = full ? expected_bytes() : region_.body_bytes - region_used_bytes_;
  const uint64_t goal = std::min(batch_bytes(), left);
  if (input_bytes_ < goal && !ended_) {
    co_await wait_for_input();
    co_return Result<void>();
  }
  if (full) co_return co_await next_region();
  co_await write_batch(std::min(goal, input_bytes_));
  if (unsynced_.bytes >= window_bytes()) co_await sync();
  co_return Result<void>();
}

Task<void> StripedUpload::wait_for_input() {
  // A simulated crash frees the frames of a node one after the other: abort() may come after this.
  struct Forget {
    explicit Forget(std::optional<Resolver<Done>>& of) : writer(of) {}
    ~Forget() { writer.reset(); }
    Forget(const Forget&) = delete;
    std::optional<Resolver<Done>>& writer;
  } forget(writer_);
  co_await suspend<Done>([this](Resolver<Done> resolve) { writer_ = resolve; });
}

Task<Result<void>> StripedUpload::next_region() {
  // The unsynced part must be one stretch of one set.
  if (unsynced_.bytes > 0) {
    co_await sync();
    co_return Result<void>();
  }
  const uint64_t wanted = std::max(input_bytes_, ended_ ? 0 : expected_bytes());
  growth_bytes_ = std::min(2 * growth_bytes_, kGrowthMaxBytes);
  Task<Result<Region>> asked = region_of(core_, target_, reservation_, wanted);
  auto region = co_await run_on(core_->loop, std::move(asked));
  if (!region) co_return fail(region.error());
  region_ = std::move(*region);
  region_used_bytes_ = 0;
  co_return Result<void>();
}

Task<void> StripedUpload::write_batch(uint64_t bytes) {
  const std::shared_ptr<OpenSet> set = region_.use.set();
  const uint32_t k = set->set().data_shards;
  const uint64_t offset =
      region_.offset + Striping{k, kPieceBytes, region_used_bytes_}.member_bytes();
  std::vector<std::string_view> plain;
  for (Piece& piece : take(bytes)) {
    plain.push_back(piece.bytes);
    unsynced_.pieces.push_back(std::move(piece));
  }
  const StripeOwner owner{set->id(), core_->options.incarnation};
  RunCoder coder(set->code(), owner, offset,
                 offset + Striping{k, kPieceBytes, bytes}.member_bytes(), tails_);
  coder.add_striped(reservation_, offset, kPieceBytes, plain);
  const std::shared_ptr<const CodedRun> run = coder.finish();
  tails_ = run->tails();
  if (!unsynced_.extent) unsynced_.extent = striped_extent(set->id(), offset, 0);
  unsynced_.extent->set_stored_bytes(unsynced_.extent->stored_bytes() + bytes);
  unsynced_.bytes += bytes;
  unsynced_.end = run->end;
  region_used_bytes_ += bytes;
  placed_bytes_ += bytes;
  std::vector<MemberError> errors = co_await set->write(run);
  if (errors.empty()) co_return;
  set->mark_failed();
  Task<Result<bool>> reported = report(core_, set, std::move(errors));
  (void)co_await run_on(core_->loop, std::move(reported));
}

Task<void> StripedUpload::sync() {
  if (unsynced_.bytes == 0) co_return;
  const std::shared_ptr<OpenSet> set = region_.use.set();
  Task<Result<bool>> synced = sync_set(core_, set, unsynced_.end);
  auto durable = co_await run_on(core_->loop, std::move(synced));
  if (durable && *durable)
    keep_unsynced();
  else
    rewrite_unsynced();
}

void StripedUpload::keep_unsynced() {
  const v1::Extent& fresh = *unsynced_.extent;
  bool joined = false;
  if (body_.extents_size() > 0) {
    v1::Extent& last = *body_.mutable_extents(body_.extents_size() - 1);
    const Striping shape{region_.use->set().data_shards, last.piece_bytes(), last.stored_bytes()};
    joined = last.set() == fresh.set() && last.stored_bytes() % shape.row_bytes() == 0 &&
             last.offset() + shape.row_offset(shape.rows()) == fresh.offset();
    if (joined) last.set_stored_bytes(last.stored_bytes() + fresh.stored_bytes());
  }
  if (!joined) *body_.add_extents() = fresh;
  unsynced_ = Unsynced{};
}

void StripedUpload::rewrite_unsynced() {
  input_.insert(input_.begin(), unsynced_.pieces.begin(), unsynced_.pieces.end());
  input_bytes_ += unsynced_.bytes;
  placed_bytes_ -= unsynced_.bytes;
  unsynced_ = Unsynced{};
  region_ = Region{};
  region_used_bytes_ = 0;
}

uint64_t StripedUpload::expected_bytes() const {
  if (size_hint_bytes_ <= placed_bytes_) return growth_bytes_;
  return std::min(size_hint_bytes_ - placed_bytes_, std::max(growth_bytes_, kKnownFirstBytes));
}

uint64_t StripedUpload::row_bytes() const {
  return kPieceBytes * (region_.use ? region_.use->set().data_shards : 1);
}

uint64_t StripedUpload::batch_bytes() const { return align_up(kBatchBytes, row_bytes()); }

uint64_t StripedUpload::window_bytes() const {
  return std::clamp(
      core_->options.unsynced_bytes_max / std::max<uint64_t>(1, core_->counters.writers),
      kUnsyncedBytesMin, kUnsyncedBytesMax);
}

std::vector<StripedUpload::Piece> StripedUpload::take(uint64_t bytes) {
  INVARIANT(bytes <= input_bytes_, "taken only what is there");
  input_bytes_ -= bytes;
  std::vector<Piece> out;
  while (bytes > 0) {
    Piece& front = input_.front();
    out.push_back({front.whole, front.bytes.substr(0, bytes)});
    const uint64_t taken = out.back().bytes.size();
    bytes -= taken;
    front.bytes.remove_prefix(taken);
    if (front.bytes.empty()) input_.pop_front();
  }
  return out;
}

}  // namespace kura::disk
