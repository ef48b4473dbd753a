// SPDX-License-Identifier: Apache-2.0
#include "entry/irq.h"

#include "sim/kernel/irq.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/smp.h"
#include "sim/kernel/softirq.h"
#include "sim/kernel/tick.h"

namespace kpath {

KernelGlobal<IrqStats> irq_stat;

namespace {

irq_cpustat_t& Stat() { return (*irq_stat)[smp_processor_id()]; }

// v4.19 arch/x86/include/asm/apic.h: ack_APIC_irq
void ack_APIC_irq() { STEP("end of interrupt"); }

// v4.19 arch/x86/include/asm/apic.h: entering_irq, ipi_entering_ack_irq, exiting_irq
void entering_irq() { irq_enter(); }
void ipi_entering_ack_irq() {
  irq_enter();
  ack_APIC_irq();
}
void exiting_irq() { irq_exit(); }

// v4.19 arch/x86/kernel/irq_64.c: handle_irq. False: the vector is nobody's.
bool handle_irq(irq_desc* desc, pt_regs*) {
  FUNCTION(desc == nullptr ? 0 : desc->irq);
  if (desc == nullptr) return false;
  desc->handle_irq(desc);
  return true;
}

// v4.19 kernel/sched/core.c: scheduler_ipi. Nothing: TIF_NEED_RESCHED is set by who sends it, and
// woken tasks are put into the queue of another CPU directly.
void scheduler_ipi() { FUNCTION(); }

}  // namespace

// v4.19 arch/x86/kernel/irq.c: do_IRQ
void do_IRQ(pt_regs* regs) {
  const uint8_t vector = static_cast<uint8_t>(~regs->orig_ax);
  FUNCTION(vector);
  pt_regs* old_regs = set_irq_regs(regs);
  entering_irq();
  if (!handle_irq(vector_irq(vector), regs)) {
    ack_APIC_irq();
    STEP("No irq handler for vector", smp_processor_id(), vector);
    ++Stat().irq_unhandled_count;
  }
  exiting_irq();
  set_irq_regs(old_regs);
}

// v4.19 arch/x86/kernel/apic/vector.c: smp_irq_move_cleanup_interrupt
void smp_irq_move_cleanup_interrupt(pt_regs*) {
  FUNCTION();
  entering_irq();
  ack_APIC_irq();
  exiting_irq();
}

// v4.19 arch/x86/kernel/irq.c: smp_x86_platform_ipi
void smp_x86_platform_ipi(pt_regs* regs) {
  FUNCTION();
  pt_regs* old_regs = set_irq_regs(regs);
  entering_irq();
  ack_APIC_irq();
  exiting_irq();
  set_irq_regs(old_regs);
}

// v4.19 arch/x86/kernel/irq_work.c: smp_irq_work_interrupt
void smp_irq_work_interrupt(pt_regs*) {
  FUNCTION();
  ipi_entering_ack_irq();
  exiting_irq();
}

// v4.19 arch/x86/kernel/smp.c: smp_reboot_interrupt, stop_this_cpu
void smp_reboot_interrupt(pt_regs*) {
  FUNCTION();
  ipi_entering_ack_irq();
  STEP("this CPU stops");
  current->machine->RequestStop();
  exiting_irq();
}

// v4.19 arch/x86/kernel/smp.c: smp_call_function_single_interrupt
void smp_call_function_single_interrupt(pt_regs*) {
  FUNCTION();
  ipi_entering_ack_irq();
  ++Stat().irq_call_count;
  generic_smp_call_function_single_interrupt();
  exiting_irq();
}

// v4.19 arch/x86/kernel/smp.c: smp_call_function_interrupt
void smp_call_function_interrupt(pt_regs*) {
  FUNCTION();
  ipi_entering_ack_irq();
  ++Stat().irq_call_count;
  generic_smp_call_function_single_interrupt();
  exiting_irq();
}

// v4.19 arch/x86/kernel/smp.c: smp_reschedule_interrupt. What was interrupted gives way at its
// return to user mode.
void smp_reschedule_interrupt(pt_regs* regs) {
  FUNCTION(Value::Address(regs->ip));
  ack_APIC_irq();
  ++Stat().irq_resched_count;
  scheduler_ipi();
}

// v4.19 arch/x86/kernel/apic/apic.c: smp_error_interrupt
void smp_error_interrupt(pt_regs*) {
  FUNCTION();
  entering_irq();
  ack_APIC_irq();
  ++Stat().irq_error_count;
  exiting_irq();
}

// v4.19 arch/x86/kernel/apic/apic.c: smp_spurious_interrupt. None is in service at the APIC, so
// there is no end of it to tell.
void smp_spurious_interrupt(pt_regs* regs) {
  const uint8_t vector = static_cast<uint8_t>(~regs->orig_ax);
  FUNCTION(vector);
  entering_irq();
  ++Stat().irq_spurious_count;
  exiting_irq();
}

}  // namespace kpath
