// SPDX-License-Identifier: Apache-2.0
//
// The ways through the exception and interrupt entries that the recordings do not take: from kernel
// mode, with either GS, on stacks of their own, nested.
#include <functional>
#include <string>
#include <vector>

#include "entry/c_function.h"
#include "entry/idtentry_64.h"
#include "entry/interrupts_64.h"
#include "entry/stub_c_code.h"
#include "entry/sync_regs.h"
#include "gtest/gtest.h"
#include "sim/machine/machine.h"
#include "sim/machine/pt_regs.h"

namespace kpath {
namespace {

constexpr uint64_t kUserGs = 0x1234;
constexpr uint64_t kKernelIp = 0xffffffff81234567;

class IdtentryTest : public testing::Test {
 protected:
  IdtentryTest() : enter_(machine_), cpu_(machine_.cpu(0)) {
    task_stack_ = NewStack();
    cpu_.Write64(cpu_.per_cpu_base() + kPerCpuTopOfStack.offset, task_stack_);
    cpu_.Write64(cpu_.per_cpu_base() + kPerCpuSp0.offset, cpu_.entry_stack_top());
    cpu_.Write32(cpu_.per_cpu_base() + kPerCpuIrqCount.offset, static_cast<uint32_t>(-1));
    cpu_.Write64(cpu_.per_cpu_base() + kPerCpuIrqStackPtr.offset,
                 cpu_.per_cpu_base() + kPerCpuIrqStackTop.offset + 8);
    cpu_.ist[3] = NewStack();
    cpu_.idt[0].handler = assembly::divide_error.run;
    cpu_.idt[1] = {.handler = assembly::debug.run, .name = "debug", .ist = 3};
    cpu_.idt[13].handler = assembly::general_protection.run;
    cpu_.idt[0x22].handler = InterruptStub(0x22).run;
    cpu_.idt[0xec].handler = assembly::apic_timer_interrupt.run;
    for (size_t i = 0; i < 16; ++i) cpu_.regs.general[i] = 0x1111111111111111 * i;
  }

  uint64_t NewStack() {
    return kDirectMapBase + (machine_.memory.AllocatePages(0) << kPageShift) + kPageSize;
  }

  void BeInKernel(bool user_gs = false) {
    cpu_.regs.cs = __KERNEL_CS;
    cpu_.regs.ss = __KERNEL_DS;
    cpu_.regs.rip = kKernelIp;
    cpu_.regs[Reg::rsp] = task_stack_ - 0x400;
    cpu_.gs_base = user_gs ? kUserGs : cpu_.per_cpu_base();
    cpu_.kernel_gs_base = user_gs ? cpu_.per_cpu_base() : kUserGs;
  }
  void BeInUserMode() {
    cpu_.regs.cs = __USER_CS;
    cpu_.regs.ss = __USER_DS;
    cpu_.regs.rip = 0x401000;
    cpu_.regs.rflags |= X86_EFLAGS_IF;
    cpu_.regs[Reg::rsp] = 0x7ffe00000000;
    cpu_.gs_base = kUserGs;
    cpu_.kernel_gs_base = cpu_.per_cpu_base();
  }

  // Runs `raise`; in the C code of the handler, `in_handler`. All registers have to be as before.
  void Expect(const std::string& handler, const std::function<void()>& raise,
              const std::function<void(pt_regs*, uint64_t second)>& in_handler = {}) {
    const Registers before = cpu_.regs;
    const uint64_t gs_before = cpu_.gs_base;
    int calls = 0;
    StubCCode stub([&](const CodeSymbol& function, Cpu& cpu) {
      EXPECT_EQ(cpu.gs_base, cpu.per_cpu_base()) << function.name;
      uint64_t result = ClobberedValue(Reg::rax);
      if (&function == &assembly::sync_regs) result = sync_regs(cpu.regs[Reg::rdi]);
      if (&function == &assembly::fixup_bad_iret) result = fixup_bad_iret(cpu.regs[Reg::rdi]);
      if (function.name == handler) {
        ++calls;
        if (in_handler) in_handler(PtRegsAt(cpu, cpu.regs[Reg::rdi]), cpu.regs[Reg::rsi]);
      }
      ClobberCallerSavedRegisters(cpu);
      cpu.regs[Reg::rax] = result;
      cpu.regs.rip = cpu.Pop();
    });
    raise();
    EXPECT_EQ(calls, 1) << handler;
    EXPECT_EQ(cpu_.regs, before);
    EXPECT_EQ(cpu_.gs_base, gs_before);
  }

