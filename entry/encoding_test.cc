// SPDX-License-Identifier: Apache-2.0
#include "entry/encoding.h"

#include "entry/assembler.h"
#include "entry/disassemble.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

using namespace assembly;

struct Case {
  Instruction instruction;
  int length;
};

// Lengths are those that GNU as 2.40 gives.
const Case kCases[] = {
    {swapgs(), 3},
    {sysretq(), 3},
    {iretq(), 2},
    {sysretl(), 2},
    {rdmsr(), 2},
    {ret(), 1},
    {cld(), 1},
    {cli(), 1},
    {pushfq(), 1},
    {popfq(), 1},
    {leaq(at(8, rsp), rdi), 5},
    {leaq(at(0x80, rdi), r9), 7},
    {orl(Imm(0x200), at(rsp)), 7},
    {orl(Imm(0x20), at(rsp)), 4},
    {testb(Imm(3), at(0x18, rsp)), 5},
    {testb(Imm(3), at(0x90, rsp)), 8},
    // push and pop
    {pushq(rax), 1},
    {pushq(r8), 2},
    {pushq(Imm(0x7f)), 2},
    {pushq(Imm(-0x80)), 2},
    {pushq(Imm(0x80)), 5},
    {pushq(PER_CPU_VAR(rsp_scratch)), 8},
    {pushq(at(rdi)), 2},
    {pushq(at(0x28, rdi)), 3},
    {pushq(at(0x80, rdi)), 6},
    {pushq(at(rsp)), 3},
    {pushq(at(8, rsp)), 4},
    {pushq(at(rbp)), 3},
    {pushq(at(r12)), 4},
    {pushq(at(r13)), 4},
    {popq(rsp), 1},
    {popq(r15), 2},
    {popq(at(8, rdi)), 3},
    // mov
    {movq(rax, rdi), 3},
    {movl(eax, eax), 2},
    {movl(esp, r8d), 3},
    {movq(rsp, PER_CPU_VAR(rsp_scratch)), 9},
    {movq(PER_CPU_VAR(rsp_scratch), r9), 9},
    {movl(PER_CPU_VAR(rsp_scratch), eax), 8},
    {movq(at(0x58, rsp), rcx), 5},
    {movq(at(0x80, rsp), r11), 8},
    {movq(at(rdi), rdi), 3},
    {movq(rdi, at(8, rsp)), 5},
    {movq(Imm(0), at(0x50, rsp)), 9},
    {movq(Imm(1), rax), 7},
    {movl(Imm(1), ecx), 5},
    {movl(Imm(1), r9d), 6},
    // arithmetic
    {xorl(edx, edx), 2},
    {xorl(r8d, r8d), 3},
    {cmpq(rcx, r11), 3},
    {cmpq(r11, at(0x90, rsp)), 8},
    {cmpq(Imm(0x33), at(0x88, rsp)), 9},
    {cmpq(Imm(0x333), at(0x88, rsp)), 12},
    {cmpq(Imm(0x333), rax), 6},
    {cmpq(Imm(0x333), rcx), 7},
    {cmpq(Imm(0x33), rax), 4},
    {testq(Imm(0x10100), r11), 7},
    {testq(Imm(0x10100), rax), 6},
    {testq(Imm(1), rcx), 7},
    {testl(Imm(0x44100), at(0x90, rsp)), 11},
    {testl(eax, eax), 2},
    {addq(Imm(0x50), rsp), 4},
    {addq(Imm(-0x80), at(rsp)), 5},
    {incl(PER_CPU_VAR(kPerCpuIrqCount)), 8},
    {decl(eax), 2},
    {shlq(Imm(16), rcx), 4},
    {sarq(Imm(1), rcx), 3},
};

TEST(Encoding, LengthsAreTheAssemblers) {
  for (const Case& test : kCases) {
    EXPECT_EQ(EncodedLength(test.instruction, 0x1000), test.length)
        << Disassemble(test.instruction, AsmStyle::kRecorded);
  }
}

TEST(Encoding, JumpsAreShortWhereTheTargetIsNear) {
  static constexpr CodeSymbol kTarget = {.name = "target", .address = 0x1000, .run = nullptr};
  EXPECT_EQ(EncodedLength(jmp(kTarget), 0x1000 - 2 - 127), 2);
  EXPECT_EQ(EncodedLength(jmp(kTarget), 0x1000 - 2 - 128), 5);
  EXPECT_EQ(EncodedLength(jne(kTarget), 0x1000 - 2 - 128), 6);
  EXPECT_EQ(EncodedLength(jne(kTarget), 0x1000 - 2 + 128), 2);
  EXPECT_EQ(EncodedLength(jne(kTarget), 0x1000 - 2 + 129), 6);
  EXPECT_EQ(EncodedLength(call(kTarget), 0x1000), 5);
}

}  // namespace
}  // namespace kpath
