// SPDX-License-Identifier: Apache-2.0
#include "entry/c_function.h"

#include "gtest/gtest.h"
#include "sim/machine/machine.h"

namespace kpath {
namespace {

// A CPU that has just executed a call.
class CFunctionTest : public testing::Test {
 protected:
  CFunctionTest() : enter_(machine_), cpu_(machine_.cpu(0)) {
    stack_ = kDirectMapBase + (machine_.memory.AllocatePages(0) << kPageShift);
    cpu_.regs[Reg::rsp] = stack_ + kPageSize;
    cpu_.Push(0xffffffff81000005);
    cpu_.regs[Reg::rbx] = 11;
    cpu_.regs[Reg::r12] = 12;
    cpu_.regs[Reg::rdi] = 0x1'0000'0007;
    cpu_.regs[Reg::rsi] = stack_;
  }

  Machine machine_;
  EnterMachine enter_;
  Cpu& cpu_;
  uint64_t stack_;
};

TEST_F(CFunctionTest, ArgumentsComeFromRegistersInTheirTypes) {
  static unsigned long first;
  static unsigned second;
  static uint64_t third;
  RunCFunction(
      cpu_, +[](unsigned long a) { first = a; });
  EXPECT_EQ(first, 0x1'0000'0007u);

  cpu_.Push(1);
  cpu_.regs[Reg::rdi] = 0x1'0000'0007;
  cpu_.regs[Reg::rsi] = stack_;
  cpu_.Write64(stack_ + offsetof(pt_regs, ip), 0x4016ac);
  RunCFunction(
      cpu_, +[](unsigned a, pt_regs* regs) {
        second = a;
        third = regs->ip;
      });
  EXPECT_EQ(second, 7u);
  EXPECT_EQ(third, 0x4016acu);
}

TEST_F(CFunctionTest, ReturnsToTheAddressOnTheStackWithCallerSavedRegistersClobbered) {
  cpu_.regs.rflags = X86_EFLAGS_FIXED | X86_EFLAGS_IF | X86_EFLAGS_CF | X86_EFLAGS_OF;
  RunCFunction(
      cpu_, +[](unsigned long) {});
  EXPECT_EQ(cpu_.regs.rip, 0xffffffff81000005u);
  EXPECT_EQ(cpu_.regs[Reg::rsp], stack_ + kPageSize);
  EXPECT_EQ(cpu_.regs[Reg::rbx], 11u);
  EXPECT_EQ(cpu_.regs[Reg::r12], 12u);
  for (Reg reg :
       {Reg::rax, Reg::rcx, Reg::rdx, Reg::rsi, Reg::rdi, Reg::r8, Reg::r9, Reg::r10, Reg::r11}) {
    EXPECT_EQ(cpu_.regs[reg], ClobberedValue(reg));
  }
  EXPECT_EQ(cpu_.regs.rflags, X86_EFLAGS_FIXED | X86_EFLAGS_IF | X86_EFLAGS_ZF | X86_EFLAGS_PF);
}

TEST_F(CFunctionTest, AStackThatIsNotGivenBackIsABugOfKpath) {
  EXPECT_DEATH(RunCFunction(
                   cpu_, +[](unsigned long) { current_context->cpu->Push(0); }),
               "C code returned on another stack");
}

}  // namespace
}  // namespace kpath
