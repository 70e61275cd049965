// ArchivedBodies: inline bodies, from the log as long as it has them, then from where that piece of
// it was archived.

#pragma once

#include <memory>

#include "journal/journal.h"

namespace kura::disk {

struct DiskCore;

class ArchivedBodies final : public journal::InlineBodies {
 public:
  // `log` outlives it.
  ArchivedBodies(std::shared_ptr<DiskCore> core, journal::InlineBodies& log);

  Task<Result<std::string>> read_body(v1::JournalBody body) override;
  bool try_read_body(const v1::JournalBody& body, std::string* out) override;

 private:
  const std::shared_ptr<DiskCore> core_;
  journal::InlineBodies& log_;
};

// From where it was archived. Errors: not_found (it is not, or no longer), corrupt, unavailable.
Task<Result<std::string>> read_archived(std::shared_ptr<DiskCore> core, v1::JournalBody body);

}  // namespace kura::disk
