// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/smp.h"

#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/kernel/fail.h"
#include "sim/kernel/report.h"
#include "sim/kernel/softirq.h"

namespace kpath {
namespace {

struct smp_globals {
  // cfd_data: by calling CPU, then by called CPU.
  std::array<std::array<call_single_data, Machine::kMaxCpus>, Machine::kMaxCpus> cfd_data;
  // csd_data: by calling CPU, for calls that do not wait.
  std::array<call_single_data, Machine::kMaxCpus> csd_data;
  // call_single_queue, by called CPU, oldest first.
  std::array<std::vector<call_single_data*>, Machine::kMaxCpus> call_single_queue;
};

KernelGlobal<smp_globals> smp;

// v4.19 kernel/smp.c: csd_lock_wait
void csd_lock_wait(const call_single_data* csd) {
  while (csd->locked) {
    // Where this CPU's own interrupts come: the other one may wait for this one.
    STEP("wait for the other CPU");
    if (csd->locked && !current->machine->Relax()) {
      Report("BUG: a CPU never calls the function that it was asked to call");
    }
  }
}

// v4.19 kernel/smp.c: csd_lock
void csd_lock(call_single_data* csd) {
  csd_lock_wait(csd);
  csd->locked = true;
}

// Puts it in the CPU's queue. True: the queue was empty, an interrupt is to be sent.
bool Enqueue(int cpu, call_single_data* csd) {
  auto& queue = smp->call_single_queue[cpu];
  queue.push_back(csd);
  return queue.size() == 1;
}

// v4.19 arch/x86/kernel/smp.c: native_send_call_func_single_ipi
void native_send_call_func_single_ipi(int cpu) {
  FUNCTION(cpu);
  current->machine->cpu(cpu).RaiseInterrupt(CALL_FUNCTION_SINGLE_VECTOR);
}

// v4.19 arch/x86/kernel/smp.c: native_send_call_func_ipi
void native_send_call_func_ipi(cpumask mask) {
  FUNCTION(mask);
  for (int cpu = 0; cpu < current->machine->cpus(); ++cpu) {
    if ((mask & cpumask_of(cpu)) == 0) continue;
    current->machine->cpu(cpu).RaiseInterrupt(CALL_FUNCTION_VECTOR);
  }
}

// v4.19 kernel/smp.c: generic_exec_single
int generic_exec_single(int cpu, call_single_data* csd, smp_call_func_t func, void* info) {
  FUNCTION(cpu);
  if (cpu == smp_processor_id()) {
    csd->locked = false;
    const unsigned long flags = local_irq_save();
    func(info);
    local_irq_restore(flags);
    return fn.Return(0);
  }
  if (cpu < 0 || cpu >= current->machine->cpus()) {
    csd->locked = false;
    return fn.Return(Fail(ENXIO, "there is no CPU $0", cpu));
  }
  csd->func = func;
  csd->info = info;
  if (Enqueue(cpu, csd)) native_send_call_func_single_ipi(cpu);
  return fn.Return(0);
}

cpumask OnlineCpus() {
  const int cpus = current->machine->cpus();
  return cpus == 64 ? ~cpumask{0} : (cpumask{1} << cpus) - 1;
}

// v4.19 kernel/smp.c: flush_smp_call_function_queue
void flush_smp_call_function_queue() {
  FUNCTION();
  // What is queued from now on comes with an interrupt of its own.
  std::vector<call_single_data*> entries;
  entries.swap(smp->call_single_queue[smp_processor_id()]);
  for (call_single_data* csd : entries) {
    const smp_call_func_t func = csd->func;
    void* const info = csd->info;
    if (csd->synchronous) {
      func(info);
      csd->locked = false;
    } else {
      csd->locked = false;
      func(info);
    }
  }
}

}  // namespace

int smp_call_function_single(int cpu, smp_call_func_t func, void* info, bool wait) {
  FUNCTION(cpu, wait);
  preempt_disable();
  call_single_data on_stack = {.synchronous = true};
  call_single_data* csd = wait ? &on_stack : &smp->csd_data[smp_processor_id()];
  csd_lock(csd);
  const int error = generic_exec_single(cpu, csd, func, info);
  if (wait) csd_lock_wait(csd);
  preempt_enable();
  return fn.Return(error);
}

int smp_call_function_single_async(int cpu, call_single_data* csd) {
  FUNCTION(cpu);
  preempt_disable();
  csd_lock(csd);
  const int error = generic_exec_single(cpu, csd, csd->func, csd->info);
  preempt_enable();
  return fn.Return(error);
}

void smp_call_function_many(cpumask mask, smp_call_func_t func, void* info, bool wait) {
  FUNCTION(mask, wait);
  const int this_cpu = smp_processor_id();
  if (irqs_disabled()) Report("WARNING: smp_call_function_many with interrupts off");
  mask &= OnlineCpus() & ~cpumask_of(this_cpu);
  if (mask == 0) return;
  if ((mask & (mask - 1)) == 0) {
    smp_call_function_single(__builtin_ctzll(mask), func, info, wait);
    return;
  }
  preempt_disable();
  auto& cfd = smp->cfd_data[this_cpu];
  cpumask ipi = 0;
  for (int cpu = 0; cpu < current->machine->cpus(); ++cpu) {
    if ((mask & cpumask_of(cpu)) == 0) continue;
    call_single_data* csd = &cfd[cpu];
    csd_lock(csd);
    csd->synchronous = wait;
    csd->func = func;
    csd->info = info;
    if (Enqueue(cpu, csd)) ipi |= cpumask_of(cpu);
  }
  native_send_call_func_ipi(ipi);
  if (wait) {
    for (int cpu = 0; cpu < current->machine->cpus(); ++cpu) {
      if ((mask & cpumask_of(cpu)) != 0) csd_lock_wait(&cfd[cpu]);
    }
  }
  preempt_enable();
}

void on_each_cpu(smp_call_func_t func, void* info, bool wait) {
  FUNCTION(wait);
  preempt_disable();
  smp_call_function_many(OnlineCpus(), func, info, wait);
  const unsigned long flags = local_irq_save();
  func(info);
  local_irq_restore(flags);
  preempt_enable();
}

void generic_smp_call_function_single_interrupt() {
  FUNCTION();
  flush_smp_call_function_queue();
}

void InstallCallFunctionInterrupts(Cpu& cpu) {
  for (const uint8_t vector : {CALL_FUNCTION_SINGLE_VECTOR, CALL_FUNCTION_VECTOR}) {
    cpu.idt[vector] = {.handler =
                           [](Cpu& at) {
                             irq_enter();
                             generic_smp_call_function_single_interrupt();
                             irq_exit();
                             at.IretQ();
                           },
                       .name = "call_function_interrupt"};
  }
}

}  // namespace kpath
