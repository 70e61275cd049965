// A process that goes on in a child: what execv() does, where it cannot.

#pragma once

namespace kura::node {

// Whether something of this process waits in the kernel for a drive that hangs. execv() and the end
// of the process would wait for it too.
bool hangs_in_kernel();

// Gives back what another process may want, its locks and its sockets, as the end of this one does,
// which a thread that waits in the kernel for a drive would put off. Files are not closed: that may
// wait for the drive as well. Takes no lock. `kept`: a socket that stays open, if any.
void release_drives_and_sockets(int kept = -1);

// Runs /proc/self/exe with `argv` as a child, and stands in for it: this process does nothing any
// more but pass on signals that ask it to end, and ends as the child ends, which dies with it. Its
// other threads stop where they are, and its files, locks and sockets are closed. The child has
// `listener`, if any. REQUIRES: those signals are blocked in every thread. From any thread.
[[noreturn]] void go_on_in_child(char** argv, int listener);

// Of all descriptors but the standard streams and `listener` nothing is left after an execv().
void close_at_exec(int listener);

}  // namespace kura::node
