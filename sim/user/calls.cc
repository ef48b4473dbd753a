// SPDX-License-Identifier: Apache-2.0
#include "sim/user/calls.h"

#include "sim/machine/check.h"

namespace kpath::user {
namespace {

uint64_t StringOnStack(absl::string_view text) {
  const uint64_t address = StackBytes(text.size() + 1);
  WriteString(address, text);
  return address;
}

}  // namespace

Code Program(Code main) {
  return [main = std::move(main)] {
    Errno() = 0;
    main();
    exit_group(0);
  };
}

void exit(int status) {
  Syscall(NR_exit, status);
  KPATH_CHECK(false, "exit returned");
  __builtin_unreachable();
}

void exit_group(int status) {
  Syscall(NR_exit_group, status);
  KPATH_CHECK(false, "exit_group returned");
  __builtin_unreachable();
}

int64_t open(absl::string_view path, int flags, int mode) {
  return Syscall(NR_open, StringOnStack(path), flags, mode);
}

int64_t openat(int dirfd, absl::string_view path, int flags, int mode) {
  return Syscall(NR_openat, dirfd, StringOnStack(path), flags, mode);
}

int64_t unlink(absl::string_view path) { return Syscall(NR_unlink, StringOnStack(path)); }

int64_t write(int fd, absl::string_view text) {
  const uint64_t buffer = StackBytes(text.size());
  WriteMemory(buffer, text.data(), text.size());
  return write(fd, buffer, text.size());
}

std::string read(int fd, size_t size) {
  const uint64_t buffer = StackBytes(size);
  const int64_t got = read(fd, buffer, size);
  if (got < 0) exit_group(1);
  return ReadText(buffer, static_cast<size_t>(got));
}

int64_t SyscallWithChild(uint64_t number, const SyscallArguments& arguments, Code child) {
  Machine& machine = *current_context->machine;
  const uint64_t child_start = LoadCode(machine, Program(std::move(child)));
  const int64_t result = SyscallAt(child_start - kSyscallLength, number, arguments);
  UnloadCode(machine, child_start);
  return result;
}

int64_t fork(Code child) { return SyscallWithChild(NR_fork, {}, std::move(child)); }

int64_t vfork(Code child) { return SyscallWithChild(NR_vfork, {}, std::move(child)); }

int64_t clone(uint64_t flags, uint64_t stack, uint64_t parent_tid, uint64_t child_tid, Code child) {
  return SyscallWithChild(NR_clone, {flags, stack, parent_tid, child_tid}, std::move(child));
}

int64_t waitpid(int pid, int* status, int options) {
  const uint64_t word = StackBytes(sizeof(int32_t));
  Store<int32_t>(word, 0);
  const int64_t result = wait4(pid, word, options);
  *status = Load<int32_t>(word);
  return result;
}

int64_t nanosleep(int64_t ns) {
  constexpr int64_t kNsPerSecond = 1'000'000'000;
  const int64_t timespec[] = {ns / kNsPerSecond, ns % kNsPerSecond};
  const uint64_t request = StackBytes(sizeof(timespec));
  WriteMemory(request, timespec, sizeof(timespec));
  return Syscall(NR_nanosleep, request, 0);
}

}  // namespace kpath::user
