// SPDX-License-Identifier: Apache-2.0
//
// The macros that several listings use: saving and restoring the registers.
// v4.19 arch/x86/entry/calling.h
#pragma once

#include <cerrno>

#include "entry/assembler.h"
#include "entry/c_symbols.h"
#include "entry/listing.h"

// clang-format off
namespace kpath::assembly {

// The part of struct pt_regs below di: r8 … r15, rbp, rbx. A register whose value is safe on the
// stack is cleared at once, so that the kernel cannot be made to speculate with a user's value.
constexpr auto PUSH_AND_CLEAR_R8_TO_R15() {
  return MakeLines(
      pushq(r8),                                // pt_regs::r8
      xorl(r8d, r8d),
      pushq(r9),                                // pt_regs::r9
      xorl(r9d, r9d),
      pushq(r10),                               // pt_regs::r10
      xorl(r10d, r10d),
      pushq(r11),                               // pt_regs::r11
      xorl(r11d, r11d),
      pushq(rbx),                               // pt_regs::bx
      xorl(ebx, ebx),
      pushq(rbp),                               // pt_regs::bp
      xorl(ebp, ebp),
      pushq(r12),                               // pt_regs::r12
      xorl(r12d, r12d),
      pushq(r13),                               // pt_regs::r13
      xorl(r13d, r13d),
      pushq(r14),                               // pt_regs::r14
      xorl(r14d, r14d),
      pushq(r15),                               // pt_regs::r15
      xorl(r15d, r15d));
}

// Saves the general purpose registers in pt_regs, `saved_rax` as rax. Not cleared are rdi, rsi and
// rax, which are about to be overwritten or wanted.
constexpr auto PUSH_AND_CLEAR_REGS(const Operand& saved_rax) {
  return MakeLines(
      pushq(rdi),                               // pt_regs::di
      pushq(rsi),                               // pt_regs::si
      pushq(rdx),                               // pt_regs::dx
      xorl(edx, edx),
      pushq(rcx),                               // pt_regs::cx
      xorl(ecx, ecx),
      pushq(saved_rax),                         // pt_regs::ax
      PUSH_AND_CLEAR_R8_TO_R15());
}

// The same in a subroutine, whose return address is where pt_regs::di belongs: it comes to stand
// above the registers.
constexpr auto PUSH_AND_CLEAR_REGS_SAVE_RET() {
  return MakeLines(
      pushq(rsi),                               // pt_regs::si
      movq(at(8, rsp), rsi),                    // rsi: the return address
      movq(rdi, at(8, rsp)),                    // pt_regs::di
      pushq(rdx),                               // pt_regs::dx
      xorl(edx, edx),
      pushq(rcx),                               // pt_regs::cx
      xorl(ecx, ecx),
      pushq(rax),                               // pt_regs::ax
      PUSH_AND_CLEAR_R8_TO_R15(),
      pushq(rsi));
}

// Loads all of them but rdi. Before SYSRET r11 and rcx hold the flags and the address to return to:
// their slots are popped into a register that a later line loads for good.
constexpr auto POP_REGS_BUT_RDI(const Operand& r11_to, const Operand& rcx_to) {
  return MakeLines(
      popq(r15),
      popq(r14),
      popq(r13),
      popq(r12),
      popq(rbp),
      popq(rbx),
      popq(r11_to),
      popq(r10),
      popq(r9),
      popq(r8),
      popq(rax),
      popq(rcx_to),
      popq(rdx),
      popq(rsi));
}

}  // namespace kpath::assembly
