// SPDX-License-Identifier: Apache-2.0
#include "sim/user/syscall.h"

#include <map>

#include "sim/user/control.h"

namespace kpath::user {
namespace {

// What libc keeps in the thread's own memory.
struct ErrnoOfThreads {
  std::map<const Context*, int> values;  // looked up only, never walked
};

KernelGlobal<ErrnoOfThreads> errnos;

Registers& regs() { return current_context->cpu->regs; }

// SYSCALL, with its arguments loaded, until it comes back: behind the instruction, or at it.
void Execute(uint64_t instruction) {
  const uint64_t rsp = regs()[Reg::rsp];
  regs().rip = instruction + kSyscallLength;
  current_context->cpu->Syscall();
  ComeBackTo(instruction, instruction + kSyscallLength);
  if (regs()[Reg::rsp] != rsp) current_context->user_frame = 0;  // an exec: another stack
}

void LoadArguments(Registers& regs, uint64_t number, const SyscallArguments& arguments) {
  regs[Reg::rax] = number;
  regs[Reg::rdi] = arguments[0];
  regs[Reg::rsi] = arguments[1];
  regs[Reg::rdx] = arguments[2];
  regs[Reg::r10] = arguments[3];
  regs[Reg::r8] = arguments[4];
  regs[Reg::r9] = arguments[5];
}

}  // namespace

int64_t SyscallOnceAt(uint64_t instruction, uint64_t number, const SyscallArguments& arguments,
                      bool* again) {
  regs().rip = instruction;
  // The instruction is a probe: an interrupt may come in user mode, another CPU may have its turn.
  const Value rdi = Value::Address(arguments[0]), rsi = Value::Address(arguments[1]),
              rdx = Value::Address(arguments[2]);
  LoadArguments(regs(), number, arguments);
  STEP("ring 3: SYSCALL", number, rdi, rsi, rdx);
  ComeBackTo(instruction);
  LoadArguments(regs(), number, arguments);
  TrapIfStepping(instruction);
  Execute(instruction);
  *again = regs().rip == instruction;
  regs().rip = instruction + kSyscallLength;
  return static_cast<int64_t>(regs()[Reg::rax]);
}

int64_t SyscallAt(uint64_t instruction, uint64_t number, const SyscallArguments& arguments) {
  bool again;
  int64_t result = SyscallOnceAt(instruction, number, arguments, &again);
  while (again) {
    regs().rip = instruction;
    Execute(instruction);
    again = regs().rip == instruction;
    result = static_cast<int64_t>(regs()[Reg::rax]);
  }
  return result;
}

int& Errno() { return errnos->values[current_context]; }

}  // namespace kpath::user
