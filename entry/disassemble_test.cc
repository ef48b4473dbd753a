// SPDX-License-Identifier: Apache-2.0
#include "entry/disassemble.h"

#include "entry/assembler.h"
#include "entry/step_text.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

using namespace assembly;

constexpr CodeSymbol kEntry = {.name = "entry", .address = 0xffffffff81400010, .run = nullptr};
constexpr CodeSymbol kInner = {.name = "inner_label",
                               .address = 0xffffffff8140003b,
                               .run = nullptr,
                               .recorded_symbol = "entry",
                               .recorded_offset = 43};

struct Case {
  Instruction instruction;
  const char* named;
  const char* recorded;
};

// Texts of kRecorded style are objdump's.
const Case kCases[] = {
    {swapgs(), "swapgs", "swapgs"},
    {sysretq(), "sysretq", "sysretq"},
    {iretq(), "iretq", "iretq"},
    {sysretl(), "sysretl", "sysretl"},
    {ret(), "ret", "ret"},
    {pushfq(), "pushf", "pushf"},
    {rdmsr(), "rdmsr", "rdmsr"},
    {leaq(at(8, rsp), rdi), "lea    0x8(%rsp),%rdi", "lea    0x8(%rsp),%rdi"},
    {leaq(kInner, rcx), "lea    inner_label,%rcx", "lea    0xffffffff8140003b <entry+43>,%rcx"},
    {testb(Imm(3), at(0x18, rsp)), "testb  $0x3,0x18(%rsp)", "testb  $0x3,0x18(%rsp)"},
    {orl(Imm(0x200), at(rsp)), "orl    $0x200,(%rsp)", "orl    $0x200,(%rsp)"},
    {je(kEntry), "je     entry", "je     0xffffffff81400010 <entry>"},
    {js(kEntry), "js     entry", "js     0xffffffff81400010 <entry>"},
    {movq(rsp, PER_CPU_VAR(rsp_scratch)), "mov    %rsp,%gs:rsp_scratch", "mov    %rsp,%gs:0x140c8"},
    {movq(PER_CPU_VAR(cpu_tss_rw_sp0), rsp), "mov    %gs:cpu_tss_rw+TSS_sp0,%rsp",
     "mov    %gs:0x5004,%rsp"},
    {movl(eax, eax), "mov    %eax,%eax", "mov    %eax,%eax"},
    {pushq(Imm(__USER_DS)), "push   $0x2b", "push   $0x2b"},
    {pushq(Imm(-38)), "push   $0xffffffffffffffda", "push   $0xffffffffffffffda"},
    {pushq(PER_CPU_VAR(rsp_scratch)), "push   %gs:rsp_scratch", "push   %gs:0x140c8"},
    {pushq(at(0x28, rdi)), "push   0x28(%rdi)", "push   0x28(%rdi)"},
    {pushq(at(-8, rdi)), "push   -0x8(%rdi)", "push   -0x8(%rdi)"},
    {pushq(at(rdi)), "push   (%rdi)", "push   (%rdi)"},
    {popq(r15), "pop    %r15", "pop    %r15"},
    {xorl(r8d, r8d), "xor    %r8d,%r8d", "xor    %r8d,%r8d"},
    {cmpq(Imm(__USER_CS), CS(rsp)), "cmpq   $0x33,0x88(%rsp)", "cmpq   $0x33,0x88(%rsp)"},
    {cmpq(r11, EFLAGS(rsp)), "cmp    %r11,0x90(%rsp)", "cmp    %r11,0x90(%rsp)"},
    {testq(Imm(0x10100), r11), "test   $0x10100,%r11", "test   $0x10100,%r11"},
    {testl(Imm(0x44100), EFLAGS(rsp)), "testl  $0x44100,0x90(%rsp)", "testl  $0x44100,0x90(%rsp)"},
    {addq(Imm(-0x80), at(rsp)), "addq   $0xffffffffffffff80,(%rsp)",
     "addq   $0xffffffffffffff80,(%rsp)"},
    {incl(PER_CPU_VAR(kPerCpuIrqCount)), "incl   %gs:irq_count", "incl   %gs:0x14bd4"},
    {shlq(Imm(16), rcx), "shl    $0x10,%rcx", "shl    $0x10,%rcx"},
    {sarq(Imm(16), rcx), "sar    $0x10,%rcx", "sar    $0x10,%rcx"},
    {call(kEntry), "call   entry", "call   0xffffffff81400010 <entry>"},
    {jne(kInner), "jne    inner_label", "jne    0xffffffff8140003b <entry+43>"},
};

TEST(Disassemble, BothStyles) {
  for (const Case& test : kCases) {
    EXPECT_EQ(Disassemble(test.instruction), test.named);
    EXPECT_EQ(Disassemble(test.instruction, AsmStyle::kRecorded), test.recorded);
  }
}

TEST(Locate, OffsetsFromTheSymbolOrAsRecorded) {
  EXPECT_EQ(Locate(kEntry, 0), "entry");
  EXPECT_EQ(Locate(kEntry, 99), "entry+99");
  EXPECT_EQ(Locate(kInner, 2), "inner_label+2");
  EXPECT_EQ(Locate(kInner, 2, AsmStyle::kRecorded), "entry+45");
}

TEST(StepText, HasTheColumnsOfTheRecordings) {
  constexpr Instruction kLine = xorl(edx, edx);
  WatchedRegisters before, after;
  before.regs[Reg::rdx] = 7;
  after.regs.rflags = 0x46;
  const InstructionStep step = {
      .instruction = &kLine, .symbol = &kEntry, .offset = 40, .before = &before, .after = &after};
  EXPECT_EQ(StepText(step),
            "entry+40                   | xor    %edx,%edx                             "
            "| rdx=0 eflags=46");
  const InstructionStep quiet = {
      .instruction = &kLine, .symbol = &kEntry, .offset = 0, .before = &after, .after = &after};
  EXPECT_EQ(StepText(quiet),
            "entry                      | xor    %edx,%edx                             |");
}

}  // namespace
}  // namespace kpath