  Machine machine_;
  EnterMachine enter_;
  Cpu& cpu_;
  uint64_t task_stack_;
};

TEST_F(IdtentryTest, AnExceptionInKernelModeStaysOnItsStack) {
  BeInKernel();
  const uint64_t rsp = cpu_.regs[Reg::rsp];
  Expect(
      "do_divide_error", [&] { cpu_.RaiseException(0, false, 0); },
      [&](pt_regs* regs, uint64_t error_code) {
        EXPECT_EQ(regs->ip, kKernelIp);
        EXPECT_EQ(regs->sp, rsp);
        EXPECT_EQ(regs->orig_ax, ~0ul);
        EXPECT_EQ(error_code, 0u);
        EXPECT_EQ(regs, PtRegsAt(cpu_, rsp - sizeof(pt_regs)));
      });
}

TEST_F(IdtentryTest, AnErrorCodeIsTheSecondArgumentAndLeavesMinusOne) {
  BeInUserMode();
  Expect(
      "do_general_protection", [&] { cpu_.RaiseException(13, true, 0x18); },
      [&](pt_regs* regs, uint64_t error_code) {
        EXPECT_EQ(error_code, 0x18u);
        EXPECT_EQ(regs->orig_ax, ~0ul);
        EXPECT_EQ(regs->ip, 0x401000u);
        EXPECT_EQ(regs, PtRegsAt(cpu_, task_stack_ - sizeof(pt_regs)));
      });
}

TEST_F(IdtentryTest, ParanoidEntryLooksAtGsItself) {
  for (const bool user_gs : {false, true}) {
    BeInKernel(user_gs);
    Expect(
        "do_debug", [&] { cpu_.RaiseException(1, false, 0); },
        [&](pt_regs* regs, uint64_t) {
          EXPECT_EQ(regs->ip, kKernelIp);
          EXPECT_EQ(regs, PtRegsAt(cpu_, cpu_.ist[3] - sizeof(pt_regs)));
        });
  }
}

TEST_F(IdtentryTest, FromUserModeAParanoidExceptionMovesToTheTaskStack) {
  BeInUserMode();
  Expect(
      "do_debug", [&] { cpu_.RaiseException(1, false, 0); },
      [&](pt_regs* regs, uint64_t) {
        EXPECT_EQ(regs, PtRegsAt(cpu_, task_stack_ - sizeof(pt_regs)));
      });
}

TEST_F(IdtentryTest, TheLoadOfAUsersGsMayFaultWithTheUsersGs) {
  BeInKernel(/*user_gs=*/true);
  cpu_.regs.rip = assembly::gs_change;
  // Kept, as in the kernel: the fixup of that place goes on with the kernel's.
  const Registers before = cpu_.regs;
  StubCCode stub([&](const CodeSymbol&, Cpu& cpu) {
    EXPECT_EQ(cpu.gs_base, cpu.per_cpu_base());
    ClobberCallerSavedRegisters(cpu);
    cpu.regs.rip = cpu.Pop();
  });
  cpu_.RaiseException(13, true, 0);
  EXPECT_EQ(cpu_.regs, before);
  EXPECT_EQ(cpu_.gs_base, cpu_.per_cpu_base());
}

// An IRET to user mode that faults: the frame that it could not load becomes the exception's. On
// some CPUs the IRET's address is reported cut to 32 bits.
TEST_F(IdtentryTest, ABadIretBecomesAFaultOfTheUserCode) {
  for (const uint64_t iret : {assembly::native_iret.address,
                              uint64_t{static_cast<uint32_t>(assembly::native_iret.address)}}) {
    BeInKernel(/*user_gs=*/true);
    const uint64_t frame = cpu_.entry_stack_top() - 5 * 8;
    cpu_.Write64(frame, 0x401000);
    cpu_.Write64(frame + 8, __USER_CS);
    cpu_.Write64(frame + 16, X86_EFLAGS_FIXED | X86_EFLAGS_IF);
    cpu_.Write64(frame + 24, 0x7ffe00000000);
    cpu_.Write64(frame + 32, __USER_DS);
    cpu_.regs[Reg::rsp] = frame;
    cpu_.regs.rip = iret;
    std::vector<std::string> called;
    StubCCode stub([&](const CodeSymbol& function, Cpu& cpu) {
      EXPECT_EQ(cpu.gs_base, cpu.per_cpu_base()) << function.name;
      called.push_back(function.name);
      uint64_t result = 0;
      if (&function == &assembly::sync_regs) result = sync_regs(cpu.regs[Reg::rdi]);
      if (&function == &assembly::fixup_bad_iret) result = fixup_bad_iret(cpu.regs[Reg::rdi]);
      if (&function == &assembly::do_general_protection) {
        const pt_regs* regs = PtRegsAt(cpu, cpu.regs[Reg::rdi]);
        EXPECT_EQ(regs, PtRegsAt(cpu, task_stack_ - sizeof(pt_regs)));
        EXPECT_EQ(regs->ip, 0x401000u);
        EXPECT_EQ(regs->cs, __USER_CS);
        EXPECT_EQ(regs->sp, 0x7ffe00000000u);
      }
      ClobberCallerSavedRegisters(cpu);
      cpu.regs[Reg::rax] = result;
      cpu.regs.rip = cpu.Pop();
    });
    cpu_.RaiseException(13, true, 0);
    EXPECT_EQ(called,
              (std::vector<std::string>{"fixup_bad_iret", "sync_regs", "do_general_protection",
                                        "prepare_exit_to_usermode"}));
    EXPECT_EQ(cpu_.regs.rip, 0x401000u);
    EXPECT_EQ(cpu_.gs_base, kUserGs);
  }
}

TEST_F(IdtentryTest, InterruptsRunOnTheInterruptStackAndNestThere) {
  for (const bool from_user : {true, false}) {
    from_user ? BeInUserMode() : BeInKernel();
    const uint64_t top = cpu_.Read64(cpu_.per_cpu_base() + kPerCpuIrqStackPtr.offset);
    const auto irq_count = [&] {
      return static_cast<int32_t>(cpu_.Read32(cpu_.per_cpu_base() + kPerCpuIrqCount.offset));
    };
    Expect(
        "do_IRQ", [&] { cpu_.DeliverInterrupt(0x22); },
        [&](pt_regs* regs, uint64_t) {
          EXPECT_EQ(regs->orig_ax, ~uint64_t{0x22});
          EXPECT_EQ(cpu_.regs[Reg::rsp], top - 16);
          EXPECT_EQ(cpu_.Read64(top - 8), cpu_.regs[Reg::rdi]) << "the old stack";
          EXPECT_EQ(irq_count(), 0);
          const Registers outer = cpu_.regs;
          cpu_.DeliverInterrupt(0xec);  // its C code is the same stub
          EXPECT_EQ(cpu_.regs, outer);
          EXPECT_EQ(irq_count(), 0);
        });
    EXPECT_EQ(irq_count(), -1);
  }
}

TEST_F(IdtentryTest, EachStubPushesItsVector) {
  for (int vector = FIRST_EXTERNAL_VECTOR; vector < FIRST_SYSTEM_VECTOR; ++vector) {
    cpu_.idt[vector].handler = InterruptStub(vector).run;
    BeInUserMode();
    Expect(
        "do_IRQ", [&] { cpu_.DeliverInterrupt(static_cast<uint8_t>(vector)); },
        [&](pt_regs* regs, uint64_t) { EXPECT_EQ(regs->orig_ax, ~static_cast<uint64_t>(vector)); });
  }
}

}  // namespace
}  // namespace kpath
