// SPDX-License-Identifier: Apache-2.0
#include "sim/user/syscall.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "sim/machine/check.h"
#include "sim/user/fault.h"
#include "sim/user/resume.h"

namespace kpath::user {
namespace {

// What libc keeps in the thread's own memory.
struct ErrnoOfThreads {
  std::map<const Context*, int> values;  // looked up only, never walked
};

KernelGlobal<ErrnoOfThreads> errnos;

void LoadArguments(Registers& regs, uint64_t number, const SyscallArguments& arguments) {
  regs[Reg::rax] = number;
  regs[Reg::rdi] = arguments[0];
  regs[Reg::rsi] = arguments[1];
  regs[Reg::rdx] = arguments[2];
  regs[Reg::r10] = arguments[3];
  regs[Reg::r8] = arguments[4];
  regs[Reg::r9] = arguments[5];
}

[[noreturn]] void EnterLoadedCode() {
  while (true) {
    const uint64_t rip = current_context->cpu->regs.rip;
    const Code code = CodeAt(*current_context->machine, rip);
    if (code) {
      code();
      KPATH_CHECK(false, absl::StrCat("code at 0x", absl::Hex(rip), " returned to nobody"));
    }
    RaiseAccessFault(rip, Access::kFetch, rip);
  }
}

}  // namespace

int64_t SyscallAt(uint64_t instruction, uint64_t number, const SyscallArguments& arguments) {
  // The instruction is a probe: an interrupt may come in user mode, another CPU may have its turn.
  const Value rdi = Value::Address(arguments[0]), rsi = Value::Address(arguments[1]),
              rdx = Value::Address(arguments[2]);
  STEP("ring 3: SYSCALL", number, rdi, rsi, rdx);
  LoadArguments(current_context->cpu->regs, number, arguments);
  current_context->cpu->regs.rip = instruction;
  while (current_context->cpu->regs.rip == instruction) {
    current_context->cpu->regs.rip += kSyscallLength;
    current_context->cpu->Syscall();
  }
  GoOnAt(instruction + kSyscallLength);
  return static_cast<int64_t>(current_context->cpu->regs[Reg::rax]);
}

void GoOnAt(uint64_t rip) {
  if (current_context->cpu->regs.rip != rip) EnterLoadedCode();
}

int& Errno() { return errnos->values[current_context]; }

}  // namespace kpath::user
