#include "node/cli/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

namespace kura::node {
namespace {

int first_failure = 0;  // An errno: the stream itself only knows that there was one.

void flush() {
  const bool flushed = std::fflush(stdout) == 0;
  if (first_failure == 0 && (!flushed || !std::cout || std::ferror(stdout) != 0))
    first_failure = errno;
}

}  // namespace

void keep_standard_descriptors() {
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // It becomes `fd`, the lowest that is free.
    (void)::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

void write_output(const std::string& text) {
  errno = 0;
  std::cout << text;
  flush();
}

Result<void> end_of_output() {
  errno = 0;
  flush();
  if (std::cout && std::ferror(stdout) == 0) return {};
  return fail(Errc::io_error,
              std::string("cannot write the output: ") + std::strerror(first_failure));
}

}  // namespace kura::node
