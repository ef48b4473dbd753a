// SPDX-License-Identifier: Apache-2.0
#include "entry/idt.h"

#include "entry/entry_64_compat.h"
#include "entry/idtentry_64.h"
#include "entry/interrupts_64.h"
#include "sim/machine/machine.h"

namespace kpath {
namespace {

using assembly::spurious_interrupt;

// v4.19 arch/x86/include/asm/segment.h
constexpr int IA32_SYSCALL_VECTOR = 0x80;
constexpr uint8_t kUserRing = 3;

struct Gate {
  int vector;
  const CodeSymbol* symbol;
  uint8_t dpl = 0;
  uint8_t ist = 0;
};

// v4.19 arch/x86/kernel/idt.c: early_idts, def_idts, dbg_idts, ist_idts
constexpr Gate kExceptions[] = {
    {0, &assembly::divide_error},
    {1, &assembly::debug, 0, DEBUG_STACK},
    {2, &assembly::nmi, 0, NMI_STACK},
    {3, &assembly::int3, kUserRing},
    {4, &assembly::overflow, kUserRing},
    {5, &assembly::bounds},
    {6, &assembly::invalid_op},
    {7, &assembly::device_not_available},
    {8, &assembly::double_fault, 0, DOUBLEFAULT_STACK},
    {9, &assembly::coprocessor_segment_overrun},
    {10, &assembly::invalid_TSS},
    {11, &assembly::segment_not_present},
    {12, &assembly::stack_segment},
    {13, &assembly::general_protection},
    {14, &assembly::page_fault},
    {15, &assembly::spurious_interrupt_bug},
    {16, &assembly::coprocessor_error},
    {17, &assembly::alignment_check},
    {18, &assembly::machine_check, 0, MCE_STACK},
    {19, &assembly::simd_coprocessor_error},
    {IA32_SYSCALL_VECTOR, &assembly::entry_INT80_compat, kUserRing},
};

// v4.19 arch/x86/kernel/idt.c: apic_idts
constexpr Gate kApic[] = {
#define KPATH_GATE(symbol, vector, function) {vector, &assembly::symbol},
    KPATH_APIC_INTERRUPTS(KPATH_GATE)
#undef KPATH_GATE
};

void Set(Cpu& cpu, const Gate& gate) {
  cpu.idt[gate.vector] = {
      .handler = gate.symbol->run, .name = gate.symbol->name, .dpl = gate.dpl, .ist = gate.ist};
}

// Where each CPU's cpu_entry_area has them, behind the page of the entry stack.
constexpr uint64_t kFirstStackFromEntryStackPage = 0x5000;
constexpr uint64_t kStackPages[] = {1, 1, 2, 1};  // of the interrupt stack table's entries 1 to 4

}  // namespace

void idt_setup(Cpu& cpu) {
  for (int vector = FIRST_EXTERNAL_VECTOR; vector < FIRST_SYSTEM_VECTOR; ++vector) {
    Set(cpu, {vector, &InterruptStub(vector)});
  }
  for (int vector = FIRST_SYSTEM_VECTOR; vector < 256; ++vector) {
    Set(cpu, {vector, &spurious_interrupt});
  }
  for (const Gate& gate : kApic) Set(cpu, gate);
  for (const Gate& gate : kExceptions) Set(cpu, gate);
}

void interrupt_stacks_init(Cpu& cpu) {
  Memory& memory = cpu.machine().memory;
  cpu.Write32(cpu.per_cpu_base() + kPerCpuIrqCount.offset, static_cast<uint32_t>(-1));
  cpu.Write64(cpu.per_cpu_base() + kPerCpuIrqStackPtr.offset,
              cpu.per_cpu_base() + kPerCpuIrqStackTop.offset + 8);
  uint64_t address = (cpu.entry_stack_top() & kPageMask) + kFirstStackFromEntryStackPage;
  uint8_t entry = DOUBLEFAULT_STACK;
  for (const uint64_t pages : kStackPages) {
    for (uint64_t page = 0; page < pages; ++page, address += kPageSize) {
      memory.MapKernel(address, memory.AllocatePages(0));
    }
    cpu.ist[entry++] = address;
  }
}

}  // namespace kpath
