// Notes every change that a process makes to files below a folder, and every sync, so that a loss of
// power can be played behind its back: power_loss.py undoes what no sync covered. Writes by io_uring
// end within their submission here, so that it is known when they are durable.
//
// LD_PRELOAD this; KURA_SHIM_ROOT is the folder, KURA_SHIM_LOG the file of records, KURA_SHIM_KEEP a
// folder on the same file system for links to what is unlinked or replaced. KURA_SHIM_KILL_AT ends the
// process with SIGKILL at that record. Each record is written
// before its change, except a sync's, which is written behind it and names the record it began at.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX 65536

// Little-endian, followed by `tail` bytes: old content, or "path" or "from\0to".
struct record {
  uint32_t magic, kind;
  uint64_t number, inode, offset, length, tail, old_size;
};
// DURABLE names the WRITE that needs no sync any more.
enum { WRITE = 'W', SIZE = 'T', SYNC = 'S', DURABLE = 'D', CREATE = 'N', RENAME = 'R', UNLINK = 'U' };

static _Atomic char tracked[FDS_MAX];  // 1: a file below the root, 2: a folder.
static _Atomic int read_by[FDS_MAX];   // Of one that was opened again to be written: what can read it.
static _Atomic uint64_t numbers;
static char root[PATH_MAX], keep[PATH_MAX];
static int log_fd = -1;
static uint64_t kill_at;  // The process dies at so many records; 0: it does not.

