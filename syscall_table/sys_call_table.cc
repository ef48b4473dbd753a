// SPDX-License-Identifier: Apache-2.0
#include "syscall_table/sys_call_table.h"

#include "absl/strings/str_cat.h"
#include "sim/kernel/fail.h"
#include "sim/kernel/sched.h"
#include "sim/machine/check.h"
#include "syscall_table/ia32_sys_call_table.h"
#include "syscall_table/numbers_64.h"
#include "syscall_table/tables.h"

namespace kpath {

KernelGlobal<SysCallTable> sys_call_table;

// The functions of the calls that are modelled; SYSCALL_DEFINE (sim/kernel/syscalls.h) makes them.
#define SYSCALL_ROW(nr, abi, name, entry) long entry(const pt_regs* regs);
#define SYSCALL_NOT_MODELLED(nr, abi, name, entry)
#define SYSCALL_NO_ENTRY(nr, abi, name)
#include "syscall_table/syscalls_64.inc"

namespace {

constexpr uint64_t kMaxSlots = 4096;

struct Row {
  int nr;
  const char* name;
  sys_call_ptr_t function;
};

constexpr Row kRows[] = {
#define SYSCALL_ROW(nr, abi, name, entry) {nr, name, entry},
#define SYSCALL_NOT_MODELLED(nr, abi, name, entry) {nr, name, sys_not_modelled},
#define SYSCALL_NO_ENTRY(nr, abi, name) {nr, name, sys_ni_syscall},
#include "syscall_table/syscalls_64.inc"
};

std::vector<SyscallSlot> MakeSlots() {
  std::vector<SyscallSlot> slots(NR_syscalls, {.function = sys_ni_syscall});
  for (const Row& row : kRows) {
    slots[row.nr] = {row.function, row.name, FindSyscall64(row.nr)->fidelity};
  }
  return slots;
}

bool In32BitCall() { return (current->ti.status & TS_COMPAT) != 0; }

// The table and the slot that the current call was dispatched through.
const SysCallTable& TableOf() {
  if (In32BitCall()) return *ia32_sys_call_table;
  return *sys_call_table;
}
uint64_t SlotOf(const pt_regs* regs) {
  if (In32BitCall()) return static_cast<uint32_t>(regs->orig_ax);
  return static_cast<uint32_t>(regs->orig_ax) & ~static_cast<uint32_t>(X32_SYSCALL_BIT);
}

}  // namespace

SysCallTable::SysCallTable() {
  static const auto* const of_v4_19 = new std::vector<SyscallSlot>(MakeSlots());
  slots_ = *of_v4_19;
}

void SysCallTable::Set(uint64_t nr, SyscallSlot slot) {
  KPATH_CHECK(nr < kMaxSlots, absl::StrCat("system call number ", nr));
  KPATH_CHECK(slot.function != nullptr, absl::StrCat("system call ", nr, " has no function"));
  if (nr >= slots_.size()) slots_.resize(nr + 1, {.function = sys_ni_syscall});
  slots_[nr] = slot;
}

void SysCallTable::RemoveX32() { slots_.resize(NR_syscalls_without_x32); }

long sys_ni_syscall(const pt_regs* regs) {
  FUNCTION();
  return fn.Return(Fail(ENOSYS, "v4.19 has no system call $0", SlotOf(regs)));
}

long sys_not_modelled(const pt_regs* regs) {
  static constexpr StepInfo kNote = {"not modelled", __FILE__, __LINE__, "name"};
  const char* name = TableOf()[SlotOf(regs)].name;
  FUNCTION(name);
  const Value values[] = {Value::Text(name)};
  current_context->machine->Tell(ProbeEvent::Kind::kNote, &kNote, values);
  return fn.Return(Fail(ENOSYS, "not modelled: $0", name));
}

}  // namespace kpath
