// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/dispatch.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "entry/interrupts_64.h"
#include "inspect/info/code.h"
#include "inspect/info/text.h"
#include "sim/machine/context.h"
#include "syscall_table/ia32_sys_call_table.h"
#include "syscall_table/sys_call_table.h"
#include "syscall_table/tables.h"

namespace kpath {
namespace {

constexpr uint64_t kX32SyscallBit = 0x40000000;
constexpr absl::string_view kStubs = "irq_entries_start";

std::string Handler(int vector, const IdtGate& gate) {
  const bool is_stub =
      gate.name == kStubs && vector >= FIRST_EXTERNAL_VECTOR && vector < FIRST_SYSTEM_VECTOR;
  const absl::optional<uint64_t> address =
      is_stub ? InterruptStub(vector).address : FindSymbol(gate.name);
  return address.has_value() ? Hex(*address) : "?";
}

bool Alike(const IdtGate& a, const IdtGate& b) {
  return a.name == b.name && a.dpl == b.dpl && a.ist == b.ist &&
         (a.handler == nullptr) == (b.handler == nullptr);
}

struct Abi {
  const char* name;
  uint64_t bit;  // that is set in its numbers
  const SysCallTable& table;
  const std::vector<SyscallInfo>& rows;
};

bool HasRow(const Abi& abi, const SyscallInfo& call) {
  if (abi.bit != 0) return call.row.abi != SyscallAbi::k64;
  return call.row.abi != SyscallAbi::kX32;
}

// What a slot's function is called.
std::string FunctionText(const SyscallSlot& slot, const SyscallInfo* call) {
  if (slot.function == sys_ni_syscall) return "sys_ni_syscall";
  const bool is_v419s = call != nullptr && slot.name != nullptr && call->row.name == slot.name;
  const std::string entry = !is_v419s                        ? ""
                            : call->row.compat_entry.empty() ? call->row.entry
                                                             : call->row.compat_entry;
  if (slot.function == sys_not_modelled) return absl::StrCat("sys_not_modelled, for ", entry);
  return entry.empty() ? "a function that is not v4.19's" : entry;
}

struct Tally {
  int not_modelled = 0;
  int no_call = 0;
};

void AddAbi(const Abi& abi, absl::string_view name, Table& table, Tally& tally) {
  for (uint64_t nr = 0; nr < abi.table.size(); ++nr) {
    const SyscallSlot& slot = abi.table[nr];
    const auto row = std::lower_bound(
        abi.rows.begin(), abi.rows.end(), static_cast<int>(nr),
        [](const SyscallInfo& info, int number) { return info.row.number < number; });
    const bool is_known = row != abi.rows.end() && row->row.number == static_cast<int>(nr);
    const SyscallInfo* call = is_known ? &*row : nullptr;
    if (call != nullptr && !HasRow(abi, *call)) continue;
    const bool is_none = slot.function == sys_ni_syscall;
    const std::string slot_name = slot.name != nullptr ? slot.name
                                  : call != nullptr    ? call->row.name
                                                       : "";
    if (name.empty() && (is_none || slot.function == sys_not_modelled)) {
      ++(is_none ? tally.no_call : tally.not_modelled);
      continue;
    }
    if (!absl::StrContains(slot_name, name)) continue;
    table.Add({abi.name, abi.bit != 0 ? Hex(abi.bit | nr) : absl::StrCat(nr), slot_name,
               std::string(FidelityName(slot.fidelity)), FunctionText(slot, call)});
  }
}

}  // namespace

std::string InfoIdt(const View& view) {
  const Cpu* at = ContextOf(view).cpu;
  const Cpu& cpu = at != nullptr ? *at : view.machine.cpu(0);
  Table table(
      {"VECTOR", "NAME", "HANDLER", "TYPE", "DPL", "IST"},
      {Align::kLeft, Align::kLeft, Align::kLeft, Align::kLeft, Align::kRight, Align::kLeft});
  for (int vector = 0; vector < 256;) {
    const IdtGate& gate = cpu.idt[vector];
    int end = vector + 1;
    while (end < 256 && Alike(cpu.idt[end], gate)) ++end;
    if (gate.handler != nullptr) {
      const std::string first = absl::StrFormat("0x%02x", vector);
      table.Add({end == vector + 1 ? first : absl::StrFormat("%s-0x%02x", first, end - 1),
                 gate.name, Handler(vector, gate), "intr", absl::StrCat(gate.dpl),
                 gate.ist == 0 ? "" : absl::StrCat(gate.ist)});
    }
    vector = end;
  }
  return table.empty() ? "The interrupt descriptor table is empty.\n" : table.ToString(view.width);
}

absl::StatusOr<std::string> InfoSyscalls(const View& view, absl::string_view name) {
  EnterMachine enter(view.machine);
  const SysCallTable& table_64 = sys_call_table.Get(view.machine);
  const Abi abis[] = {
      {"x86_64", 0, table_64, Syscalls64()},
      {"x32", kX32SyscallBit, table_64, Syscalls64()},
      {"i386", 0, ia32_sys_call_table.Get(view.machine), Syscalls32()},
  };
  Table table({"ABI", "NR", "NAME", "FIDELITY", "FUNCTION"},
              {Align::kLeft, Align::kRight, Align::kLeft, Align::kLeft, Align::kLeft});
  Tally tally;
  for (const Abi& abi : abis) {
    if (abi.bit != 0 && table_64.size() <= 512) continue;  // a kernel without x32
    AddAbi(abi, name, table, tally);
  }
  if (name.empty()) {
    return absl::StrCat(table.ToString(view.width), "and ",
                        Count(static_cast<uint64_t>(tally.not_modelled), "number"),
                        " of calls that are not modelled, ", tally.no_call, " of none.\n");
  }
  if (table.empty()) {
    return absl::NotFoundError(absl::StrCat("No system call has ", name, " in its name"));
  }
  return table.ToString(view.width);
}

}  // namespace kpath