__attribute__((constructor)) static void begin(void) {
  const char *r = getenv("KURA_SHIM_ROOT"), *l = getenv("KURA_SHIM_LOG"), *k = getenv("KURA_SHIM_KEEP");
  if (!r || !l || !k) return;
  snprintf(root, sizeof root, "%s/", r);
  snprintf(keep, sizeof keep, "%s", k);
  const char *at = getenv("KURA_SHIM_KILL_AT");
  if (at) kill_at = strtoull(at, NULL, 10);
  log_fd = (int)syscall(SYS_openat, AT_FDCWD, l, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  struct stat info;
  // A process that starts over goes on in the same file.
  if (log_fd >= 0 && fstat(log_fd, &info) == 0) numbers = (uint64_t)info.st_size;
}

// Each record is a place to die at: behind all that was done before, and before its own change. That
// of a sync comes behind it.
static void die_here(void) {
  static _Atomic uint64_t count;
  if (kill_at && atomic_fetch_add(&count, 1) + 1 == kill_at) kill(getpid(), SIGKILL);
}

static void note(struct record r, const void *tail) {
  die_here();
  r.magic = 0x4b555241;
  struct iovec parts[2] = {{&r, sizeof r}, {(void *)tail, r.tail}};
  if (syscall(SYS_writev, log_fd, parts, r.tail ? 2 : 1) != (long)(sizeof r + r.tail)) abort();
}

static uint64_t next(void) { return atomic_fetch_add(&numbers, 1) + 1; }
static char kind_of(int fd) { return fd >= 0 && fd < FDS_MAX ? tracked[fd] : 0; }

// What is there, before it changes: nothing in the tail when it is all zeros or not there.
static uint64_t note_write(int fd, uint64_t offset, uint64_t length) {
  struct stat info;
  if (kind_of(fd) != 1 || length == 0 || fstat(fd, &info) != 0) return 0;
  const uint64_t size = (uint64_t)info.st_size;
  const uint64_t old = offset >= size ? 0 : size - offset < length ? size - offset : length;
  char *bytes = old ? malloc(old) : NULL;
  const ssize_t got = old ? (ssize_t)syscall(SYS_pread64, read_by[fd] ? read_by[fd] : fd, bytes, old, offset) : 0;
  uint64_t tail = got > 0 ? (uint64_t)got : 0;
  if (tail && !bytes[0] && !memcmp(bytes, bytes + 1, tail - 1)) tail = 0;
  const uint64_t number = next();
  note((struct record){0, WRITE, number, info.st_ino, offset, length, tail, size}, bytes);
  free(bytes);
  return number;
}

static void note_size(int fd, uint64_t to) {
  struct stat info;
  if (kind_of(fd) != 1 || fstat(fd, &info) != 0 || (uint64_t)info.st_size == to) return;
  const uint64_t size = (uint64_t)info.st_size;
  char *bytes = to < size ? malloc(size - to) : NULL;
  const ssize_t got = bytes ? (ssize_t)syscall(SYS_pread64, fd, bytes, size - to, to) : 0;
  note((struct record){0, SIZE, next(), info.st_ino, to, 0, got > 0 ? (uint64_t)got : 0, size}, bytes);
  free(bytes);
}

// Absolute paths of what the calls below name; 0: not below the root.
static int path_of(int folder, const char *name, char *out) {
  if (log_fd < 0) return 0;
  char base[PATH_MAX] = "";
  if (name[0] != '/') {
    char link[64];
    snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
    const ssize_t n = readlink(link, base, sizeof base - 2);
    if (n < 0) return 0;
    base[n] = '/';
    base[n + 1] = 0;
  }
  snprintf(out, PATH_MAX, "%s%s", base, name);
  return strncmp(out, root, strlen(root)) == 0;
}

static uint64_t folder_inode(const char *path) {
  char folder[PATH_MAX];
  snprintf(folder, sizeof folder, "%s", path);
  char *slash = strrchr(folder, '/');
  if (slash) *slash = 0;
  struct stat info;
  return stat(folder, &info) == 0 ? info.st_ino : 0;
}

// The file at `path` gets a second name, by the number of the record that needs it.
static void keep_file(const char *path, uint64_t number) {
  char kept[PATH_MAX + 32];
  snprintf(kept, sizeof kept, "%s/%lu", keep, (unsigned long)number);
  (void)!link(path, kept);
}

static int opened(int fd, int flags, const char *path, int below, int is_new) {
  if (fd < 0 || fd >= FDS_MAX) return fd;
  tracked[fd] = read_by[fd] = 0;
  int again = 0;
  if (sscanf(path, "/proc/self/fd/%d", &again) == 1 && kind_of(again)) {
    tracked[fd] = kind_of(again);
    read_by[fd] = again;
  }
  struct stat info;
  if (!below || fstat(fd, &info) != 0) return fd;
  tracked[fd] = S_ISREG(info.st_mode) ? 1 : S_ISDIR(info.st_mode) ? 2 : 0;
  if (is_new && (flags & O_CREAT))
    note((struct record){0, CREATE, next(), folder_inode(path), 0, 0, strlen(path), 0}, path);
  return fd;
}

static int open_any(int folder, const char *name, int flags, mode_t mode) {
  char path[PATH_MAX];
  const int below = path_of(folder, name, path);
  const int is_new = below && (flags & O_CREAT) && access(path, F_OK) != 0;
  if (below && (flags & O_TRUNC) && !is_new) {
    const int before = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    if (before >= 0 && before < FDS_MAX) {
      tracked[before] = 1;
      note_size(before, 0);
      tracked[before] = 0;
      syscall(SYS_close, before);
    }
  }
  return opened((int)syscall(SYS_openat, folder, name, flags, mode), flags, path, below, is_new);
}

#define MODE(flags) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | O_TMPFILE)) { \
    va_list list; \
    va_start(list, flags); \
    mode = va_arg(list, mode_t); \
    va_end(list); \
  }

int open(const char *name, int flags, ...) { MODE(flags) return open_any(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE(flags) return open_any(AT_FDCWD, name, flags | O_LARGEFILE, mode); }
int openat(int folder, const char *name, int flags, ...) { MODE(flags) return open_any(folder, name, flags, mode); }
int openat64(int folder, const char *name, int flags, ...) { MODE(flags) return open_any(folder, name, flags, mode); }

int close(int fd) {
  if (fd >= 0 && fd < FDS_MAX) tracked[fd] = 0;
  return (int)syscall(SYS_close, fd);
}

ssize_t write(int fd, const void *bytes, size_t length) {
  if (kind_of(fd) == 1) {
    struct stat info;
    const int append = fcntl(fd, F_GETFL) & O_APPEND;
    const off_t at = append && fstat(fd, &info) == 0 ? info.st_size : lseek(fd, 0, SEEK_CUR);
    note_write(fd, (uint64_t)at, length);
  }
  return syscall(SYS_write, fd, bytes, length);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  note_write(fd, (uint64_t)at, length);
  return syscall(SYS_pwrite64, fd, bytes, length, at);
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return pwrite64(fd, bytes, length, at); }

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  uint64_t length = 0;
  for (int i = 0; i < count; ++i) length += parts[i].iov_len;
  note_write(fd, (uint64_t)at, length);
  return syscall(SYS_pwritev, fd, parts, count, at, 0);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return pwritev64(fd, parts, count, at); }

