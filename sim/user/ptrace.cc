// SPDX-License-Identifier: Apache-2.0
#include "sim/user/ptrace.h"

#include <sys/wait.h>

#include "sim/user/calls.h"

namespace kpath::user {
namespace {

// A word of the tracee that `request` stores.
uint64_t Peek(PtraceRequest request, int64_t pid, uint64_t address, int64_t* error) {
  const uint64_t word = StackBytes(sizeof(uint64_t));
  Store<uint64_t>(word, 0);
  const int64_t result = ptrace(request, pid, address, word);
  if (error != nullptr) *error = result;
  return Load<uint64_t>(word);
}

}  // namespace

int NextStop(int64_t pid) {
  int status = 0;
  const int64_t result = waitpid(static_cast<int>(pid), &status, __WALL);
  return result < 0 ? static_cast<int>(result) : status;
}

int ResumeAndWait(PtraceRequest request, int64_t pid, int sig) {
  const int64_t result = ptrace(request, pid, 0, static_cast<uint64_t>(sig));
  return result < 0 ? static_cast<int>(result) : NextStop(pid);
}

user_regs_struct GetRegisters(int64_t pid) {
  const uint64_t place = StackBytes(sizeof(user_regs_struct));
  Store<user_regs_struct>(place, {});
  ptrace(PTRACE_GETREGS, pid, 0, place);
  return Load<user_regs_struct>(place);
}

int64_t SetRegisters(int64_t pid, const user_regs_struct& regs) {
  const uint64_t place = StackBytes(sizeof(regs));
  Store<user_regs_struct>(place, regs);
  return ptrace(PTRACE_SETREGS, pid, 0, place);
}

uint64_t PeekData(int64_t pid, uint64_t address, int64_t* error) {
  return Peek(PTRACE_PEEKDATA, pid, address, error);
}

uint64_t PeekUser(int64_t pid, uint64_t offset, int64_t* error) {
  return Peek(PTRACE_PEEKUSER, pid, offset, error);
}

uint64_t EventMessage(int64_t pid) { return Peek(PTRACE_GETEVENTMSG, pid, 0, nullptr); }

}  // namespace kpath::user
