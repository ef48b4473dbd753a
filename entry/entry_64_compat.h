// SPDX-License-Identifier: Apache-2.0
//
// The entries for 32-bit system calls. v4.19 arch/x86/entry/entry_64_compat.S
//
//   entry_INT80_compat      INT 0x80, from 32- and 64-bit code alike
//   entry_SYSENTER_compat   SYSENTER (an Intel CPU), from 32-bit code
//   entry_SYSCALL_compat    SYSCALL (an AMD CPU), from 32-bit code
//
// All three have the number in eax and the arguments in ebx, ecx, edx, esi, edi, ebp. The last two
// cost ebp (SYSENTER: the stack pointer is in it) or ecx (SYSCALL: the CPU puts the return address
// there, so the argument comes in ebp); the vDSO, from which they are executed, has put the real
// ebp on the user's stack. No upper half of a register counts.
#pragma once

#include "entry/calling.h"
#include "entry/entry_64.h"

namespace kpath {

// ---- What runs at the symbols ----

void RunEntryInt80Compat(Cpu& cpu);
void RunInt80Restore(Cpu& cpu);
void RunEntrySysenterCompat(Cpu& cpu);
void RunSysenterFlagsFixed(Cpu& cpu);
void RunSysenterFixFlags(Cpu& cpu);
void RunEntrySyscallCompat(Cpu& cpu);
void RunSysret32FromSystemCall(Cpu& cpu);

namespace assembly {

// ---- Symbols ----

inline constexpr CodeSymbol entry_SYSENTER_compat = {
    .name = "entry_SYSENTER_compat", .address = 0xffffffff81400f50, .run = RunEntrySysenterCompat};
inline constexpr CodeSymbol sysenter_flags_fixed = {.name = ".Lsysenter_flags_fixed",
                                                    .address = 0xffffffff81400fb0,
                                                    .run = RunSysenterFlagsFixed,
                                                    .recorded_symbol = "entry_SYSENTER_compat",
                                                    .recorded_offset = 96};
inline constexpr CodeSymbol sysenter_fix_flags = {.name = ".Lsysenter_fix_flags",
                                                  .address = 0xffffffff81400fc2,
                                                  .run = RunSysenterFixFlags,
                                                  .recorded_symbol = "entry_SYSENTER_compat",
                                                  .recorded_offset = 114};
inline constexpr CodeSymbol entry_SYSCALL_compat = {
    .name = "entry_SYSCALL_compat", .address = 0xffffffff81400fd0, .run = RunEntrySyscallCompat};
inline constexpr CodeSymbol sysret32_from_system_call = {.name = "sysret32_from_system_call",
                                                         .address = 0xffffffff81401035,
                                                         .run = RunSysret32FromSystemCall,
                                                         .recorded_symbol = "entry_SYSCALL_compat",
                                                         .recorded_offset = 101};
inline constexpr CodeSymbol entry_INT80_compat = {
    .name = "entry_INT80_compat", .address = 0xffffffff81401070, .run = RunEntryInt80Compat};
inline constexpr CodeSymbol syscall_32_done = {.name = ".Lsyscall_32_done",
                                               .address = 0xffffffff814010d9,
                                               .run = RunInt80Restore,
                                               .recorded_symbol = "entry_INT80_compat",
                                               .recorded_offset = 105};

// clang-format off

// ---- Listings ----

// The CPU has saved neither the return address, which is always the same one in the vDSO, nor the
// stack pointer, which is in ebp, nor the flags.
inline constexpr auto entry_SYSENTER_compat_listing = MakeListing(
    entry_SYSENTER_compat.Before(sysenter_flags_fixed),
    swapgs(),
    movq(PER_CPU_VAR(cpu_current_top_of_stack), rsp),
    movl(eax, eax),                             // clears the upper half

    pushq(Imm(__USER_DS)),                      // pt_regs::ss
    pushq(rbp),                                 // pt_regs::sp
    pushfq(),                                   // pt_regs::flags, but for IF
    orl(Imm(X86_EFLAGS_IF), at(rsp)),
    pushq(Imm(__USER32_CS)),                    // pt_regs::cs
    pushq(Imm(0)),                              // pt_regs::ip, for now
    pushq(rax),                                 // pt_regs::orig_ax
    pushq(rdi),                                 // pt_regs::di
    pushq(rsi),                                 // pt_regs::si
    pushq(rdx),                                 // pt_regs::dx
    pushq(rcx),                                 // pt_regs::cx
    pushq(Imm(-ENOSYS)),                        // pt_regs::ax
    pushq(Imm(0)),                              // pt_regs::r8
    xorl(r8d, r8d),
    pushq(Imm(0)),                              // pt_regs::r9
    xorl(r9d, r9d),
    pushq(Imm(0)),                              // pt_regs::r10
    xorl(r10d, r10d),
    pushq(Imm(0)),                              // pt_regs::r11
    xorl(r11d, r11d),
    pushq(rbx),                                 // pt_regs::bx
    xorl(ebx, ebx),
    pushq(rbp),                                 // pt_regs::bp, to be overwritten
    xorl(ebp, ebp),
    pushq(Imm(0)),                              // pt_regs::r12
    xorl(r12d, r12d),
    pushq(Imm(0)),                              // pt_regs::r13
    xorl(r13d, r13d),
    pushq(Imm(0)),                              // pt_regs::r14
    xorl(r14d, r14d),
    pushq(Imm(0)),                              // pt_regs::r15
    xorl(r15d, r15d),
    cld(),

    // SYSENTER leaves these flags as the user had them. NT would make IRET fail, AC and TF would
    // trap here.
    testl(Imm(X86_EFLAGS_NT | X86_EFLAGS_AC | X86_EFLAGS_TF), EFLAGS(rsp)),
    jne(sysenter_fix_flags));

inline constexpr auto sysenter_flags_fixed_listing = MakeListing(
    sysenter_flags_fixed.Before(sysenter_fix_flags),
    movq(rsp, rdi),
    call(do_fast_syscall_32),
    testl(eax, eax),                            // 1: SYSRET would do
    je(syscall_32_done),
    jmp(sysret32_from_system_call));

inline constexpr auto sysenter_fix_flags_listing = MakeListing(
    sysenter_fix_flags,
    pushq(Imm(X86_EFLAGS_FIXED)),
    popfq(),
    jmp(sysenter_flags_fixed));

// As entry_SYSCALL_64, with the user's stack pointer in r8, which 32-bit code lacks, instead
// of in memory.
inline constexpr auto entry_SYSCALL_compat_listing = MakeListing(
    entry_SYSCALL_compat.Before(sysret32_from_system_call),
    swapgs(),
    movl(esp, r8d),
    movq(PER_CPU_VAR(cpu_current_top_of_stack), rsp),

    pushq(Imm(__USER_DS)),                      // pt_regs::ss
    pushq(r8),                                  // pt_regs::sp
    pushq(r11),                                 // pt_regs::flags
    pushq(Imm(__USER32_CS)),                    // pt_regs::cs
    pushq(rcx),                                 // pt_regs::ip
    movl(eax, eax),                             // clears the upper half
    pushq(rax),                                 // pt_regs::orig_ax
    pushq(rdi),                                 // pt_regs::di
    pushq(rsi),                                 // pt_regs::si
    xorl(esi, esi),
    pushq(rdx),                                 // pt_regs::dx
    xorl(edx, edx),
    pushq(rbp),                                 // pt_regs::cx
    xorl(ecx, ecx),
    pushq(Imm(-ENOSYS)),                        // pt_regs::ax
    pushq(Imm(0)),                              // pt_regs::r8
    xorl(r8d, r8d),
    pushq(Imm(0)),                              // pt_regs::r9
    xorl(r9d, r9d),
    pushq(Imm(0)),                              // pt_regs::r10
    xorl(r10d, r10d),
    pushq(Imm(0)),                              // pt_regs::r11
    xorl(r11d, r11d),
    pushq(rbx),                                 // pt_regs::bx
    xorl(ebx, ebx),
    pushq(rbp),                                 // pt_regs::bp, to be overwritten
    xorl(ebp, ebp),
    pushq(Imm(0)),                              // pt_regs::r12
    xorl(r12d, r12d),
    pushq(Imm(0)),                              // pt_regs::r13
    xorl(r13d, r13d),
    pushq(Imm(0)),                              // pt_regs::r14
    xorl(r14d, r14d),
    pushq(Imm(0)),                              // pt_regs::r15
    xorl(r15d, r15d),

    movq(rsp, rdi),
    call(do_fast_syscall_32),
    testl(eax, eax),                            // 1: SYSRET would do
    je(syscall_32_done));

// Back to the vDSO, which restores ebp, edx and ecx itself.
inline constexpr auto sysret32_from_system_call_listing = MakeListing(
    sysret32_from_system_call,
    movq(RBX(rsp), rbx),
    movq(RBP(rsp), rbp),
    movq(EFLAGS(rsp), r11),                     // for SYSRET
    movq(RIP(rsp), rcx),                        // for SYSRET
    addq(Imm(RAX.offset), rsp),                 // past r8 … r15
    popq(rax),
    popq(rdx),                                  // pt_regs::cx, which is not restored
    popq(rdx),
    popq(rsi),
    popq(rdi),
    movq(at(RSP.offset - ORIG_RAX.offset, rsp), rsp),
    // 32-bit code cannot see them, but could call 64-bit code that does.
    xorl(r8d, r8d),
    xorl(r9d, r9d),
    xorl(r10d, r10d),
    swapgs(),
    sysretl());

// The CPU has pushed a frame on the entry stack. Registers of 64-bit code are saved and restored
// whole.
inline constexpr auto entry_INT80_compat_listing = MakeListing(
    entry_INT80_compat.Before(syscall_32_done),
    swapgs(),
    movl(eax, eax),                             // clears the upper half

    pushq(rax),                                 // pt_regs::orig_ax
    pushq(rdi),                                 // pt_regs::di
    movq(rsp, rdi),
    movq(PER_CPU_VAR(cpu_current_top_of_stack), rsp),
    pushq(at(6 * 8, rdi)),                      // pt_regs::ss
    pushq(at(5 * 8, rdi)),                      // pt_regs::sp
    pushq(at(4 * 8, rdi)),                      // pt_regs::flags
    pushq(at(3 * 8, rdi)),                      // pt_regs::cs
    pushq(at(2 * 8, rdi)),                      // pt_regs::ip
    pushq(at(1 * 8, rdi)),                      // pt_regs::orig_ax
    pushq(at(rdi)),                             // pt_regs::di
    pushq(rsi),                                 // pt_regs::si
    xorl(esi, esi),
    pushq(rdx),                                 // pt_regs::dx
    xorl(edx, edx),
    pushq(rcx),                                 // pt_regs::cx
    xorl(ecx, ecx),
    pushq(Imm(-ENOSYS)),                        // pt_regs::ax
    PUSH_AND_CLEAR_R8_TO_R15(),
    cld(),

    movq(rsp, rdi),
    call(do_int80_syscall_32));

inline constexpr auto syscall_32_done_listing = MakeListing(
    syscall_32_done,
    jmp(swapgs_restore_regs_and_return_to_usermode));

// clang-format on

}  // namespace assembly
}  // namespace kpath
