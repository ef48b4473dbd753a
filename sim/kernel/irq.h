// SPDX-License-Identifier: Apache-2.0
//
// Interrupts of devices: numbers, vectors, handlers. v4.19 kernel/irq/*.c, include/linux/irq.h,
// arch/x86/kernel/apic/vector.c
//
//   // A device, when it is made:
//   irq_ = irq_alloc_desc("vda", handle_fasteoi_irq);
//   request_irq(irq_, vp_interrupt, "virtio0", this);   // from now on it has a vector and a CPU
//
//   // Its hardware, in any context or in an event of the machine:
//   RaiseIrq(machine, irq_);
//
//   // In the interrupt, hardirq context, on the interrupt stack:
//   irqreturn_t vp_interrupt(int irq, void* dev) { …; return IRQ_HANDLED; }
//
// The way there: the CPU's gate for the vector is a stub of irq_entries_start, which leads by
// common_interrupt to do_IRQ (entry/irq.h) and by vector_irq to the descriptor, whose flow handler
// calls the actions.
//
//   handle_fasteoi_irq   a level at the I/O APIC: the end of interrupt comes last
//   handle_edge_irq      an edge or a message (MSI): acknowledged first, so that another one can
//                        come meanwhile; that one is noted, and handled by who is at it
//
// Context: irq_alloc_desc, request_irq, free_irq, enable_irq: process, or while the machine is set
// up. disable_irq_nosync: any. RaiseIrq: any, also outside of the machine's contexts; it passes no
// probe.
//
// Invariants
//   1. An interrupt has a vector exactly while it has an action.
//   2. Actions of one interrupt do not run on two CPUs at once (in_progress).
//   3. Nothing that is raised is lost: while masked it waits, at most once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/kernel/spinlock.h"

namespace kpath {

// v4.19 include/linux/irqreturn.h
enum irqreturn_t { IRQ_NONE = 0, IRQ_HANDLED = 1 };
using irq_handler_t = irqreturn_t (*)(int irq, void* dev_id);

struct irq_desc;
using irq_flow_handler_t = void (*)(irq_desc* desc);

// v4.19 include/linux/interrupt.h: struct irqaction
struct irqaction {
  irq_handler_t handler;
  void* dev_id;
  std::string name;
};

// v4.19 include/linux/irqdesc.h: struct irq_desc
struct irq_desc {
  explicit irq_desc(int number);

  int irq;
  std::string chip;
  irq_flow_handler_t handle_irq = nullptr;
  spinlock_t lock;
  std::vector<irqaction> action;
  unsigned depth = 1;                // how many times disabled
  bool masked = true;                // at the controller
  bool raised = false;               // by the device, while masked
  bool in_progress = false;          // IRQD_IRQ_INPROGRESS
  bool pending = false;              // IRQS_PENDING: came while in progress or disabled
  uint8_t vector = 0;                // 0: none
  int cpu = 0;                       // the one that it interrupts
  std::vector<uint64_t> kstat_irqs;  // by CPU: how many there were
  uint64_t unhandled = 0;            // how many no action wanted
};

// v4.19 kernel/irq/irqdesc.c: irq_alloc_descs. A new interrupt with its flow handler, nobody's yet.
// Returns its number, 1 or more. `chip` is for traces.
int irq_alloc_desc(const std::string& chip, irq_flow_handler_t flow, int cpu = 0);

// v4.19 include/linux/interrupt.h: request_irq. Several may share an interrupt: each handler is
// called, in this order. 0; -EINVAL: no such interrupt; -ENOSPC: no vector is free.
int request_irq(int irq, irq_handler_t handler, const std::string& name, void* dev_id);
// v4.19 kernel/irq/manage.c: free_irq. Takes the action with this dev_id off.
void free_irq(int irq, void* dev_id);
// v4.19 kernel/irq/manage.c: disable_irq_nosync, enable_irq. These nest.
void disable_irq_nosync(int irq);
void enable_irq(int irq);

// The device's line goes up, or its message is sent.
void RaiseIrq(Machine& machine, int irq);

// ---- Of use to the C code of the entry (entry/irq.cc) and to those who look ----

void handle_fasteoi_irq(irq_desc* desc);
void handle_edge_irq(irq_desc* desc);

// v4.19 kernel/irq/irqdesc.c: irq_to_desc. Null: no such interrupt.
irq_desc* irq_to_desc(int irq);
// v4.19 arch/x86/include/asm/hw_irq.h: vector_irq of this CPU. Null: the vector is nobody's.
irq_desc* vector_irq(uint8_t vector);

}  // namespace kpath
