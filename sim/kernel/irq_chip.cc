// SPDX-License-Identifier: Apache-2.0
//
// The flow handlers. v4.19 kernel/irq/chip.c, kernel/irq/handle.c
#include "sim/kernel/irq.h"
#include "sim/kernel/report.h"

namespace kpath {
namespace {

// v4.19 kernel/irq/handle.c: __handle_irq_event_percpu
irqreturn_t __handle_irq_event_percpu(irq_desc* desc) {
  FUNCTION(desc->irq);
  int retval = IRQ_NONE;
  // An action may take itself off.
  const std::vector<irqaction> actions = desc->action;
  for (const irqaction& action : actions) {
    retval |= action.handler(desc->irq, action.dev_id);
    if (!irqs_disabled()) Report("WARNING: a handler enabled interrupts");
  }
  return fn.Return(static_cast<irqreturn_t>(retval));
}

// v4.19 kernel/irq/spurious.c: note_interrupt
void note_interrupt(irq_desc* desc, irqreturn_t action_ret) {
  FUNCTION(desc->irq, static_cast<int>(action_ret));
  if (action_ret == IRQ_NONE) ++desc->unhandled;
}

// v4.19 kernel/irq/handle.c: handle_irq_event_percpu
// Departs: no add_interrupt_randomness, the machine has no random numbers.
irqreturn_t handle_irq_event_percpu(irq_desc* desc) {
  FUNCTION(desc->irq);
  const irqreturn_t retval = __handle_irq_event_percpu(desc);
  note_interrupt(desc, retval);
  return fn.Return(retval);
}

// v4.19 kernel/irq/handle.c: handle_irq_event
void handle_irq_event(irq_desc* desc) {
  FUNCTION(desc->irq);
  desc->pending = false;
  desc->in_progress = true;
  spin_unlock(&desc->lock);
  handle_irq_event_percpu(desc);
  spin_lock(&desc->lock);
  desc->in_progress = false;
}

// v4.19 kernel/irq/chip.c: irq_may_run
bool irq_may_run(const irq_desc* desc) { return !desc->in_progress; }

bool Disabled(const irq_desc* desc) { return desc->action.empty() || desc->depth != 0; }

void kstat_incr_irqs_this_cpu(irq_desc* desc) { ++desc->kstat_irqs[smp_processor_id()]; }

}  // namespace

// v4.19 kernel/irq/chip.c: handle_fasteoi_irq
void handle_fasteoi_irq(irq_desc* desc) {
  FUNCTION(desc->irq);
  spin_lock(&desc->lock);
  if (!irq_may_run(desc)) {
    STEP("in progress elsewhere");
    desc->pending = true;
  } else if (Disabled(desc)) {
    STEP("disabled");
    desc->pending = true;
    desc->masked = true;
  } else {
    kstat_incr_irqs_this_cpu(desc);
    handle_irq_event(desc);
  }
  STEP("end of interrupt", desc->irq);
  spin_unlock(&desc->lock);
}

// v4.19 kernel/irq/chip.c: handle_edge_irq
void handle_edge_irq(irq_desc* desc) {
  FUNCTION(desc->irq);
  spin_lock(&desc->lock);
  if (!irq_may_run(desc) || Disabled(desc)) {
    STEP("noted for later");
    desc->pending = true;
    desc->masked = Disabled(desc);
    spin_unlock(&desc->lock);
    return;
  }
  kstat_incr_irqs_this_cpu(desc);
  STEP("acknowledged", desc->irq);
  do {
    handle_irq_event(desc);
  } while (desc->pending && !Disabled(desc));
  spin_unlock(&desc->lock);
}

}  // namespace kpath
