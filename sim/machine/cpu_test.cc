// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/cpu.h"

#include <string>

#include "gtest/gtest.h"
#include "sim/machine/machine.h"

namespace kpath {
namespace {

void touch() { FUNCTION(); }

// Gives the CPU a stack to push on.
void UseKernelStack(Machine& machine, Cpu& cpu) {
  cpu.regs.cs = __KERNEL_CS;
  cpu.regs[Reg::rsp] = kDirectMapBase + (machine.memory.AllocatePages(0) << kPageShift) + kPageSize;
}

TEST(PendingVectors, LeaveHighestFirst) {
  PendingVectors pending;
  EXPECT_FALSE(pending.any());
  for (int vector : {0, 64, 63, 255, 128, 64, 191}) pending.Add(static_cast<uint8_t>(vector));
  for (int vector : {255, 191, 128, 64, 63, 0}) {
    ASSERT_TRUE(pending.any());
    EXPECT_EQ(pending.TakeHighest(), vector);
  }
  EXPECT_FALSE(pending.any());
}

TEST(Cpu, SyscallAndSysretFollowTheManual) {
  Machine machine;
  EnterMachine enter(machine);
  Cpu& cpu = machine.cpu(0);
  cpu.star = uint64_t{__USER32_CS} << 48 | uint64_t{__KERNEL_CS} << 32;
  cpu.sfmask = 0x47700;
  cpu.lstar = 0xffffffff81400010;
  cpu.regs.cs = __USER_CS;
  cpu.regs.ss = __USER_DS;
  cpu.regs.rip = 0x4016ac;
  cpu.regs.rflags = X86_EFLAGS_FIXED | X86_EFLAGS_IF | X86_EFLAGS_RF | X86_EFLAGS_ZF;
  cpu.syscall_entry = [](Cpu& c) {
    EXPECT_EQ(c.regs[Reg::rcx], 0x4016acu);
    EXPECT_EQ(c.regs[Reg::r11], X86_EFLAGS_FIXED | X86_EFLAGS_IF | X86_EFLAGS_ZF);
    EXPECT_EQ(c.regs.rflags, X86_EFLAGS_FIXED | X86_EFLAGS_ZF);
    EXPECT_EQ(c.regs.cs, __KERNEL_CS);
    EXPECT_EQ(c.regs.ss, __KERNEL_DS);
    EXPECT_EQ(c.regs.rip, 0xffffffff81400010u);
    c.SysretQ();
  };
  cpu.Syscall();
  EXPECT_EQ(cpu.regs.rip, 0x4016acu);
  EXPECT_EQ(cpu.regs.rflags, X86_EFLAGS_FIXED | X86_EFLAGS_IF | X86_EFLAGS_ZF);
  EXPECT_EQ(cpu.regs.cs, __USER_CS);
  EXPECT_EQ(cpu.regs.ss, __USER_DS);
}

TEST(Cpu, SwapgsExchangesTheTwoBases) {
  Machine machine;
  Cpu& cpu = machine.cpu(0);
  cpu.kernel_gs_base = cpu.per_cpu_base();
  cpu.Swapgs();
  EXPECT_EQ(cpu.gs_base, cpu.per_cpu_base());
  EXPECT_EQ(cpu.kernel_gs_base, 0u);
}

TEST(Cpu, AnInterruptWaitsForTheFlagAndComesAtTheNextProbe) {
  Machine machine;
  static std::string order;
  order.clear();
  Cpu& cpu = machine.cpu(0);
  cpu.idt[0x30] = {.handler =
                       [](Cpu& c) {
                         order += "[irq]";
                         EXPECT_FALSE(c.irqs_enabled());
                         c.IretQ();
                       },
                   .name = "test"};
  Context context(machine, [&] {
    UseKernelStack(machine, cpu);
    const uint64_t rsp = cpu.regs[Reg::rsp];
    cpu.DisableIrqs();
    cpu.RaiseInterrupt(0x30);
    touch();
    order += "a";
    cpu.EnableIrqs();
    order += "b";
    touch();
    order += "c";
    EXPECT_EQ(cpu.regs[Reg::rsp], rsp);
    EXPECT_TRUE(cpu.irqs_enabled());
    while (true) cpu.Halt();
  });
  cpu.Start(context);
  EXPECT_EQ(machine.Run(), Machine::Outcome::kIdle);
  EXPECT_EQ(order, "ab[irq]c");
}

TEST(Cpu, AnExceptionFromUserModeArrivesOnTheEntryStack) {
  Machine machine;
  Cpu& cpu = machine.cpu(0);
  cpu.Write64(cpu.per_cpu_base() + kPerCpuSp0.offset, cpu.entry_stack_top());
  cpu.idt[14] = {.handler =
                     [](Cpu& c) {
                       EXPECT_EQ(c.regs[Reg::rsp], c.entry_stack_top() - 48);
                       EXPECT_EQ(c.Pop(), 6u);  // error code
                       c.IretQ();
                     },
                 .name = "page_fault"};
  cpu.regs.cs = __USER_CS;
  cpu.regs.ss = __USER_DS;
  cpu.regs.rip = 0x401000;
  cpu.regs[Reg::rsp] = 0x7ffe0000;
  const Registers before = cpu.regs;
  cpu.RaiseException(14, true, 6);
  EXPECT_EQ(cpu.regs, before);
}

TEST(Cpu, ReadingWhereNothingIsStopsTheMachine) {
  Machine machine;
  Context context(machine, [&] { machine.cpu(0).Read64(0xffffc90000000000); });
  machine.cpu(0).Start(context);
  EXPECT_EQ(machine.Run(), Machine::Outcome::kReport);
  EXPECT_EQ(machine.report(),
            "BUG: unable to handle kernel paging request at 0xffffc90000000000 (read)");
}

}  // namespace
}  // namespace kpath
