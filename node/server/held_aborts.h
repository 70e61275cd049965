// A library's assertion must not end a process that is about to execute itself again.

#pragma once

namespace kura::node {

// From now on a thread that calls abort() stops there for good; the others go on. RocksDB asserts
// on what follows from a write that failed, for example on a full drive, while its error is on its
// way to whoever starts over. From any thread, once the process has nothing left to do but that.
void hold_aborts();

}  // namespace kura::node
