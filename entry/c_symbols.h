// SPDX-License-Identifier: Apache-2.0
//
// The C functions that the entry code calls, as places in the kernel's text.
//
//   call(do_IRQ)                       in a listing
//   void do_IRQ(pt_regs* regs) { … }   in irq.cc, as everywhere in the model
//
// Between the two stands c_code::do_IRQ, which takes the arguments out of the registers. As in the
// kernel, the linker finds it: link :c_code, or in a test of the assembly alone :stub_c_code.
//
// Addresses are the recorded kernel's where a recording shows them. The others, marked `unseen`,
// are kpath's own: they lie in the kernel's text and differ from each other.
#pragma once

#include "entry/instruction.h"

// X(name, address)
#define KPATH_SYSCALL_C_FUNCTIONS(X)         \
  X(do_syscall_64, 0xffffffff810017c0)       \
  X(do_int80_syscall_32, 0xffffffff8100181a) \
  X(do_fast_syscall_32, 0xffffffff81001871)  \
  X(prepare_exit_to_usermode, 0xffffffff81001667)

// They work on frames of the CPU's own stacks and return an address.
#define KPATH_FRAME_C_FUNCTIONS(X) \
  X(sync_regs, 0xffffffff810136f0) \
  X(fixup_bad_iret, 0xffffffff81013710) /* unseen */

// void name(pt_regs* regs)
#define KPATH_INTERRUPT_C_FUNCTIONS(X)                                   \
  X(do_IRQ, 0xffffffff81401494)                                          \
  X(smp_apic_timer_interrupt, 0xffffffff81401500)           /* unseen */ \
  X(smp_irq_move_cleanup_interrupt, 0xffffffff81401520)     /* unseen */ \
  X(smp_x86_platform_ipi, 0xffffffff81401540)               /* unseen */ \
  X(smp_irq_work_interrupt, 0xffffffff81401560)             /* unseen */ \
  X(smp_reboot_interrupt, 0xffffffff81401580)               /* unseen */ \
  X(smp_call_function_single_interrupt, 0xffffffff814015a0) /* unseen */ \
  X(smp_call_function_interrupt, 0xffffffff814015c0)        /* unseen */ \
  X(smp_reschedule_interrupt, 0xffffffff814015e0)           /* unseen */ \
  X(smp_error_interrupt, 0xffffffff81401600)                /* unseen */ \
  X(smp_spurious_interrupt, 0xffffffff81401620)             /* unseen */

// void name(pt_regs* regs, long error_code)
#define KPATH_EXCEPTION_C_FUNCTIONS(X)                               \
  X(do_divide_error, 0xffffffff81013393)                             \
  X(do_overflow, 0xffffffff810133c0)                    /* unseen */ \
  X(do_bounds, 0xffffffff810133f0)                      /* unseen */ \
  X(do_invalid_op, 0xffffffff81013420)                  /* unseen */ \
  X(do_device_not_available, 0xffffffff81013450)        /* unseen */ \
  X(do_double_fault, 0xffffffff81013480)                /* unseen */ \
  X(do_coprocessor_segment_overrun, 0xffffffff810134b0) /* unseen */ \
  X(do_invalid_TSS, 0xffffffff810134e0)                 /* unseen */ \
  X(do_segment_not_present, 0xffffffff81013510)         /* unseen */ \
  X(do_spurious_interrupt_bug, 0xffffffff81013540)      /* unseen */ \
  X(do_coprocessor_error, 0xffffffff81013570)           /* unseen */ \
  X(do_alignment_check, 0xffffffff810135a0)             /* unseen */ \
  X(do_simd_coprocessor_error, 0xffffffff810135d0)      /* unseen */ \
  X(do_debug, 0xffffffff81013600)                       /* unseen */ \
  X(do_int3, 0xffffffff81013630)                        /* unseen */ \
  X(do_stack_segment, 0xffffffff81013660)               /* unseen */ \
  X(do_general_protection, 0xffffffff81013690)          /* unseen */ \
  X(do_page_fault, 0xffffffff81042000)                  /* unseen */ \
  X(do_mce, 0xffffffff8102a000)                         /* unseen */ \
  X(do_nmi, 0xffffffff81014000)                         /* unseen */

#define KPATH_ALL_C_FUNCTIONS(X) \
  KPATH_SYSCALL_C_FUNCTIONS(X)   \
  KPATH_FRAME_C_FUNCTIONS(X)     \
  KPATH_INTERRUPT_C_FUNCTIONS(X) \
  KPATH_EXCEPTION_C_FUNCTIONS(X)

namespace kpath {

// What runs at the symbols: calls the C function and returns to the address on the stack.
namespace c_code {
#define KPATH_DECLARE(name, address) void name(Cpu& cpu);
KPATH_ALL_C_FUNCTIONS(KPATH_DECLARE)
#undef KPATH_DECLARE
}  // namespace c_code

namespace assembly {
#define KPATH_SYMBOL(symbol, symbol_address) \
  inline constexpr CodeSymbol symbol = {     \
      .name = #symbol, .address = symbol_address, .run = c_code::symbol};
KPATH_ALL_C_FUNCTIONS(KPATH_SYMBOL)
#undef KPATH_SYMBOL
}  // namespace assembly

}  // namespace kpath
