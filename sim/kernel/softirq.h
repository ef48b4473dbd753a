// SPDX-License-Identifier: Apache-2.0
//
// Hard interrupt bookkeeping and softirqs: work that an interrupt handler leaves for the moment
// when it has returned, with interrupts on again. v4.19 kernel/softirq.c
//
//   open_softirq(TIMER_SOFTIRQ, run_timer_softirq);      // once, when the subsystem is set up
//
//   irq_enter();                                         // the C side of an interrupt handler
//   raise_softirq_irqoff(TIMER_SOFTIRQ);
//   irq_exit();                                          // runs run_timer_softirq
//
// A softirq runs on the CPU that raised it: at the end of the outermost interrupt, or when softirqs
// are allowed again, or else in that CPU's kernel thread ksoftirqd.
//
// Contexts: raise_softirq and local_bh_disable in any; local_bh_enable with interrupts on, not in a
// hardirq; handlers may not sleep.
//
// Invariants
//   1. Handlers of one CPU do not nest, and run lowest number first.
//   2. in_interrupt() is true in hardirqs, in softirqs, and with softirqs off.
#pragma once

#include "sim/kernel/sched.h"

namespace kpath {

// v4.19 include/linux/interrupt.h
enum SoftirqNumber {
  HI_SOFTIRQ = 0,
  TIMER_SOFTIRQ,
  NET_TX_SOFTIRQ,
  NET_RX_SOFTIRQ,
  BLOCK_SOFTIRQ,
  IRQ_POLL_SOFTIRQ,
  TASKLET_SOFTIRQ,
  SCHED_SOFTIRQ,
  HRTIMER_SOFTIRQ,
  RCU_SOFTIRQ,
  NR_SOFTIRQS
};

void open_softirq(SoftirqNumber nr, void (*action)());
void raise_softirq(SoftirqNumber nr);
// REQUIRES: interrupts off.
void raise_softirq_irqoff(SoftirqNumber nr);
// The softirqs that are raised on this CPU, a bit each.
unsigned local_softirq_pending();

// Around the C side of each hardware interrupt; interrupts off.
void irq_enter();
void irq_exit();

void __do_softirq();

void local_bh_disable();
// v4.19 kernel/softirq.c: __local_bh_enable_ip.
void local_bh_enable();

// What RCU and the tick want to know of an interrupt; set by them.
struct IrqHooks {
  void (*irq_enter)() = nullptr;
  void (*irq_exit)() = nullptr;
};
extern KernelGlobal<IrqHooks> irq_hooks;

}  // namespace kpath
