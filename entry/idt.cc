// SPDX-License-Identifier: Apache-2.0
#include "entry/idt.h"

#include <csignal>

#include "absl/strings/str_cat.h"
#include "entry/common.h"
#include "entry/fault.h"
#include "sim/kernel/extable.h"
#include "sim/kernel/report.h"
#include "sim/kernel/tick.h"
#include "sim/process/signal.h"

namespace kpath {
namespace {

constexpr uint8_t X86_TRAP_GP = 13;

// v4.19 arch/x86/entry/entry_64.S: retint_user, before the registers are restored
void retint_user(pt_regs* regs) {
  local_irq_disable();
  if (user_mode(regs)) prepare_exit_to_usermode(regs);
}

// v4.19 arch/x86/entry/entry_64.S: idtentry with has_error_code=1
template <void (*kHandler)(pt_regs* regs, unsigned long error_code)>
void ExceptionGate(Cpu& cpu) {
  RunExceptionHandler(cpu, [](pt_regs* regs, unsigned long error_code) {
    kHandler(regs, error_code);
    retint_user(regs);
  });
}

// v4.19 arch/x86/entry/entry_64.S: apicinterrupt. What its stub pushes is where an error code would
// be.
template <uint8_t kVector, void (*kHandler)(pt_regs* regs)>
void InterruptGate(Cpu& cpu) {
  cpu.Push(~uint64_t{kVector});
  RunExceptionHandler(cpu, [](pt_regs* regs, unsigned long pushed) {
    regs->orig_ax = pushed;
    kHandler(regs);
    retint_user(regs);
  });
}

// v4.19 arch/x86/kernel/traps.c: do_general_protection
void do_general_protection(pt_regs* regs, unsigned long error_code) {
  FUNCTION(Value::Address(regs->ip), error_code);
  if (!user_mode(regs)) {
    if (fixup_exception(regs, X86_TRAP_GP) != 0) return;
    Report(absl::StrCat("general protection fault: ", absl::Hex(error_code, absl::kZeroPad4)),
           {absl::StrCat("RIP: 0x", absl::Hex(regs->ip))});
  }
  local_irq_enable();
  current->thread.error_code = error_code;
  current->thread.trap_nr = X86_TRAP_GP;
  force_sig_info(SIGSEGV, SEND_SIG_PRIV, current);
}

// v4.19 arch/x86/kernel/smp.c: smp_reschedule_interrupt. TIF_NEED_RESCHED has been set by who sent
// it.
void smp_reschedule_interrupt(pt_regs* regs) { FUNCTION(Value::Address(regs->ip)); }

}  // namespace

void idt_setup(Cpu& cpu) {
  cpu.idt[X86_TRAP_GP] = {.handler = ExceptionGate<do_general_protection>,
                          .name = "general_protection"};
  cpu.idt[X86_TRAP_PF] = {.handler = ExceptionGate<do_page_fault>, .name = "page_fault"};
  cpu.idt[LOCAL_TIMER_VECTOR] = {
      .handler = InterruptGate<LOCAL_TIMER_VECTOR, smp_apic_timer_interrupt>,
      .name = "apic_timer_interrupt"};
  cpu.idt[RESCHEDULE_VECTOR] = {
      .handler = InterruptGate<RESCHEDULE_VECTOR, smp_reschedule_interrupt>,
      .name = "reschedule_interrupt"};
}

}  // namespace kpath
