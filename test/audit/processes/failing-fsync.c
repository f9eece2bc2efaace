/* Loaded before libc (LD_PRELOAD): one fsync or fdatasync of a file whose path contains FSYNC_FAULT_PATH fails with EIO, once
   the file FSYNC_FAULT_ARM is there, and takes that away. The next one succeeds, as on a real disk, where the pages that were
   not written count as clean: whoever tries again loses them. Each matching call adds a character to FSYNC_FAULT_LOG: `x`
   failed, `.` after a failure, nothing before one. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int has_failed = 0;

static void note(const char *mark) {
  const char *log = getenv("FSYNC_FAULT_LOG");
  int fd = log ? open(log, O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;
  if (fd < 0) return;
  if (write(fd, mark, 1) < 0) abort();
  close(fd);
}

static int fails(int fd) {
  const char *part = getenv("FSYNC_FAULT_PATH"), *arm = getenv("FSYNC_FAULT_ARM");
  char name[64], path[4096];
  ssize_t length;
  if (!part || !arm) return 0;
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  length = readlink(name, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  if (!strstr(path, part)) return 0;
  if (unlink(arm) == 0) {
    has_failed = 1;
    note("x");
    return 1;
  }
  if (has_failed) note(".");
  return 0;
}

int fsync(int fd) {
  if (fails(fd)) { errno = EIO; return -1; }
  return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
  if (fails(fd)) { errno = EIO; return -1; }
  return (int)syscall(SYS_fdatasync, fd);
}
