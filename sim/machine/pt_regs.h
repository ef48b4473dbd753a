// SPDX-License-Identifier: Apache-2.0
//
// The registers of user mode (or of interrupted kernel code) as the entry assembly leaves them on
// the kernel stack. v4.19 arch/x86/include/asm/ptrace.h: struct pt_regs
//
// It is a view: its fields are the very bytes that the pushes of the entry code wrote, and what C
// code stores here is what the pops on the way out load.
//
//   pt_regs* regs = PtRegsAt(cpu, cpu.regs[Reg::rsi]);
//   regs->ax = -EINVAL;
#pragma once

#include <cstddef>
#include <cstdint>

#include "sim/machine/cpu.h"

namespace kpath {

struct pt_regs {
  unsigned long r15, r14, r13, r12, bp, bx;
  unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
  // The number of the system call; an interrupt's vector, complemented; of an exception: -1.
  unsigned long orig_ax;
  // The frame that IRET pops.
  unsigned long ip, cs, flags, sp, ss;
};
static_assert(sizeof(pt_regs) == 168);
static_assert(offsetof(pt_regs, orig_ax) == 0x78);
static_assert(offsetof(pt_regs, ss) == 0xa0);

// The registers saved at a simulated kernel address, a multiple of 8. Valid until the page they are
// in is freed. Where there is no memory, or too little, the machine stops with a report.
pt_regs* PtRegsAt(Cpu& cpu, uint64_t address);

}  // namespace kpath
