// SPDX-License-Identifier: Apache-2.0
//
// The table that do_syscall_64 dispatches through. v4.19 arch/x86/entry/syscall_64.c
//
//   if (nr < sys_call_table->size()) regs->ax = (*sys_call_table)[nr].function(regs);
//
// Each machine has its own, made from syscall_64.tbl and fidelity.tbl, and may change it:
//
//   sys_call_table.Get(machine).Set(335, {.function = __x64_sys_mine, .name = "mine",
//                                         .fidelity = Fidelity::kFull});
//
// A number's slot is one of three:
//   modelled      the SYSCALL_DEFINE function of the entry's name. It is referred to here, so a
//   call
//                 that fidelity.tbl says is modelled and is not does not link.
//   not modelled  sys_not_modelled: v4.19 has this call, kpath does not
//   no call       sys_ni_syscall: v4.19 has none either
// All three are functions with a probe, and the last two say -ENOSYS for different reasons; a
// number beyond the table reaches none of them.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "sim/machine/machine.h"
#include "sim/machine/pt_regs.h"
#include "syscall_table/fidelity.h"

namespace kpath {

// What a slot holds: a function of the saved registers. Its result goes to regs->ax.
using sys_call_ptr_t = long (*)(const pt_regs* regs);

struct SyscallSlot {
  sys_call_ptr_t function = nullptr;
  const char* name = nullptr;  // as in syscall_64.tbl, lives as long as the program; null: none
  Fidelity fidelity = Fidelity::kNone;
};

class SysCallTable {
 public:
  // That of a kernel with x32: 548 slots.
  SysCallTable();
  // Any other one.
  explicit SysCallTable(std::vector<SyscallSlot> slots) : slots_(std::move(slots)) {}

  uint64_t size() const { return slots_.size(); }
  // REQUIRES: nr < size().
  const SyscallSlot& operator[](uint64_t nr) const { return slots_[nr]; }

  // Puts `slot` at `nr`. The table grows up to it, with sys_ni_syscall in between.
  // Range of nr: 0 .. 4095. slot.function must not be null.
  void Set(uint64_t nr, SyscallSlot slot);
  // Makes it that of a kernel without x32: slots 335 and up go.
  void RemoveX32();

 private:
  std::vector<SyscallSlot> slots_;
};

extern KernelGlobal<SysCallTable> sys_call_table;

// v4.19 kernel/sys_ni.c: sys_ni_syscall. -ENOSYS.
long sys_ni_syscall(const pt_regs* regs);

// Departs: what kpath has in the place of a call that it does not model. -ENOSYS, and a note to the
// listeners: "not modelled", with the call's name.
long sys_not_modelled(const pt_regs* regs);

}  // namespace kpath
