// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/pt_regs.h"

#include "absl/strings/str_cat.h"
#include "sim/machine/check.h"
#include "sim/machine/machine.h"

namespace kpath {

namespace {

[[noreturn, gnu::cold, gnu::noinline]] void ReportNoPtRegs(Machine& machine, uint64_t address) {
  machine.Panic(absl::StrCat("BUG: unable to handle kernel paging request at 0x",
                             absl::Hex(address), " (pt_regs)"));
}

}  // namespace

pt_regs* PtRegsAt(Cpu& cpu, uint64_t address) {
  constexpr uint64_t kLast = sizeof(pt_regs) - 1;
  KPATH_CHECK(address % alignof(pt_regs) == 0, "pt_regs at 0x", absl::Hex(address));
  Machine& machine = cpu.machine();
  uint8_t* const first = machine.memory.KernelBytes(address);
  const bool in_one_page = ((address ^ (address + kLast)) & kPageMask) == 0;
  if (first == nullptr ||
      (!in_one_page && machine.memory.KernelBytes(address + kLast) != first + kLast)) {
    ReportNoPtRegs(machine, address);
  }
  return reinterpret_cast<pt_regs*>(first);
}

}  // namespace kpath
