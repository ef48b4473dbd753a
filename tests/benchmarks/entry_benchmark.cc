// SPDX-License-Identifier: Apache-2.0
//
// What a system call costs when it does nothing: SYSCALL, entry_SYSCALL_64, a do_syscall_64 that
// returns at once, and the way back by SYSRET, with nobody listening.
//
//   bazel run -c opt //tests/benchmarks:entry_benchmark
#include "benchmark/benchmark.h"
#include "entry/c_function.h"
#include "entry/entry_64.h"
#include "sim/machine/machine.h"

namespace kpath {

void c_code::do_syscall_64(Cpu& cpu) {
  RunCFunction(
      cpu, +[](unsigned long nr, pt_regs* regs) { regs->ax = nr; });
}

namespace {

void EntryAndExit(benchmark::State& state) {
  Machine machine;
  EnterMachine enter(machine);
  Cpu& cpu = machine.cpu(0);
  const uint64_t stack = kDirectMapBase + (machine.memory.AllocatePages(2) << kPageShift);
  cpu.Write64(cpu.per_cpu_base() + kPerCpuTopOfStack.offset, stack + 4 * kPageSize);
  cpu.Write64(cpu.per_cpu_base() + kPerCpuSp0.offset, cpu.entry_stack_top());
  cpu.gs_base = 0;
  cpu.kernel_gs_base = cpu.per_cpu_base();
  cpu.star = uint64_t{__USER32_CS} << 48 | uint64_t{__KERNEL_CS} << 32;
  cpu.sfmask = 0x47700;
  cpu.lstar = assembly::entry_SYSCALL_64.address;
  cpu.syscall_entry = assembly::entry_SYSCALL_64.run;
  cpu.regs.cs = __USER_CS;
  cpu.regs.ss = __USER_DS;
  cpu.regs.rip = 0x401000;
  cpu.regs[Reg::rsp] = 0x7ffe00000000;
  for (auto _ : state) {
    cpu.regs[Reg::rax] = 39;
    cpu.Syscall();
  }
}
BENCHMARK(EntryAndExit);

}  // namespace
}  // namespace kpath

BENCHMARK_MAIN();
