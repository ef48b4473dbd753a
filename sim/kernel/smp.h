// SPDX-License-Identifier: Apache-2.0
//
// Having other CPUs call a function, by inter-processor interrupt. v4.19 kernel/smp.c
//
//   smp_call_function_many(cpus, flush_tlb_func_remote, &info, /*wait=*/true);
//
// The function runs on each of those CPUs in their interrupt 0xfb (one CPU was asked) or 0xfc
// (several), interrupts off; it may not sleep. With `wait` the caller comes back when all have run
// it, so that `info` may be on its stack.
//
// Context: process or softirq, interrupts on (waiting with interrupts off for a CPU that waits for
// this one would never end).
//
// Invariants
//   1. A call_single_data is locked from the moment it is filled in until its function has run
//      (wait) or is about to (no wait); nobody changes it meanwhile.
//   2. An interrupt is sent only to a CPU whose queue was empty: one that is not has one on its
//   way.
#pragma once

#include <cstdint>

#include "sim/kernel/sched.h"

namespace kpath {

// v4.19 arch/x86/include/asm/irq_vectors.h
inline constexpr uint8_t CALL_FUNCTION_SINGLE_VECTOR = 0xfb;
inline constexpr uint8_t CALL_FUNCTION_VECTOR = 0xfc;

using smp_call_func_t = void (*)(void* info);

// A bit for each CPU.
using cpumask = uint64_t;
inline cpumask cpumask_of(int cpu) { return cpumask{1} << cpu; }

// v4.19 kernel/smp.c: smp_call_function_single. On this CPU, too. 0; -ENXIO: no such CPU.
int smp_call_function_single(int cpu, smp_call_func_t func, void* info, bool wait);
// v4.19 include/linux/smp.h: struct call_single_data. A call to another CPU; not to be touched
// while it is locked.
struct call_single_data {
  smp_call_func_t func = nullptr;
  void* info = nullptr;
  bool locked = false;       // CSD_FLAG_LOCK
  bool synchronous = false;  // CSD_FLAG_SYNCHRONOUS
};
// v4.19 kernel/smp.c: smp_call_function_single_async. The same without waiting, in any context:
// with a description of the call that the caller owns, until the function has begun. 0 or -ENXIO.
int smp_call_function_single_async(int cpu, call_single_data* csd);
// v4.19 kernel/smp.c: smp_call_function_many. On all in `mask` but this one.
void smp_call_function_many(cpumask mask, smp_call_func_t func, void* info, bool wait);
// v4.19 kernel/smp.c: on_each_cpu. On all, this one last and with interrupts off.
void on_each_cpu(smp_call_func_t func, void* info, bool wait);

// v4.19 kernel/smp.c: generic_smp_call_function_single_interrupt. The C side of both vectors, in
// hardirq context: calls all that is in this CPU's queue, oldest first.
void generic_smp_call_function_single_interrupt();

// Gives the CPU gates for both vectors that need no modelled assembly. For machines without entry/.
void InstallCallFunctionInterrupts(Cpu& cpu);

}  // namespace kpath
