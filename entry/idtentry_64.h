// SPDX-License-Identifier: Apache-2.0
//
// Exceptions: their entry points and the way back. v4.19 arch/x86/entry/entry_64.S: idtentry,
// error_entry, paranoid_entry
//
//   cpu.idt[14] = {.handler = assembly::page_fault.run, .name = "page_fault"};
//
// An ordinary entry calls error_entry, which saves the registers and, from user mode, moves to the
// task stack; it ends in error_exit. A paranoid one is for exceptions that have a stack of their
// own (IST): they may come in kernel mode while GS still is the user's, so that the saved code
// segment does not tell; paranoid_entry looks at GS itself.
//
// Departs: an NMI comes only where other interrupts may, too, and so never into another one.
//
// An exception without an error code has -1 where pt_regs::orig_ax is. An error code is put there
// by the CPU, and is replaced by -1 once it is the handler's second argument.
#pragma once

#include "entry/calling.h"
#include "entry/entry_64.h"
#include "entry/interrupts_64.h"

namespace kpath {

// X(symbol, C function, macro): the macro makes the listing. The order is that of the entries.
#define KPATH_IDTENTRIES(X)                                                \
  X(divide_error, do_divide_error, idtentry)                               \
  X(overflow, do_overflow, idtentry)                                       \
  X(bounds, do_bounds, idtentry)                                           \
  X(invalid_op, do_invalid_op, idtentry)                                   \
  X(device_not_available, do_device_not_available, idtentry)               \
  X(coprocessor_segment_overrun, do_coprocessor_segment_overrun, idtentry) \
  X(invalid_TSS, do_invalid_TSS, idtentry_error_code)                      \
  X(segment_not_present, do_segment_not_present, idtentry_error_code)      \
  X(spurious_interrupt_bug, do_spurious_interrupt_bug, idtentry)           \
  X(coprocessor_error, do_coprocessor_error, idtentry)                     \
  X(alignment_check, do_alignment_check, idtentry_error_code)              \
  X(simd_coprocessor_error, do_simd_coprocessor_error, idtentry)           \
  X(int3, do_int3, idtentry)                                               \
  X(stack_segment, do_stack_segment, idtentry_error_code)                  \
  X(general_protection, do_general_protection, idtentry_error_code)        \
  X(page_fault, do_page_fault, idtentry_error_code)                        \
  X(double_fault, do_double_fault, paranoid_error_code)                    \
  X(debug, do_debug, paranoid)                                             \
  X(machine_check, do_mce, paranoid)                                       \
  X(nmi, do_nmi, paranoid)

// ---- What runs at the symbols ----

void RunErrorEntry(Cpu& cpu);
void RunErrorEntryFromUsermode(Cpu& cpu);
void RunErrorEntryDone(Cpu& cpu);
void RunErrorKernelspace(Cpu& cpu);
void RunBstepIret(Cpu& cpu);
void RunErrorBadIret(Cpu& cpu);
void RunErrorExit(Cpu& cpu);
void RunParanoidEntry(Cpu& cpu);
void RunParanoidEntryDone(Cpu& cpu);
void RunParanoidExit(Cpu& cpu);
void RunParanoidExitNoSwapgs(Cpu& cpu);

namespace exception_code {
#define KPATH_DECLARE(symbol, function, macro) \
  void symbol(Cpu& cpu);                       \
  void symbol##_from_user(Cpu& cpu);
KPATH_IDTENTRIES(KPATH_DECLARE)
#undef KPATH_DECLARE
}  // namespace exception_code

namespace assembly {

// ---- Symbols ----

inline constexpr CodeSymbol error_entry = {
    .name = "error_entry", .address = 0xffffffff81400cf0, .run = RunErrorEntry};
inline constexpr CodeSymbol error_entry_from_usermode_after_swapgs = {
    .name = ".Lerror_entry_from_usermode_after_swapgs",
    .address = 0xffffffff81400d3f,
    .run = RunErrorEntryFromUsermode,
    .recorded_symbol = "error_entry",
    .recorded_offset = 79};
inline constexpr CodeSymbol error_entry_done = {.name = ".Lerror_entry_done",
                                                .address = 0xffffffff81400d4f,
                                                .run = RunErrorEntryDone,
                                                .recorded_symbol = "error_entry",
                                                .recorded_offset = 95};
inline constexpr CodeSymbol error_kernelspace = {.name = ".Lerror_kernelspace",
                                                 .address = 0xffffffff81400d50,
                                                 .run = RunErrorKernelspace,
                                                 .recorded_symbol = "error_entry",
                                                 .recorded_offset = 96};
inline constexpr CodeSymbol bstep_iret = {.name = ".Lbstep_iret",
                                          .address = 0xffffffff81400d80,
                                          .run = RunBstepIret,
                                          .recorded_symbol = "error_entry",
                                          .recorded_offset = 144};
inline constexpr CodeSymbol error_bad_iret = {.name = ".Lerror_bad_iret",
                                              .address = 0xffffffff81400d88,
                                              .run = RunErrorBadIret,
                                              .recorded_symbol = "error_entry",
                                              .recorded_offset = 152};
inline constexpr CodeSymbol error_exit = {
    .name = "error_exit", .address = 0xffffffff81400da0, .run = RunErrorExit};

// No recording shows these: paranoid_entry stands right before error_entry in the source.
inline constexpr CodeSymbol paranoid_entry = {
    .name = "paranoid_entry", .address = 0xffffffff81400c40, .run = RunParanoidEntry};
inline constexpr CodeSymbol paranoid_entry_done = {.name = "paranoid_entry_done",
                                                   .address = 0xffffffff81400c97,
                                                   .run = RunParanoidEntryDone,
                                                   .recorded_symbol = "paranoid_entry",
                                                   .recorded_offset = 87};
inline constexpr CodeSymbol paranoid_exit = {
    .name = "paranoid_exit", .address = 0xffffffff81400cb0, .run = RunParanoidExit};
inline constexpr CodeSymbol paranoid_exit_no_swapgs = {.name = ".Lparanoid_exit_no_swapgs",
                                                       .address = 0xffffffff81400cbd,
                                                       .run = RunParanoidExitNoSwapgs,
                                                       .recorded_symbol = "paranoid_exit",
                                                       .recorded_offset = 13};

// Where native_load_gs_index loads the user's GS selector, which may fault with the user's base.
inline constexpr uint64_t gs_change = 0xffffffff81400bb7;

// clang-format off

// ---- Listings ----

inline constexpr auto error_entry_listing = MakeListing(
    error_entry.Before(error_entry_from_usermode_after_swapgs),
    cld(),
    PUSH_AND_CLEAR_REGS_SAVE_RET(),
    testb(Imm(3), at(CS.offset + 8, rsp)),
    je(error_kernelspace),
    swapgs());

inline constexpr auto error_entry_from_usermode_after_swapgs_listing = MakeListing(
    error_entry_from_usermode_after_swapgs,
    popq(r12),                                  // return address
    movq(rsp, rdi),
    call(sync_regs),
    movq(rax, rsp),                             // the task stack
    pushq(r12),
    ret());

inline constexpr auto error_entry_done_listing = MakeListing(
    error_entry_done,
    ret());

// From kernel mode, where GS is the kernel's but for two places: the IRET to user mode, after
// SWAPGS (on some CPUs its address is reported cut to 32 bits), and the load of a user's GS.
inline constexpr auto error_kernelspace_listing = MakeListing(
    error_kernelspace.Before(bstep_iret),
    leaq(native_iret, rcx),
    cmpq(rcx, at(RIP.offset + 8, rsp)),
    je(error_bad_iret),
    movl(ecx, eax),
    cmpq(rax, at(RIP.offset + 8, rsp)),
    je(bstep_iret),
    cmpq(Imm(static_cast<int32_t>(gs_change)), at(RIP.offset + 8, rsp)),
    jne(error_entry_done),
    swapgs(),
    jmp(error_entry_done));

inline constexpr auto bstep_iret_listing = MakeListing(
    bstep_iret.Before(error_bad_iret),
    movq(rcx, at(RIP.offset + 8, rsp)));

// The exception is made to look as if it had come from the user code that IRET was to return to.
inline constexpr auto error_bad_iret_listing = MakeListing(
    error_bad_iret,
    swapgs(),
    movq(rsp, rdi),
    call(fixup_bad_iret),
    movq(rax, rsp),
    jmp(error_entry_from_usermode_after_swapgs));

inline constexpr auto error_exit_listing = MakeListing(
    error_exit,
    cli(),
    testb(Imm(3), CS(rsp)),
    je(retint_kernel),
    jmp(retint_user));

// Returns with ebx = 0 if GS was the user's, so that it is to be put back; else with 1.
inline constexpr auto paranoid_entry_listing = MakeListing(
    paranoid_entry.Before(paranoid_entry_done),
    cld(),
    PUSH_AND_CLEAR_REGS_SAVE_RET(),
    movl(Imm(1), ebx),
    movl(Imm(static_cast<int32_t>(MSR_GS_BASE)), ecx),
    rdmsr(),
    testl(edx, edx),
    js(paranoid_entry_done),                    // negative: an address of the kernel's
    swapgs(),
    xorl(ebx, ebx));

inline constexpr auto paranoid_entry_done_listing = MakeListing(
    paranoid_entry_done,
    ret());

inline constexpr auto paranoid_exit_listing = MakeListing(
    paranoid_exit.Before(paranoid_exit_no_swapgs),
    cli(),
    testl(ebx, ebx),
    jne(paranoid_exit_no_swapgs),
    swapgs(),
    jmp(retint_kernel));

inline constexpr auto paranoid_exit_no_swapgs_listing = MakeListing(
    paranoid_exit_no_swapgs,
    jmp(retint_kernel));

// v4.19 arch/x86/entry/entry_64.S: idtentry has_error_code=0
constexpr auto idtentry(const CodeSymbol& symbol, const CodeSymbol& do_symbol, const CodeSymbol&) {
  return MakeListing(
      symbol,
      pushq(Imm(-1)),                           // pt_regs::orig_ax
      call(error_entry),
      movq(rsp, rdi),                           // regs
      xorl(esi, esi),                           // error_code
      call(do_symbol),
      jmp(error_exit));
}

// has_error_code=1
constexpr auto idtentry_error_code(const CodeSymbol& symbol, const CodeSymbol& do_symbol,
                                   const CodeSymbol&) {
  return MakeListing(
      symbol,
      call(error_entry),
      movq(rsp, rdi),
      movq(ORIG_RAX(rsp), rsi),                 // the error code that the CPU pushed
      movq(Imm(-1), ORIG_RAX(rsp)),
      call(do_symbol),
      jmp(error_exit));
}

// paranoid=1: from user mode it may be preempted, so it does not stay on the CPU's own stack.
constexpr auto paranoid(const CodeSymbol& symbol, const CodeSymbol& do_symbol,
                        const CodeSymbol& from_user) {
  return MakeListing(
      symbol,
      pushq(Imm(-1)),
      testb(Imm(3), at(CS.offset - ORIG_RAX.offset, rsp)),
      jne(from_user),
      call(paranoid_entry),
      movq(rsp, rdi),
      xorl(esi, esi),
      call(do_symbol),
      jmp(paranoid_exit));
}
// The part of it for user mode.
constexpr auto paranoid_from_user(const CodeSymbol& symbol, const CodeSymbol& do_symbol) {
  return MakeListing(
      symbol,
      call(error_entry),
      movq(rsp, rdi),
      xorl(esi, esi),
      call(do_symbol),
      jmp(error_exit));
}

// paranoid=2 has_error_code=1: never leaves its stack.
constexpr auto paranoid_error_code(const CodeSymbol& symbol, const CodeSymbol& do_symbol,
                                   const CodeSymbol&) {
  return MakeListing(
      symbol,
      call(paranoid_entry),
      movq(rsp, rdi),
      movq(ORIG_RAX(rsp), rsi),
      movq(Imm(-1), ORIG_RAX(rsp)),
      call(do_symbol),
      jmp(paranoid_exit));
}

// clang-format on

// 64 bytes each. divide_error is where the recorded kernel has it; no recording shows the others.
enum ExceptionEntry {
#define KPATH_ENTRY_NUMBER(symbol, function, macro) kEntry_##symbol,
  KPATH_IDTENTRIES(KPATH_ENTRY_NUMBER)
#undef KPATH_ENTRY_NUMBER
};
constexpr uint64_t ExceptionEntryAddress(int number) {
  return number == 0 ? 0xffffffff814009c0 : 0xffffffff81401a00 + 64 * static_cast<uint64_t>(number);
}

#define KPATH_ENTRY(symbol, function, macro)                                                   \
  inline constexpr CodeSymbol symbol = {.name = #symbol,                                       \
                                        .address = ExceptionEntryAddress(kEntry_##symbol),     \
                                        .run = exception_code::symbol};                        \
  inline constexpr CodeSymbol symbol##_from_user = {.name = #symbol "_from_user",              \
                                                    .address = symbol.address + 32,            \
                                                    .run = exception_code::symbol##_from_user, \
                                                    .recorded_symbol = #symbol,                \
                                                    .recorded_offset = 32};                    \
  inline constexpr auto symbol##_listing = macro(symbol, function, symbol##_from_user);        \
  inline constexpr auto symbol##_from_user_listing =                                           \
      paranoid_from_user(symbol##_from_user, function);
KPATH_IDTENTRIES(KPATH_ENTRY)
#undef KPATH_ENTRY

}  // namespace assembly
}  // namespace kpath
