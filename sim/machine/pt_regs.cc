// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/pt_regs.h"

#include "absl/strings/str_cat.h"
#include "sim/machine/check.h"
#include "sim/machine/machine.h"

namespace kpath {

pt_regs* PtRegsAt(Cpu& cpu, uint64_t address) {
  constexpr uint64_t kLast = sizeof(pt_regs) - 1;
  KPATH_CHECK(address % alignof(pt_regs) == 0, absl::StrCat("pt_regs at 0x", absl::Hex(address)));
  Machine& machine = cpu.machine();
  uint8_t* first = machine.memory.KernelBytes(address);
  if (first == nullptr || machine.memory.KernelBytes(address + kLast) != first + kLast) {
    machine.Panic(absl::StrCat("BUG: unable to handle kernel paging request at 0x",
                               absl::Hex(address), " (pt_regs)"));
  }
  return reinterpret_cast<pt_regs*>(first);
}

}  // namespace kpath