int ftruncate64(int fd, off64_t size) {
  note_size(fd, (uint64_t)size);
  return (int)syscall(SYS_ftruncate, fd, size);
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int fallocate64(int fd, int mode, off64_t at, off64_t length) {
  struct stat info;
  if (kind_of(fd) == 1 && !(mode & 1) && fstat(fd, &info) == 0 && info.st_size < at + length)
    note_size(fd, (uint64_t)(at + length));
  return (int)syscall(SYS_fallocate, fd, mode, at, length);
}
int fallocate(int fd, int mode, off_t at, off_t length) { return fallocate64(fd, mode, at, length); }

// A planted fault: syncs of files with this in their path are taken for none.
static int lies(int fd) {
  const char *part = getenv("KURA_SHIM_NO_SYNC");
  char link[64], path[PATH_MAX];
  if (!part) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  return strstr(path, part) != NULL;
}

// Every entry that the call submits, and its end. Nothing else is under way then, so what has ended is
// what waits to be seen and these.
int io_uring_submit(struct io_uring *ring) {
  enum { ENTRIES_MAX = 256 };
  const unsigned count = io_uring_sq_ready(ring);
  struct io_uring_sqe entries[ENTRIES_MAX];
  uint64_t numbers_of[ENTRIES_MAX];
  for (unsigned i = 0; i < count && i < ENTRIES_MAX; ++i) {
    const struct io_uring_sqe *e = &ring->sq.sqes[(ring->sq.sqe_head + i) & *ring->sq.kring_mask];
    entries[i] = *e;
    numbers_of[i] = e->opcode == IORING_OP_WRITE ? note_write(e->fd, e->off, e->len) : 0;
  }
  const int done = io_uring_submit_and_wait(ring, io_uring_cq_ready(ring) + count);
  for (unsigned i = 0; done == (int)count && i < count; ++i) {
    if (!numbers_of[i] || !(entries[i].rw_flags & RWF_DSYNC) || lies(read_by[entries[i].fd])) continue;
    unsigned head;
    struct io_uring_cqe *end;
    io_uring_for_each_cqe(ring, head, end) {
      if (end->user_data != entries[i].user_data || end->res != (int)entries[i].len) continue;
      note((struct record){0, DURABLE, next(), 0, numbers_of[i], 0, 0, 0}, NULL);
    }
  }
  return done;
}

static int synced(int fd, long call) {
  struct stat info;
  const int known = kind_of(fd) && fstat(fd, &info) == 0;
  const uint64_t began = numbers;
  const int done = (int)syscall(call, fd);
  if (known && done == 0 && !lies(fd)) note((struct record){0, SYNC, next(), info.st_ino, began, 0, 0, 0}, NULL);
  return done;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

static int rename_any(int from_folder, const char *from, int to_folder, const char *to) {
  char source[PATH_MAX], target[PATH_MAX], both[2 * PATH_MAX];
  if (path_of(from_folder, from, source) && path_of(to_folder, to, target)) {
    const uint64_t number = next();
    keep_file(target, number);
    const size_t first = strlen(source) + 1, second = strlen(target);
    memcpy(both, source, first);
    memcpy(both + first, target, second);
    note((struct record){0, RENAME, number, folder_inode(target), 0, 0, first + second, 0}, both);
  }
  return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
}
int rename(const char *from, const char *to) { return rename_any(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int f, const char *from, int t, const char *to) { return rename_any(f, from, t, to); }

static int unlink_any(int folder, const char *name, int flags) {
  char path[PATH_MAX];
  if (!(flags & AT_REMOVEDIR) && path_of(folder, name, path) && access(path, F_OK) == 0) {
    const uint64_t number = next();
    keep_file(path, number);
    note((struct record){0, UNLINK, number, folder_inode(path), 0, 0, strlen(path), 0}, path);
  }
  return (int)syscall(SYS_unlinkat, folder, name, flags);
}
int unlink(const char *name) { return unlink_any(AT_FDCWD, name, 0); }
int unlinkat(int folder, const char *name, int flags) { return unlink_any(folder, name, flags); }
