// SPDX-License-Identifier: Apache-2.0
#include "entry/interrupts_64.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/machine/check.h"

namespace kpath {

void RunCommonInterrupt(Cpu& cpu) { RunCompiled<assembly::common_interrupt_listing>(cpu); }
void RunRetFromIntr(Cpu& cpu) { RunCompiled<assembly::ret_from_intr_listing>(cpu); }
void RunRetintUser(Cpu& cpu) { RunCompiled<assembly::retint_user_listing>(cpu); }
void RunRetintKernel(Cpu& cpu) { RunCompiled<assembly::retint_kernel_listing>(cpu); }
void RunInterruptEntry(Cpu& cpu) { RunCompiled<assembly::interrupt_entry_listing>(cpu); }
void RunInterruptEntrySave(Cpu& cpu) { RunCompiled<assembly::interrupt_entry_save_listing>(cpu); }
void RunInterruptEntryStack(Cpu& cpu) { RunCompiled<assembly::interrupt_entry_stack_listing>(cpu); }
void RunInterruptEntryPushOldRsp(Cpu& cpu) {
  RunCompiled<assembly::irq_stack_push_old_rsp_listing>(cpu);
}

#define KPATH_RUN(symbol, vector, function) \
  void apic_code::symbol(Cpu& cpu) { RunCompiled<assembly::symbol##_listing>(cpu); }
KPATH_APIC_INTERRUPTS(KPATH_RUN)
#undef KPATH_RUN

namespace {

// v4.19 arch/x86/entry/entry_64.S: irq_entries_start. One stub for each vector, 8 bytes apart, from
// which they end right before interrupt_entry.
constexpr uint64_t kStubBytes = 8;
constexpr uint64_t kIrqEntriesStart =
    assembly::interrupt_entry.address - kStubBytes * NR_EXTERNAL_STUBS;

template <int kVector>
void RunStub(Cpu& cpu);

template <int kVector>
inline constexpr CodeSymbol kStub = {
    .name = "irq_entries_start",
    .address = kIrqEntriesStart + kStubBytes*(kVector - FIRST_EXTERNAL_VECTOR),
    .run = RunStub<kVector>,
    .recorded_symbol = "irq_entries_start",
    .recorded_offset = kStubBytes*(kVector - FIRST_EXTERNAL_VECTOR)};

template <int kVector>
inline constexpr auto kStubListing = MakeListing(kStub<kVector>,
                                                 assembly::pushq(assembly::Imm(~kVector + 0x80)),
                                                 assembly::jmp(assembly::common_interrupt));

template <int kVector>
void RunStub(Cpu& cpu) {
  static_assert(kStubListing<kVector>.AddressOf(2) <= kStub<kVector>.address + kStubBytes);
  RunCompiled<kStubListing<kVector>>(cpu);
}

template <int... kIndex>
constexpr std::array<const CodeSymbol*, sizeof...(kIndex)> MakeStubs(
    std::integer_sequence<int, kIndex...>) {
  return {&kStub<FIRST_EXTERNAL_VECTOR + kIndex>...};
}

}  // namespace

const CodeSymbol& InterruptStub(int vector) {
  static constexpr auto kStubs = MakeStubs(std::make_integer_sequence<int, NR_EXTERNAL_STUBS>());
  KPATH_CHECK(vector >= FIRST_EXTERNAL_VECTOR && vector < FIRST_SYSTEM_VECTOR,
              absl::StrCat("vector ", vector, " has no stub"));
  return *kStubs[vector - FIRST_EXTERNAL_VECTOR];
}

}  // namespace kpath
