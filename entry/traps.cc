// SPDX-License-Identifier: Apache-2.0
#include "entry/traps.h"

#include <csignal>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/kernel/extable.h"
#include "sim/kernel/report.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/tick.h"
#include "sim/process/signal.h"

namespace kpath {
namespace {

// A signal without a code and an address of its own.
struct TrapInfo {
  int si_code = SI_KERNEL;
  unsigned long addr = 0;
};

// v4.19 arch/x86/kernel/dumpstack.c: die
[[noreturn]] void die(const char* str, const pt_regs* regs, long error_code) {
  Report(absl::StrCat(str, ": ", absl::Hex(error_code, absl::kZeroPad4)),
         {absl::StrCat("RIP: 0x", absl::Hex(regs->ip))});
}

// v4.19 arch/x86/kernel/traps.c: cond_local_irq_enable
void cond_local_irq_enable(const pt_regs* regs) {
  if ((regs->flags & X86_EFLAGS_IF) != 0) local_irq_enable();
}

// v4.19 arch/x86/kernel/traps.c: cond_local_irq_disable
void cond_local_irq_disable(const pt_regs* regs) {
  if ((regs->flags & X86_EFLAGS_IF) != 0) local_irq_disable();
}

// v4.19 arch/x86/kernel/traps.c: do_trap_no_signal. False: nothing is left to do.
bool do_trap_no_signal(int trapnr, const char* str, pt_regs* regs, long error_code) {
  FUNCTION(trapnr, error_code);
  if (user_mode(regs)) {
    current->thread.trap_nr = static_cast<uint64_t>(trapnr);
    current->thread.error_code = static_cast<uint64_t>(error_code);
    return fn.Return(true);
  }
  if (fixup_exception(regs, trapnr) == 0) die(str, regs, error_code);
  return fn.Return(false);
}

// v4.19 arch/x86/kernel/traps.c: do_trap
void do_trap(int trapnr, int signr, const char* str, pt_regs* regs, long error_code,
             const TrapInfo& info) {
  FUNCTION(trapnr, signr, error_code);
  if (!do_trap_no_signal(trapnr, str, regs, error_code)) return;
  if (info.si_code == SI_KERNEL) {
    force_sig_info(signr, SEND_SIG_PRIV, current);
  } else {
    force_sig_fault(signr, info.si_code, info.addr, current);
  }
}

// v4.19 arch/x86/kernel/traps.c: fill_trap_info
TrapInfo fill_trap_info(const pt_regs* regs, int trapnr) {
  switch (trapnr) {
    case X86_TRAP_DE:
      return {FPE_INTDIV, regs->ip};
    case X86_TRAP_UD:
      return {ILL_ILLOPN, regs->ip};
    case X86_TRAP_AC:
      return {BUS_ADRALN, 0};
    default:
      return {};
  }
}

// v4.19 arch/x86/kernel/traps.c: do_error_trap
void do_error_trap(pt_regs* regs, long error_code, const char* str, int trapnr, int signr) {
  FUNCTION(Value::Address(regs->ip), trapnr, signr);
  cond_local_irq_enable(regs);
  do_trap(trapnr, signr, str, regs, error_code, fill_trap_info(regs, trapnr));
}

// v4.19 arch/x86/kernel/traps.c: math_error
void math_error(pt_regs* regs, long error_code, int trapnr) {
  FUNCTION(Value::Address(regs->ip), trapnr);
  const char* str = trapnr == X86_TRAP_MF ? "fpu exception" : "simd exception";
  cond_local_irq_enable(regs);
  if (!user_mode(regs)) {
    if (fixup_exception(regs, trapnr) != 0) return;
    die(str, regs, error_code);
  }
  force_sig_fault(SIGFPE, FPE_FLTINV, regs->ip, current);
}

}  // namespace

// v4.19 arch/x86/kernel/traps.c: DO_ERROR
#define DO_ERROR(trapnr, signr, str, name)               \
  void do_##name(pt_regs* regs, long error_code) {       \
    FUNCTION(Value::Address(regs->ip), error_code);      \
    do_error_trap(regs, error_code, str, trapnr, signr); \
  }
DO_ERROR(X86_TRAP_DE, SIGFPE, "divide error", divide_error)
DO_ERROR(X86_TRAP_OF, SIGSEGV, "overflow", overflow)
DO_ERROR(X86_TRAP_UD, SIGILL, "invalid opcode", invalid_op)
DO_ERROR(X86_TRAP_OLD_MF, SIGFPE, "coprocessor segment overrun", coprocessor_segment_overrun)
DO_ERROR(X86_TRAP_TS, SIGSEGV, "invalid TSS", invalid_TSS)
DO_ERROR(X86_TRAP_NP, SIGBUS, "segment not present", segment_not_present)
DO_ERROR(X86_TRAP_SS, SIGBUS, "stack segment", stack_segment)
DO_ERROR(X86_TRAP_AC, SIGBUS, "alignment check", alignment_check)
#undef DO_ERROR

