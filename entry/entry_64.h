// SPDX-License-Identifier: Apache-2.0
//
// The 64-bit system call entry and the way back to user mode.
// v4.19 arch/x86/entry/entry_64.S, arch/x86/entry/calling.h
//
// Lines, operands and addresses are those of the recorded 4.19.13 kernel: without page table
// isolation, interrupt tracing or paravirtualisation, whose macros are empty there and are left out
// here. tests/reference/linux-4.19.13/entry has the recordings; steps_test.cc compares line by
// line.
//
// Namespace assembly has the symbols, for listings and for who installs them:
//
//   cpu.lstar = assembly::entry_SYSCALL_64.address;
//   cpu.syscall_entry = assembly::entry_SYSCALL_64.run;
#pragma once

#include "entry/calling.h"

namespace kpath {

// ---- What runs at the symbols ----

void RunEntrySyscall64(Cpu& cpu);
void RunSwapgsRestoreRegsAndReturnToUsermode(Cpu& cpu);
void RunNativeIret(Cpu& cpu);

namespace assembly {

// ---- Symbols ----

inline constexpr CodeSymbol entry_SYSCALL_64 = {
    .name = "entry_SYSCALL_64", .address = 0xffffffff81400010, .run = RunEntrySyscall64};

inline constexpr CodeSymbol swapgs_restore_regs_and_return_to_usermode = {
    .name = "swapgs_restore_regs_and_return_to_usermode",
    .address = 0xffffffff814008ab,
    .run = RunSwapgsRestoreRegsAndReturnToUsermode,
    .recorded_symbol = "common_interrupt",
    .recorded_offset = 43};

inline constexpr CodeSymbol native_iret = {.name = "native_iret",
                                           .address = 0xffffffff81400910,
                                           .run = RunNativeIret,
                                           .recorded_symbol = "common_interrupt",
                                           .recorded_offset = 144};

// clang-format off

// ---- Listings ----

// Where IRET is; the recorded kernel has no 16-bit stacks (espfix) to look after.
inline constexpr auto native_iret_listing = MakeListing(
    native_iret,
    iretq());

// Back to user mode from any pt_regs, restoring every register. The frame that IRET pops and the
// user's rdi go over the entry stack: the task stack would not be mapped any more with page table
// isolation.
inline constexpr auto swapgs_restore_regs_and_return_to_usermode_listing = MakeListing(
    swapgs_restore_regs_and_return_to_usermode,
    POP_REGS_BUT_RDI(r11, rcx),

    movq(rsp, rdi),                             // rdi: where pt_regs::di is
    movq(PER_CPU_VAR(cpu_tss_rw_sp0), rsp),

    pushq(at(6 * 8, rdi)),                      // pt_regs::ss
    pushq(at(5 * 8, rdi)),                      // pt_regs::sp
    pushq(at(4 * 8, rdi)),                      // pt_regs::flags
    pushq(at(3 * 8, rdi)),                      // pt_regs::cs
    pushq(at(2 * 8, rdi)),                      // pt_regs::ip
    pushq(at(rdi)),                             // pt_regs::di

    popq(rdi),
    swapgs(),
    jmp(native_iret));

// SYSCALL lands here with interrupts off, on the user's stack: the CPU has put the return address
// in rcx and the flags in r11 and has stored nothing.
inline constexpr auto entry_SYSCALL_64_listing = MakeListing(
    entry_SYSCALL_64,
    swapgs(),
    movq(rsp, PER_CPU_VAR(rsp_scratch)),
    movq(PER_CPU_VAR(cpu_current_top_of_stack), rsp),

    // pt_regs, from its end; first the part that an interrupt would have pushed.
    pushq(Imm(__USER_DS)),                      // pt_regs::ss
    pushq(PER_CPU_VAR(rsp_scratch)),            // pt_regs::sp
    pushq(r11),                                 // pt_regs::flags
    pushq(Imm(__USER_CS)),                      // pt_regs::cs
    pushq(rcx),                                 // pt_regs::ip
    pushq(rax),                                 // pt_regs::orig_ax
    PUSH_AND_CLEAR_REGS(Imm(-ENOSYS)),

    movq(rax, rdi),                             // nr
    movq(rsp, rsi),                             // regs
    call(do_syscall_64),                        // comes back with interrupts off

    // SYSRET is quicker than IRET and can be had if it would restore the same state. It takes rip
    // from rcx ...
    movq(RCX(rsp), rcx),
    movq(RIP(rsp), r11),
    cmpq(rcx, r11),
    jne(swapgs_restore_regs_and_return_to_usermode),

    // ... and faults in kernel mode, on the user's stack, unless rip is canonical: bits 63 to 48
    // equal to bit 47.
    shlq(Imm(16), rcx),
    sarq(Imm(16), rcx),
    cmpq(rcx, r11),
    jne(swapgs_restore_regs_and_return_to_usermode),

    // It loads this code segment, whatever was saved,
    cmpq(Imm(__USER_CS), CS(rsp)),
    jne(swapgs_restore_regs_and_return_to_usermode),

    // and takes the flags from r11,
    movq(R11(rsp), r11),
    cmpq(r11, EFLAGS(rsp)),
    jne(swapgs_restore_regs_and_return_to_usermode),

    // but never RF; and TF would trap before the first user instruction instead of after it.
    testq(Imm(X86_EFLAGS_RF | X86_EFLAGS_TF), r11),
    jne(swapgs_restore_regs_and_return_to_usermode),

    // It loads this stack segment, too.
    cmpq(Imm(__USER_DS), SS(rsp)),
    jne(swapgs_restore_regs_and_return_to_usermode),

    POP_REGS_BUT_RDI(rsi, rsi),                 // r11 and rcx have what SYSRET wants

    movq(rsp, rdi),                             // rdi: where pt_regs::di is
    movq(PER_CPU_VAR(cpu_tss_rw_sp0), rsp),
    pushq(at(RSP.offset - RDI.offset, rdi)),    // pt_regs::sp
    pushq(at(rdi)),                             // pt_regs::di

    popq(rdi),
    popq(rsp),
    swapgs(),
    sysretq());

// clang-format on

}  // namespace assembly
}  // namespace kpath
