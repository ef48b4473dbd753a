// SPDX-License-Identifier: Apache-2.0
//
// Lets a program that is kpath's own (a replay, a test) call the kernel directly: does around
// `work` what an interrupt would do around the kernel's code.
//
//   InKernelMode([] { compact_nodes(); });
//
// Context: ring 3.
#pragma once

#include "sim/kernel/sched.h"
#include "sim/machine/cpu.h"

namespace kpath {

template <typename Work>
void InKernelMode(Work work) {
  task_struct* self = current;
  const Registers user_registers = self->cpu->regs;
  self->cpu->Swapgs();
  self->cpu->regs.cs = __KERNEL_CS;
  self->cpu->regs.ss = __KERNEL_DS;
  self->cpu->regs[Reg::rsp] = task_top_of_stack(self);
  work();
  // Maybe on another CPU than before.
  self->cpu->Swapgs();
  self->cpu->regs = user_registers;
}

}  // namespace kpath
