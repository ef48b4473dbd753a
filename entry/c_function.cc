// SPDX-License-Identifier: Apache-2.0
#include "entry/c_function.h"

#include "entry/flags.h"

namespace kpath {

void ClobberCallerSavedRegisters(Cpu& cpu) {
  for (Reg reg :
       {Reg::rax, Reg::rcx, Reg::rdx, Reg::rsi, Reg::rdi, Reg::r8, Reg::r9, Reg::r10, Reg::r11}) {
    cpu.regs[reg] = ClobberedValue(reg);
  }
  cpu.regs.rflags = (cpu.regs.rflags & ~kArithmeticFlags) | X86_EFLAGS_ZF | X86_EFLAGS_PF;
}

}  // namespace kpath
