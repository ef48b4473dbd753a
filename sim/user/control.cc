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

// MOV $number, %eax is five bytes long, POP %eax one, INT 0x80 two.
constexpr uint64_t kVdsoSigreturnLength = 1 + 5 + 2;
constexpr uint64_t kVdsoRtSigreturnLength = 5 + 2;
constexpr uint64_t kRestorerX32Length = 5 + kSyscallLength;
constexpr uint32_t kSigreturn32 = 119, kRtSigreturn32 = 173;
constexpr uint64_t kRtSigreturnX32 = 0x40000000 + 513;

template <typename Word>
Word PopWord() {
  const Word word = Load<Word>(Regs()[Reg::rsp]);
  Regs()[Reg::rsp] += sizeof(word);
  return word;
}

void Ret() {
  const bool in_32_bit_code = Regs().cs == __USER32_CS;
  Regs().rip = in_32_bit_code ? PopWord<uint32_t>() : PopWord<uint64_t>();
}

void Sigreturn32(uint32_t number, uint64_t behind) {
  Regs()[Reg::rax] = number;
  Regs().rip = behind;
  current_context->cpu->SoftwareInterrupt(0x80);
}

// Executes what is loaded at rip.
void Execute(uint64_t rip) {
  Machine& machine = *current_context->machine;
  if (IsRestorer(machine, rip)) {
    Regs()[Reg::rax] = NR_rt_sigreturn;
    Regs().rip = rip + kRestorerLength;
    current_context->cpu->Syscall();
  } else if (rip == kRestorerX32) {
    Regs()[Reg::rax] = kRtSigreturnX32;
    Regs().rip = rip + kRestorerX32Length;
    current_context->cpu->Syscall();
  } else if (rip == kVdsoSigreturn) {
    PopWord<uint32_t>();  // the signal's number
    Sigreturn32(kSigreturn32, rip + kVdsoSigreturnLength);
  } else if (rip == kVdsoRtSigreturn) {
    Sigreturn32(kRtSigreturn32, rip + kVdsoRtSigreturnLength);
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

void ExecuteUntil(uint64_t address, uint64_t other) {
  while (true) {
    const uint64_t rip = Regs().rip;
    if (rip == address || rip == other) return;
    Execute(rip);
  }
}

void Trap(uint64_t address) {
  constexpr uint8_t kDebugVector = 1;
  Cpu& cpu = *current_context->cpu;
  STEP("ring 3: single step", Value::Address(address));
  Regs().rip = address;
  cpu.dr6 |= DR_STEP;
  cpu.RaiseException(kDebugVector, false, 0);
  ComeBackTo(address);
}

}  // namespace kpath::user
