// SPDX-License-Identifier: Apache-2.0
#include "syscall_table/ia32_sys_call_table.h"

#include "syscall_table/tables.h"

namespace kpath {

KernelGlobal<Ia32SysCallTable> ia32_sys_call_table;

#define SYSCALL_ROW(nr, abi, name, entry) long entry(const pt_regs* regs);
#define SYSCALL_NOT_MODELLED(nr, abi, name, entry)
#define SYSCALL_NO_ENTRY(nr, abi, name)
#include "syscall_table/syscalls_32.inc"

namespace {

std::vector<SyscallSlot> MakeSlots() {
  const std::vector<SyscallInfo>& calls = Syscalls32();
  std::vector<SyscallSlot> slots(calls.back().row.number + 1, {.function = sys_ni_syscall});
  const auto set = [&](int nr, const char* name, sys_call_ptr_t function) {
    slots[nr].name = name;
    slots[nr].function = function;
  };
#define SYSCALL_ROW(nr, abi, name, entry) set(nr, name, entry);
#define SYSCALL_NOT_MODELLED(nr, abi, name, entry) set(nr, name, sys_not_modelled);
#define SYSCALL_NO_ENTRY(nr, abi, name) set(nr, name, sys_ni_syscall);
#include "syscall_table/syscalls_32.inc"
  for (const SyscallInfo& call : calls) slots[call.row.number].fidelity = call.fidelity;
  return slots;
}

}  // namespace

Ia32SysCallTable::Ia32SysCallTable() : SysCallTable(MakeSlots()) {}

}  // namespace kpath
