// SPDX-License-Identifier: Apache-2.0
#include "entry/execute.h"

#include "entry/assembler.h"
#include "gtest/gtest.h"
#include "sim/machine/machine.h"

namespace kpath {
namespace {

using namespace assembly;

constexpr uint64_t kNext = 0xffffffff81000010;
constexpr CodeSymbol kTarget = {.name = "target", .address = 0xffffffff81000800, .run = nullptr};

class ExecuteTest : public testing::Test {
 protected:
  ExecuteTest() : enter_(machine_), cpu_(machine_.cpu(0)) {
    page_ = kDirectMapBase + (machine_.memory.AllocatePages(0) << kPageShift);
    cpu_.gs_base = cpu_.per_cpu_base();
    for (size_t i = 0; i < 16; ++i) cpu_.regs.general[i] = 0x1111111111111111 * i;
    cpu_.regs[Reg::rsp] = page_ + 0x100;
  }

  Flow Do(const Instruction& instruction) { return Execute(cpu_, instruction, kNext); }
  uint64_t Arithmetic() const { return cpu_.regs.rflags & kArithmeticFlags; }

  Machine machine_;
  EnterMachine enter_;
  Cpu& cpu_;
  uint64_t page_;
};

TEST_F(ExecuteTest, MovBetweenAllKindsOfOperands) {
  cpu_.regs[Reg::rdi] = page_;
  EXPECT_EQ(Do(movq(r9, r10)), Flow::kNext);
  EXPECT_EQ(cpu_.regs.rip, kNext);
  EXPECT_EQ(cpu_.regs[Reg::r10], 0x9999999999999999u);
  Do(movq(r9, at(-8, rsp)));
  EXPECT_EQ(cpu_.Read64(page_ + 0xf8), 0x9999999999999999u);
  Do(movq(at(0xf8, rdi), rbx));
  EXPECT_EQ(cpu_.regs[Reg::rbx], 0x9999999999999999u);
  Do(movq(Imm(-1), at(rdi)));
  EXPECT_EQ(cpu_.Read64(page_), ~uint64_t{0});
  Do(movq(rcx, PER_CPU_VAR(rsp_scratch)));
  EXPECT_EQ(cpu_.Read64(cpu_.per_cpu_base() + 0x140c8), 0x1111111111111111u);
  Do(movq(PER_CPU_VAR(rsp_scratch), r15));
  EXPECT_EQ(cpu_.regs[Reg::r15], 0x1111111111111111u);
}

TEST_F(ExecuteTest, ThirtyTwoBitsClearTheUpperHalfOfARegisterAndLeaveThatOfMemory) {
  Do(movl(r9d, r9d));
  EXPECT_EQ(cpu_.regs[Reg::r9], 0x99999999u);
  Do(movl(Imm(-1), ecx));
  EXPECT_EQ(cpu_.regs[Reg::rcx], 0xffffffffu);
  cpu_.Write64(page_ + 0x100, 0x5555555555555555);
  Do(movl(Imm(7), at(rsp)));
  EXPECT_EQ(cpu_.Read64(page_ + 0x100), 0x5555555500000007u);
  Do(xorl(r8d, r8d));
  EXPECT_EQ(cpu_.regs[Reg::r8], 0u);
}

TEST_F(ExecuteTest, PushAndPopUseTheStackPointerAsTheProcessorDoes) {
  Do(pushq(rsp));
  EXPECT_EQ(cpu_.Read64(page_ + 0xf8), page_ + 0x100) << "the pointer before the push";
  Do(popq(rsp));
  EXPECT_EQ(cpu_.regs[Reg::rsp], page_ + 0x100) << "what was popped, not moved on";
  Do(pushq(Imm(-38)));
  EXPECT_EQ(cpu_.Read64(page_ + 0xf8), static_cast<uint64_t>(-38));
  Do(pushq(at(rsp)));
  EXPECT_EQ(cpu_.Read64(page_ + 0xf0), static_cast<uint64_t>(-38)) << "addressed before the push";
  Do(popq(at(0x20, rsp)));
  EXPECT_EQ(cpu_.Read64(page_ + 0x118), static_cast<uint64_t>(-38)) << "addressed after the pop";
}

TEST_F(ExecuteTest, MovingAndPushingKeepTheFlags) {
  cpu_.regs.rflags |= kArithmeticFlags;
  for (const Instruction& instruction : {movq(rax, rbx), pushq(rax), popq(rax), call(kTarget)}) {
    Do(instruction);
    EXPECT_EQ(Arithmetic(), kArithmeticFlags);
  }
}

TEST_F(ExecuteTest, ComputingSetsTheFlagsOfTheRightOperandsAndNoOthers) {
  cpu_.regs.rflags |= X86_EFLAGS_IF | X86_EFLAGS_DF;
  const uint64_t others = cpu_.regs.rflags & ~kArithmeticFlags;
  cpu_.regs[Reg::rcx] = 3;
  cpu_.regs[Reg::r11] = 5;
  Do(cmpq(rcx, r11));  // 5 - 3
  EXPECT_EQ(Arithmetic(), SubFlags<uint64_t>(5, 3));
  EXPECT_EQ(cpu_.regs[Reg::r11], 5u);
  Do(cmpq(r11, rcx));  // 3 - 5
  EXPECT_EQ(Arithmetic(), SubFlags<uint64_t>(3, 5));
  Do(testq(Imm(4), r11));
  EXPECT_EQ(Arithmetic(), LogicFlags<uint64_t>(4));
  EXPECT_EQ(cpu_.regs[Reg::r11], 5u);
  Do(addq(Imm(-6), r11));
  EXPECT_EQ(Arithmetic(), AddFlags<uint64_t>(5, -6));
  EXPECT_EQ(cpu_.regs[Reg::r11], static_cast<uint64_t>(-1));
  Do(testl(r11d, r11d));
  EXPECT_EQ(Arithmetic(), LogicFlags<uint32_t>(~0u));
  EXPECT_EQ(cpu_.regs.rflags & ~kArithmeticFlags, others);
}

TEST_F(ExecuteTest, ATestOfAByteLooksAtNoOther) {
  cpu_.Write64(page_ + 0x118, 0x30);
  Do(testb(Imm(3), at(0x18, rsp)));
  EXPECT_EQ(Arithmetic(), LogicFlags<uint8_t>(0));
  cpu_.Write64(page_ + 0x118, 0x33);
  Do(testb(Imm(3), at(0x18, rsp)));
  EXPECT_EQ(Arithmetic(), LogicFlags<uint8_t>(3));
}

TEST_F(ExecuteTest, OrStoresAndSetsTheFlags) {
  cpu_.Write64(page_ + 0x100, 0x1111111100000046);
  Do(orl(Imm(0x200), at(rsp)));
  EXPECT_EQ(cpu_.Read64(page_ + 0x100), 0x1111111100000246u);
  EXPECT_EQ(Arithmetic(), LogicFlags<uint32_t>(0x246));
}

TEST_F(ExecuteTest, LeaLoadsAddressesAndNoMemory) {
  Do(leaq(at(8, rsp), rdi));
  EXPECT_EQ(cpu_.regs[Reg::rdi], page_ + 0x108);
  Do(leaq(kTarget, rcx));
  EXPECT_EQ(cpu_.regs[Reg::rcx], kTarget.address);
}

TEST_F(ExecuteTest, FlagsArePushedAndPopped) {
  cpu_.regs.rflags = X86_EFLAGS_FIXED | X86_EFLAGS_IF | X86_EFLAGS_CF;
  Do(pushfq());
  Do(cli());
  EXPECT_FALSE(cpu_.irqs_enabled());
  cpu_.regs.rflags |= X86_EFLAGS_DF;
  Do(cld());
  EXPECT_EQ(cpu_.regs.rflags, X86_EFLAGS_FIXED | X86_EFLAGS_CF);
  Do(popfq());
  EXPECT_EQ(cpu_.regs.rflags, X86_EFLAGS_FIXED | X86_EFLAGS_IF | X86_EFLAGS_CF);
}

TEST_F(ExecuteTest, RetGoesToTheAddressOnTheStack) {
  Do(call(kTarget));
  EXPECT_EQ(Do(ret()), Flow::kReturn);
  EXPECT_EQ(cpu_.regs.rip, kNext);
  EXPECT_EQ(cpu_.regs[Reg::rsp], page_ + 0x100);
}

TEST_F(ExecuteTest, RdmsrHasTheGsBaseInTwoHalves) {
  cpu_.regs[Reg::rcx] = MSR_GS_BASE;
  Do(rdmsr());
  EXPECT_EQ(cpu_.regs[Reg::rdx] << 32 | cpu_.regs[Reg::rax], cpu_.gs_base);
}

TEST_F(ExecuteTest, ConditionalJumpsLookAtTheirFlag) {
  const struct {
    Instruction instruction;
    uint64_t flag;
    bool jumps_if_set;
  } kJumps[] = {{je(kTarget), X86_EFLAGS_ZF, true},
                {jne(kTarget), X86_EFLAGS_ZF, false},
                {js(kTarget), X86_EFLAGS_SF, true}};
  for (const auto& jump : kJumps) {
    for (const bool set : {false, true}) {
      cpu_.regs.rflags = X86_EFLAGS_FIXED | (set ? jump.flag : kArithmeticFlags & ~jump.flag);
      EXPECT_EQ(Do(jump.instruction), set == jump.jumps_if_set ? Flow::kJump : Flow::kNext);
      EXPECT_EQ(cpu_.regs.rip, set == jump.jumps_if_set ? kTarget.address : kNext);
    }
  }
}

TEST_F(ExecuteTest, IncAndDecLeaveTheCarryFlag) {
  for (uint64_t carry : {uint64_t{0}, X86_EFLAGS_CF}) {
    cpu_.regs.rflags = X86_EFLAGS_FIXED | carry;
    cpu_.Write32(cpu_.per_cpu_base() + kPerCpuIrqCount.offset, 0xffffffff);
    Do(incl(PER_CPU_VAR(kPerCpuIrqCount)));
    EXPECT_EQ(cpu_.Read32(cpu_.per_cpu_base() + kPerCpuIrqCount.offset), 0u);
    EXPECT_EQ(Arithmetic(), IncFlags<uint32_t>(0xffffffff) | carry);
    Do(decl(PER_CPU_VAR(kPerCpuIrqCount)));
    EXPECT_EQ(cpu_.Read32(cpu_.per_cpu_base() + kPerCpuIrqCount.offset), 0xffffffffu);
    EXPECT_EQ(Arithmetic(), DecFlags<uint32_t>(0) | carry);
  }
}

TEST_F(ExecuteTest, ShiftsExtendTheSignOfACanonicalAddress) {
  cpu_.regs[Reg::rcx] = 0x1234800000000000;
  Do(shlq(Imm(16), rcx));
  EXPECT_EQ(cpu_.regs[Reg::rcx], 0x8000000000000000u);
  EXPECT_EQ(Arithmetic(), ShlFlags<uint64_t>(0x1234800000000000, 16));
  Do(sarq(Imm(16), rcx));
  EXPECT_EQ(cpu_.regs[Reg::rcx], 0xffff800000000000u);
  EXPECT_EQ(Arithmetic(), SarFlags<uint64_t>(0x8000000000000000, 16));
}

TEST_F(ExecuteTest, JumpsAndCallsSetRip) {
  EXPECT_EQ(Do(jmp(kTarget)), Flow::kJump);
  EXPECT_EQ(cpu_.regs.rip, kTarget.address);

  cpu_.regs.rflags |= X86_EFLAGS_ZF;
  EXPECT_EQ(Do(jne(kTarget)), Flow::kNext);
  EXPECT_EQ(cpu_.regs.rip, kNext);
  cpu_.regs.rflags &= ~X86_EFLAGS_ZF;
  EXPECT_EQ(Do(jne(kTarget)), Flow::kJump);
  EXPECT_EQ(cpu_.regs.rip, kTarget.address);

  EXPECT_EQ(Do(call(kTarget)), Flow::kCall);
  EXPECT_EQ(cpu_.regs.rip, kTarget.address);
  EXPECT_EQ(cpu_.Pop(), kNext);
}

TEST_F(ExecuteTest, SystemInstructionsAreTheCpus) {
  cpu_.kernel_gs_base = 0x77;
  Do(swapgs());
  EXPECT_EQ(cpu_.gs_base, 0x77u);
  EXPECT_EQ(cpu_.kernel_gs_base, cpu_.per_cpu_base());

  cpu_.star = uint64_t{__USER32_CS} << 48;
  cpu_.regs[Reg::rcx] = 0x401000;
  cpu_.regs[Reg::r11] = 0x246;
  EXPECT_EQ(Do(sysretq()), Flow::kLeave);
  EXPECT_EQ(cpu_.regs.rip, 0x401000u);
  EXPECT_EQ(cpu_.regs.rflags, 0x246u);
  EXPECT_EQ(cpu_.regs.cs, __USER_CS);

  const uint64_t frame[] = {__USER_DS, 0x7ffe0000, 0x202, __USER_CS, 0x402000};
  for (uint64_t word : frame) cpu_.Push(word);
  EXPECT_EQ(Do(iretq()), Flow::kLeave);
  EXPECT_EQ(cpu_.regs.rip, 0x402000u);
  EXPECT_EQ(cpu_.regs[Reg::rsp], 0x7ffe0000u);
}

}  // namespace
}  // namespace kpath
