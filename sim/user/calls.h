// SPDX-License-Identifier: Apache-2.0
//
// The system calls that programs around AIO need, one function each, under their own names.
// Addresses are simulated ones (memory.h). All return what the kernel returned in rax: a negative
// errno on failure; for libc's convention (-1 and errno) see user::syscall.
//
//   const int64_t fd = user::open("/data/x", O_RDWR | O_CREAT, 0600);
//   if (fd < 0) user::exit_group(1);
//
// Flags and modes are those of the host's <fcntl.h>, <sys/mman.h>, <sched.h> …, which are the same
// on every x86-64 Linux.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "sim/user/memory.h"
#include "sim/user/syscall.h"
#include "syscall_table/numbers_64.h"

namespace kpath::user {

// ---- Programs ----

// A whole program: `main`, and behind it the exit_group(0) that libc's start-up code calls when
// main returns. What StartProcess and the calls below take.
Code Program(Code main);

[[noreturn]] void exit(int status);
[[noreturn]] void exit_group(int status);

// ---- Files ----

// `path` is put on the program's stack.
int64_t open(absl::string_view path, int flags, int mode = 0);
int64_t openat(int dirfd, absl::string_view path, int flags, int mode = 0);
int64_t unlink(absl::string_view path);

inline int64_t close(int fd) { return Syscall(NR_close, fd); }
inline int64_t dup(int fd) { return Syscall(NR_dup, fd); }
inline int64_t dup2(int from, int to) { return Syscall(NR_dup2, from, to); }
inline int64_t lseek(int fd, int64_t offset, int whence) {
  return Syscall(NR_lseek, fd, offset, whence);
}
inline int64_t ftruncate(int fd, int64_t size) { return Syscall(NR_ftruncate, fd, size); }
inline int64_t read(int fd, uint64_t buffer, uint64_t size) {
  return Syscall(NR_read, fd, buffer, size);
}
inline int64_t write(int fd, uint64_t buffer, uint64_t size) {
  return Syscall(NR_write, fd, buffer, size);
}
inline int64_t pread(int fd, uint64_t buffer, uint64_t size, int64_t offset) {
  return Syscall(NR_pread64, fd, buffer, size, offset);
}
inline int64_t pwrite(int fd, uint64_t buffer, uint64_t size, int64_t offset) {
  return Syscall(NR_pwrite64, fd, buffer, size, offset);
}
inline int64_t eventfd(unsigned count, int flags) { return Syscall(NR_eventfd2, count, flags); }
// Two ints are stored at `fds`: the end to read from, the end to write to.
inline int64_t pipe2(uint64_t fds, int flags) { return Syscall(NR_pipe2, fds, flags); }

// Writes the bytes of `text`, by way of the program's stack.
int64_t write(int fd, absl::string_view text);
// What read gave, as text; the empty string at the end of the file. An error ends the program with
// exit status 1.
std::string read(int fd, size_t size);

// ---- Memory ----

// Returns the address, or a negative errno.
inline int64_t mmap(uint64_t address, uint64_t size, int protection, int flags, int fd,
                    int64_t offset) {
  return Syscall(NR_mmap, address, size, protection, flags, fd, offset);
}
inline int64_t munmap(uint64_t address, uint64_t size) { return Syscall(NR_munmap, address, size); }
inline int64_t mprotect(uint64_t address, uint64_t size, int protection) {
  return Syscall(NR_mprotect, address, size, protection);
}

// ---- Processes ----

inline int64_t getpid() { return Syscall(NR_getpid); }
inline int64_t gettid() { return Syscall(NR_gettid); }

// `child` is the program that the new process runs: C++ code cannot be copied in the middle, so
// where C has `if (fork() == 0) { … }` the braces are handed over. Returns in the parent only.
int64_t fork(Code child);
// The parent is stopped until the child has called exec or has ended.
int64_t vfork(Code child);
// `stack`: the child's stack pointer, 0: the parent's. `flags`: CLONE_*, and in the low byte the
// signal that tells the parent of the child's end. The TID addresses are 0 or writable.
int64_t clone(uint64_t flags, uint64_t stack, uint64_t parent_tid, uint64_t child_tid, Code child);

// What these three are made of, for other calls that make a child: the SYSCALL instruction stands
// right before the place where the child's program is loaded.
int64_t SyscallWithChild(uint64_t number, const SyscallArguments& arguments, Code child);

// `status` and `rusage` are addresses, or 0.
inline int64_t wait4(int pid, uint64_t status, int options, uint64_t rusage = 0) {
  return Syscall(NR_wait4, pid, status, options, rusage);
}
// Waits for a child and returns its status (WIFEXITED …) in `*status`.
int64_t waitpid(int pid, int* status, int options);

// ---- Time ----

// Sleeps for `ns` nanoseconds. Returns 0, or -EINTR.
int64_t nanosleep(int64_t ns);

}  // namespace kpath::user
