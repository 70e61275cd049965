#include "actors/disk/blob_writer.h"

#include "actors/disk/core.h"

namespace kura::disk {
namespace {

Task<Result<std::vector<v1::Extent>>> put_small(std::shared_ptr<DiskCore> core, Target target,
                                                std::vector<SmallBody> bodies) {
  co_return co_await core->packed.put(target, std::move(bodies));
}

class SetBlobWriter final : public BlobWriter {
 public:
  SetBlobWriter(std::shared_ptr<DiskCore> core, Target target, uint64_t size_hint_bytes)
      : core_(std::move(core)),
        target_(target),
        size_hint_bytes_(size_hint_bytes),
        reservation_(core_->reservations.begin()) {}

  ~SetBlobWriter() override {
    if (finished_) return;
    // Bytes of a striped upload may still be on their way: it ends the reservation after them.
    if (striped_)
      striped_->abort();
    else
      core_->reservations.end(reservation_);
  }

  Task<Result<void>> append(std::string bytes) override {
    if (!striped_ && size_hint_bytes_ <= kPackedBodyMax &&
        small_.size() + bytes.size() <= kPackedBodyMax) {
      if (small_.empty())
        small_ = std::move(bytes);
      else
        small_ += bytes;
      co_return Result<void>();
    }
    if (!striped_) {
      striped_ = std::make_shared<StripedUpload>(core_, target_, reservation_, size_hint_bytes_);
      std::string first = std::move(small_);
      small_.clear();
      Result<void> pushed = co_await striped_->push(std::move(first));
      if (!pushed) co_return pushed;
    }
    co_return co_await striped_->push(std::move(bytes));
  }

  Task<Result<v1::Body>> finish() override {
    Result<v1::Body> body;
    if (striped_) {
      body = co_await striped_->finish();
    } else if (!small_.empty()) {
      std::vector<SmallBody> one(1);
      one[0].bytes = std::make_shared<std::string>(std::move(small_));
      one[0].reservation = reservation_;
      Task<Result<std::vector<v1::Extent>>> put = put_small(core_, target_, std::move(one));
      auto extents = co_await run_on(core_->loop, std::move(put));
      if (extents)
        *body->add_extents() = std::move(extents->front());
      else
        body = fail(extents.error());
    }
    finished_ = body.has_value();
    co_return body;
  }

  v1::Reservation reservation() const override { return core_->reservations.named(reservation_); }

 private:
  const std::shared_ptr<DiskCore> core_;
  const Target target_;
  const uint64_t size_hint_bytes_;
  const ReservationId reservation_;
  std::string small_;
  std::shared_ptr<StripedUpload> striped_;
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<BlobWriter> make_blob_writer(std::shared_ptr<DiskCore> core, Target target,
                                             uint64_t size_hint_bytes) {
  return std::make_unique<SetBlobWriter>(std::move(core), target, size_hint_bytes);
}

}  // namespace kura::disk
