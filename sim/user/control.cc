// SPDX-License-Identifier: Apache-2.0
#include "sim/user/control.h"

#include <utility>

#include "sim/user/fault.h"
#include "sim/user/memory.h"
#include "sim/user/text.h"
#include "syscall_table/numbers_64.h"

namespace kpath::user {
namespace {

// MOV $15, %rax is seven bytes long.
constexpr uint64_t kRestorerLength = 7 + kSyscallLength;

Registers& Regs() { return current_context->cpu->regs; }

void Ret() {
  const uint64_t to = Load<uint64_t>(Regs()[Reg::rsp]);
  Regs()[Reg::rsp] += sizeof(to);
  Regs().rip = to;
}

// Executes what is loaded at rip.
void Execute(uint64_t rip) {
  Machine& machine = *current_context->machine;
  if (IsRestorer(machine, rip)) {
    Regs()[Reg::rax] = NR_rt_sigreturn;
    Regs().rip = rip + kRestorerLength;
    current_context->cpu->Syscall();
  } else if (const Code code = CodeAt(machine, rip)) {
    // Its own frame, in the place of that of the code that was interrupted.
    const uint64_t interrupted = std::exchange(current_context->user_frame, 0);
    code();
    Regs()[Reg::rsp] += std::exchange(current_context->user_frame, interrupted);
    Ret();
  } else {
    RaiseAccessFault(rip, Access::kFetch, rip);
  }
}

}  // namespace

void ComeBackTo(uint64_t address, uint64_t other) {
  while (true) {
    const uint64_t rip = Regs().rip;
    if (rip == address || rip == other) return;
    Execute(rip);
  }
}

void TrapIfStepping(uint64_t address) {
  if ((Regs().rflags & X86_EFLAGS_TF) == 0) return;
  constexpr uint8_t kDebugVector = 1;
  Cpu& cpu = *current_context->cpu;
  STEP("ring 3: single step", Value::Address(address));
  Regs().rip = address;
  cpu.dr6 |= DR_STEP;
  cpu.RaiseException(kDebugVector, false, 0);
  ComeBackTo(address);
}

}  // namespace kpath::user
