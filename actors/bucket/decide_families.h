// The families of commands that decide() is split into. Only decide.cc calls these; contracts are
// in decide.h. The bucket is known and not frozen, and the reservation is not void.

#pragma once

#include "actors/bucket/decide.h"

namespace kura::rules {

// decide_object.cc
Result<Decision> commit_put(const KeyState& state, const Command& command, const CommitPut& put,
                            const Stamp& stamp);
Result<Decision> delete_object(const KeyState& state, const Command& command,
                               const DeleteObject& request);
// The current version, unless it is a delete marker.
const v1::ObjectVersion* visible(const KeyState& state);
// Whether a conditional write may go on. Errors: precondition_failed; no_such_key when an ETag is
// asked for and there is no current version.
Result<void> check_conditions(const WriteConditions& conditions, const v1::ObjectVersion* current);

// decide_upload.cc
Result<Decision> create_upload(const KeyState& state, const Command& command,
                               const CreateUpload& request);
Result<Decision> commit_part(const KeyState& state, const Command& command,
                             const CommitPart& request, const Stamp& stamp);
Result<Decision> abort_upload(const KeyState& state, const Command& command,
                              const AbortUpload& request);

// complete_upload.cc
Result<Decision> complete_upload(const KeyState& state, const Command& command,
                                 const CompleteUpload& request, const Stamp& stamp);

// Makes `body` the inline body of the record that commits it.
void set_inline(v1::Body& body, const std::string& bytes);

}  // namespace kura::rules
