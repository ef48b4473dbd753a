// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/softirq.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "sim/kernel/report.h"
#include "sim/machine/check.h"

namespace kpath {

KernelGlobal<IrqHooks> irq_hooks;

namespace {

// v4.19 kernel/softirq.c: MAX_SOFTIRQ_RESTART
constexpr int MAX_SOFTIRQ_RESTART = 10;

struct softirq_globals {
  std::array<void (*)(), NR_SOFTIRQS> softirq_vec = {};
  std::array<unsigned, Machine::kMaxCpus> pending = {};        // by CPU, a bit per softirq
  std::array<task_struct*, Machine::kMaxCpus> ksoftirqd = {};  // by CPU; null until it is needed
};

KernelGlobal<softirq_globals> softirqs;

unsigned& Pending() { return softirqs->pending[smp_processor_id()]; }

void CheckPreemptCount(int nr, int before) {
  if (current->preempt_count == before) return;
  Report(absl::StrCat("BUG: softirq ", nr, " was entered with preempt_count 0x", absl::Hex(before),
                      " and left with 0x", absl::Hex(current->preempt_count)));
}

void RunSoftirqs(unsigned pending) {
  for (; pending != 0; pending &= pending - 1) {
    const int nr = __builtin_ctz(pending);
    KPATH_CHECK(softirqs->softirq_vec[nr] != nullptr, "softirq ", nr, " is not open");
    const int before = current->preempt_count;
    softirqs->softirq_vec[nr]();
    CheckPreemptCount(nr, before);
  }
}

// v4.19 kernel/softirq.c: run_ksoftirqd, in smpboot_thread_fn's loop
[[noreturn]] void ksoftirqd() {
  while (true) {
    local_irq_disable();
    if (Pending() != 0) __do_softirq();
    set_current_state(TASK_INTERRUPTIBLE);
    if (Pending() != 0) set_current_state(TASK_RUNNING);
    local_irq_enable();
    schedule();
  }
}

// v4.19 kernel/softirq.c: wakeup_softirqd
void wakeup_softirqd() {
  FUNCTION();
  task_struct*& thread = softirqs->ksoftirqd[smp_processor_id()];
  if (thread != nullptr) {
    wake_up_process(thread);
    return;
  }
  thread =
      NewKernelThread(*current->machine, absl::StrCat("ksoftirqd/", smp_processor_id()), ksoftirqd);
  thread->cpus_allowed = uint64_t{1} << smp_processor_id();
  wake_up_new_task(thread);
}

// v4.19 kernel/softirq.c: do_softirq
void do_softirq() {
  if (in_interrupt()) return;
  const unsigned long flags = local_irq_save();
  if (Pending() != 0) __do_softirq();
  local_irq_restore(flags);
}

}  // namespace

void open_softirq(SoftirqNumber nr, void (*action)()) { softirqs->softirq_vec[nr] = action; }

unsigned local_softirq_pending() { return Pending(); }

// v4.19 kernel/softirq.c: raise_softirq_irqoff
void raise_softirq_irqoff(SoftirqNumber nr) {
  FUNCTION(nr);
  Pending() |= 1u << nr;
  if (!in_interrupt()) wakeup_softirqd();
}

// v4.19 kernel/softirq.c: raise_softirq
void raise_softirq(SoftirqNumber nr) {
  FUNCTION(nr);
  const unsigned long flags = local_irq_save();
  raise_softirq_irqoff(nr);
  local_irq_restore(flags);
}

// v4.19 kernel/softirq.c: __do_softirq
void __do_softirq() {
  FUNCTION(Pending());
  current->preempt_count += SOFTIRQ_OFFSET;
  int restarts = MAX_SOFTIRQ_RESTART;
  do {
    const unsigned pending = Pending();
    Pending() = 0;
    local_irq_enable();
    RunSoftirqs(pending);
    local_irq_disable();
  } while (Pending() != 0 && !need_resched() && --restarts != 0);
  if (Pending() != 0) wakeup_softirqd();
  current->preempt_count -= SOFTIRQ_OFFSET;
}

// v4.19 kernel/softirq.c: irq_enter
void irq_enter() {
  FUNCTION();
  if (irq_hooks->irq_enter != nullptr) irq_hooks->irq_enter();
  current->preempt_count += HARDIRQ_OFFSET;
}

// v4.19 kernel/softirq.c: irq_exit
void irq_exit() {
  FUNCTION();
  current->preempt_count -= HARDIRQ_OFFSET;
  if (!in_interrupt() && Pending() != 0) __do_softirq();  // invoke_softirq
  if (irq_hooks->irq_exit != nullptr) irq_hooks->irq_exit();
}

void local_bh_disable() { current->preempt_count += SOFTIRQ_DISABLE_OFFSET; }

// v4.19 kernel/softirq.c: __local_bh_enable_ip
void __local_bh_enable_ip() {
  FUNCTION();
  if (in_irq() || irqs_disabled()) {
    Report("WARNING: softirqs are allowed again where interrupts are off");
  }
  current->preempt_count -= SOFTIRQ_DISABLE_OFFSET - PREEMPT_OFFSET;
  if (!in_interrupt() && Pending() != 0) do_softirq();
  preempt_enable();
}

void local_bh_enable() { __local_bh_enable_ip(); }

}  // namespace kpath
