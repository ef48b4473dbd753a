// SPDX-License-Identifier: Apache-2.0
//
// Interrupts: the stubs of the device vectors, those of the local APIC, and the way back to what
// was interrupted. v4.19 arch/x86/entry/entry_64.S
//
//   cpu.idt[0x22] = {.handler = InterruptStub(0x22).run, .name = "irq_entries_start"};
//   cpu.idt[0xec] = {.handler = assembly::apic_timer_interrupt.run, …};
//
// A device's vector v: its stub pushes ~v + 0x80, which fits in a byte, and common_interrupt takes
// 0x80 off again. An APIC vector's stub pushes ~v. Then interrupt_entry moves the frame to the task
// stack (from user mode), saves the registers and goes to the interrupt stack, unless the CPU is on
// it already; the C code runs there.
//
// As in entry_64.h, lines, operands and addresses are those of the recorded kernel, with no
// preemption in retint_kernel.
#pragma once

#include "entry/calling.h"
#include "entry/entry_64.h"

namespace kpath {

// v4.19 arch/x86/include/asm/irq_vectors.h
inline constexpr int FIRST_EXTERNAL_VECTOR = 0x20;
inline constexpr int IRQ_MOVE_CLEANUP_VECTOR = FIRST_EXTERNAL_VECTOR;
inline constexpr int ISA_IRQ_VECTOR_0 = 0x30;
inline constexpr int FIRST_SYSTEM_VECTOR = 0xec;
inline constexpr int NR_EXTERNAL_STUBS = FIRST_SYSTEM_VECTOR - FIRST_EXTERNAL_VECTOR;

// The stub of a device's vector. Range: FIRST_EXTERNAL_VECTOR … FIRST_SYSTEM_VECTOR - 1.
const CodeSymbol& InterruptStub(int vector);

// ---- What runs at the symbols ----

void RunCommonInterrupt(Cpu& cpu);
void RunRetFromIntr(Cpu& cpu);
void RunRetintUser(Cpu& cpu);
void RunRetintKernel(Cpu& cpu);
void RunInterruptEntry(Cpu& cpu);
void RunInterruptEntrySave(Cpu& cpu);
void RunInterruptEntryStack(Cpu& cpu);
void RunInterruptEntryPushOldRsp(Cpu& cpu);

// The APIC's vectors: X(symbol, vector, C function). The order is that of their stubs.
#define KPATH_APIC_INTERRUPTS(X)                                                         \
  X(irq_move_cleanup_interrupt, IRQ_MOVE_CLEANUP_VECTOR, smp_irq_move_cleanup_interrupt) \
  X(reboot_interrupt, 0xf8, smp_reboot_interrupt)                                        \
  X(apic_timer_interrupt, 0xec, smp_apic_timer_interrupt)                                \
  X(x86_platform_ipi, 0xf7, smp_x86_platform_ipi)                                        \
  X(call_function_single_interrupt, 0xfb, smp_call_function_single_interrupt)            \
  X(call_function_interrupt, 0xfc, smp_call_function_interrupt)                          \
  X(reschedule_interrupt, 0xfd, smp_reschedule_interrupt)                                \
  X(error_interrupt, 0xfe, smp_error_interrupt)                                          \
  X(spurious_interrupt, 0xff, smp_spurious_interrupt)                                    \
  X(irq_work_interrupt, 0xf6, smp_irq_work_interrupt)

namespace apic_code {
#define KPATH_DECLARE(symbol, vector, function) void symbol(Cpu& cpu);
KPATH_APIC_INTERRUPTS(KPATH_DECLARE)
#undef KPATH_DECLARE
}  // namespace apic_code

namespace assembly {

// ---- Symbols ----

inline constexpr CodeSymbol common_interrupt = {
    .name = "common_interrupt", .address = 0xffffffff81400880, .run = RunCommonInterrupt};
inline constexpr CodeSymbol ret_from_intr = {.name = "ret_from_intr",
                                             .address = 0xffffffff8140088f,
                                             .run = RunRetFromIntr,
                                             .recorded_symbol = "common_interrupt",
                                             .recorded_offset = 15};
inline constexpr CodeSymbol retint_user = {.name = "retint_user",
                                           .address = 0xffffffff814008a3,
                                           .run = RunRetintUser,
                                           .recorded_symbol = "common_interrupt",
                                           .recorded_offset = 35};
inline constexpr CodeSymbol retint_kernel = {.name = "retint_kernel",
                                             .address = 0xffffffff814008e4,
                                             .run = RunRetintKernel,
                                             .recorded_symbol = "common_interrupt",
                                             .recorded_offset = 100};

inline constexpr CodeSymbol interrupt_entry = {
    .name = "interrupt_entry", .address = 0xffffffff814007d0, .run = RunInterruptEntry};
// Labels inside of it, which have numbers in the kernel.
inline constexpr CodeSymbol interrupt_entry_save = {.name = "interrupt_entry_save",
                                                    .address = 0xffffffff81400800,
                                                    .run = RunInterruptEntrySave,
                                                    .recorded_symbol = "interrupt_entry",
                                                    .recorded_offset = 48};
inline constexpr CodeSymbol interrupt_entry_stack = {.name = "interrupt_entry_stack",
                                                     .address = 0xffffffff8140084b,
                                                     .run = RunInterruptEntryStack,
                                                     .recorded_symbol = "interrupt_entry",
                                                     .recorded_offset = 123};
inline constexpr CodeSymbol irq_stack_push_old_rsp = {.name = ".Lirq_stack_push_old_rsp",
                                                      .address = 0xffffffff8140086c,
                                                      .run = RunInterruptEntryPushOldRsp,
                                                      .recorded_symbol = "interrupt_entry",
                                                      .recorded_offset = 156};

// clang-format off

// ---- Listings ----

// Called with the frame and the encoded vector on the stack, interrupts off. Returns on the
// interrupt stack, with rdi pointing to pt_regs.
inline constexpr auto interrupt_entry_listing = MakeListing(
    interrupt_entry.Before(interrupt_entry_save),
    cld(),

    testb(Imm(3), at(CS.offset - ORIG_RAX.offset + 8, rsp)),
    je(interrupt_entry_save),                   // from kernel mode: the stack and GS are right
    swapgs(),

    // From the entry stack to the task stack: frame, vector, return address.
    pushq(rdi),
    movq(rsp, rdi),
    movq(PER_CPU_VAR(cpu_current_top_of_stack), rsp),
    pushq(at(7 * 8, rdi)),                      // pt_regs::ss
    pushq(at(6 * 8, rdi)),                      // pt_regs::sp
    pushq(at(5 * 8, rdi)),                      // pt_regs::flags
    pushq(at(4 * 8, rdi)),                      // pt_regs::cs
    pushq(at(3 * 8, rdi)),                      // pt_regs::ip
    pushq(at(2 * 8, rdi)),                      // pt_regs::orig_ax
    pushq(at(8, rdi)),                          // return address
    movq(at(rdi), rdi));

inline constexpr auto interrupt_entry_save_listing = MakeListing(
    interrupt_entry_save.Before(interrupt_entry_stack),
    PUSH_AND_CLEAR_REGS_SAVE_RET(),

    // What only entries from user mode do: enter_from_user_mode, nothing in this kernel.
    testb(Imm(3), at(CS.offset + 8, rsp)),
    je(interrupt_entry_stack));

inline constexpr auto interrupt_entry_stack_listing = MakeListing(
    interrupt_entry_stack.Before(irq_stack_push_old_rsp),
    leaq(at(8, rsp), rdi),                      // rdi: pt_regs
    incl(PER_CPU_VAR(irq_count)),
    jne(irq_stack_push_old_rsp),                // nested: already on the interrupt stack

    // The topmost word first, so that the stack never looks unused to an NMI.
    movq(rdi, PER_CPU_VAR(irq_stack_top)),
    movq(PER_CPU_VAR(irq_stack_ptr), rsp));

inline constexpr auto irq_stack_push_old_rsp_listing = MakeListing(
    irq_stack_push_old_rsp,
    pushq(rdi),                                 // where to pop the registers from
    pushq(at(-8, rdi)),                         // return address
    ret());

inline constexpr auto common_interrupt_listing = MakeListing(
    common_interrupt.Before(ret_from_intr),
    addq(Imm(-0x80), at(rsp)),                  // now it is ~vector
    call(interrupt_entry),
    call(do_IRQ));

// Off the interrupt stack.
inline constexpr auto ret_from_intr_listing = MakeListing(
    ret_from_intr.Before(retint_user),
    cli(),
    popq(rsp),
    decl(PER_CPU_VAR(irq_count)),

    testb(Imm(3), CS(rsp)),
    je(retint_kernel));

inline constexpr auto retint_user_listing = MakeListing(
    retint_user.Before(swapgs_restore_regs_and_return_to_usermode),
    movq(rsp, rdi),
    call(prepare_exit_to_usermode));

// Back to kernel code; GS is the kernel's.
inline constexpr auto retint_kernel_listing = MakeListing(
    retint_kernel,
    POP_REGS_BUT_RDI(r11, rcx),
    popq(rdi),
    addq(Imm(8), rsp),                          // pt_regs::orig_ax
    jmp(native_iret));

// v4.19 arch/x86/entry/entry_64.S: apicinterrupt
constexpr auto apicinterrupt(const CodeSymbol& symbol, int vector, const CodeSymbol& do_symbol) {
  return MakeListing(
      symbol,
      pushq(Imm(~vector)),
      call(interrupt_entry),
      call(do_symbol),
      jmp(ret_from_intr));
}

// clang-format on

// 32 bytes each; no recording shows where.
enum ApicStub {
#define KPATH_STUB_NUMBER(symbol, vector, function) kStub_##symbol,
  KPATH_APIC_INTERRUPTS(KPATH_STUB_NUMBER)
#undef KPATH_STUB_NUMBER
};
inline constexpr uint64_t kApicStubs = 0xffffffff81401800;

#define KPATH_STUB(symbol, vector, function)                                                   \
  inline constexpr CodeSymbol symbol = {                                                       \
      .name = #symbol, .address = kApicStubs + 32 * kStub_##symbol, .run = apic_code::symbol}; \
  inline constexpr auto symbol##_listing = apicinterrupt(symbol, vector, function);
KPATH_APIC_INTERRUPTS(KPATH_STUB)
#undef KPATH_STUB

}  // namespace assembly
}  // namespace kpath
