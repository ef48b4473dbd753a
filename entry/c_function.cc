// SPDX-License-Identifier: Apache-2.0
#include "entry/c_function.h"

#include <algorithm>

#include "entry/flags.h"

namespace kpath {

void ClobberCallerSavedRegisters(Cpu& cpu) {
  static constexpr auto kClobbered = [] {
    Registers regs;
    for (int i = 0; i < 16; ++i) regs.general[i] = ClobberedValue(static_cast<Reg>(i));
    return regs.general;
  }();
  // In the order of the encoding they are two runs.
  const auto clobber = [&cpu](Reg first, Reg last) {
    std::copy(&kClobbered[static_cast<int>(first)], &kClobbered[static_cast<int>(last)] + 1,
              &cpu.regs[first]);
  };
  clobber(Reg::rax, Reg::rdx);
  clobber(Reg::rsi, Reg::r11);
  cpu.regs.rflags = (cpu.regs.rflags & ~kArithmeticFlags) | X86_EFLAGS_ZF | X86_EFLAGS_PF;
}

}  // namespace kpath