// v4.19 arch/x86/kernel/traps.c: do_bounds
void do_bounds(pt_regs* regs, long error_code) {
  FUNCTION(Value::Address(regs->ip), error_code);
  cond_local_irq_enable(regs);
  if (!user_mode(regs)) die("bounds", regs, error_code);
  do_trap(X86_TRAP_BR, SIGSEGV, "bounds", regs, error_code, {});
}

// v4.19 arch/x86/kernel/traps.c: do_general_protection
void do_general_protection(pt_regs* regs, long error_code) {
  FUNCTION(Value::Address(regs->ip), error_code);
  cond_local_irq_enable(regs);
  if (!user_mode(regs)) {
    if (fixup_exception(regs, X86_TRAP_GP) != 0) return;
    die("general protection fault", regs, error_code);
  }
  current->thread.trap_nr = X86_TRAP_GP;
  current->thread.error_code = static_cast<uint64_t>(error_code);
  force_sig_info(SIGSEGV, SEND_SIG_PRIV, current);
}

// v4.19 arch/x86/kernel/traps.c: do_int3
void do_int3(pt_regs* regs, long error_code) {
  FUNCTION(Value::Address(regs->ip), error_code);
  cond_local_irq_enable(regs);
  do_trap(X86_TRAP_BP, SIGTRAP, "int3", regs, error_code, {});
  cond_local_irq_disable(regs);
}

// v4.19 arch/x86/kernel/traps.c: do_debug. A step, or INT1, which leaves nothing in DR6.
void do_debug(pt_regs* regs, long error_code) {
  FUNCTION(Value::Address(regs->ip), error_code);
  const uint64_t dr6 = std::exchange(current->cpu->dr6, 0);
  if (!user_mode(regs)) return;
  current->thread.debugreg6 = dr6;
  cond_local_irq_enable(regs);
  // send_sigtrap
  current->thread.trap_nr = X86_TRAP_DB;
  current->thread.error_code = static_cast<uint64_t>(error_code);
  const int si_code = (dr6 & DR_STEP) != 0 ? TRAP_TRACE : TRAP_BRKPT;
  force_sig_fault(SIGTRAP, si_code, regs->ip, current);
  cond_local_irq_disable(regs);
}

// v4.19 arch/x86/kernel/traps.c: do_device_not_available. CR0.TS is never set.
void do_device_not_available(pt_regs* regs, long error_code) {
  FUNCTION(Value::Address(regs->ip), error_code);
  die("unexpected #NM exception", regs, error_code);
}

// v4.19 arch/x86/kernel/traps.c: do_double_fault
void do_double_fault(pt_regs* regs, long error_code) {
  FUNCTION(Value::Address(regs->ip), error_code);
  die("double fault", regs, error_code);
}

// v4.19 arch/x86/kernel/traps.c: do_spurious_interrupt_bug
void do_spurious_interrupt_bug(pt_regs* regs, long error_code) {
  FUNCTION(Value::Address(regs->ip), error_code);
  cond_local_irq_enable(regs);
}

// v4.19 arch/x86/kernel/traps.c: do_coprocessor_error
void do_coprocessor_error(pt_regs* regs, long error_code) {
  FUNCTION(Value::Address(regs->ip), error_code);
  math_error(regs, error_code, X86_TRAP_MF);
}

// v4.19 arch/x86/kernel/traps.c: do_simd_coprocessor_error
void do_simd_coprocessor_error(pt_regs* regs, long error_code) {
  FUNCTION(Value::Address(regs->ip), error_code);
  math_error(regs, error_code, X86_TRAP_XF);
}

// v4.19 arch/x86/kernel/cpu/mcheck/mce.c: do_mce, with no bank that tells of anything.
void do_mce(pt_regs* regs, long error_code) {
  FUNCTION(Value::Address(regs->ip), error_code);
  die("Machine check from unknown source", regs, error_code);
}

// v4.19 arch/x86/kernel/nmi.c: do_nmi
void do_nmi(pt_regs* regs, long error_code) {
  FUNCTION(Value::Address(regs->ip), error_code);
  STEP("NMI received for unknown reason", user_mode(regs));
}

}  // namespace kpath
