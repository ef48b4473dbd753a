// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/registers.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "inspect/info/address.h"
#include "inspect/info/text.h"

namespace kpath {
namespace {

constexpr absl::string_view kNames[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
// The order in which gdb shows them.
constexpr Reg kOrder[] = {Reg::rax, Reg::rbx, Reg::rcx, Reg::rdx, Reg::rsi, Reg::rdi,
                          Reg::rbp, Reg::rsp, Reg::r8,  Reg::r9,  Reg::r10, Reg::r11,
                          Reg::r12, Reg::r13, Reg::r14, Reg::r15};

std::string Line(absl::string_view name, uint64_t value, absl::string_view meaning) {
  return absl::StrFormat("%-15s%-18s  %s\n", name, Hex(value), meaning);
}

std::string PointerLine(const View& view, absl::string_view name, uint64_t value) {
  return Line(name, value, AddressText(view, value));
}

std::string NumberLine(absl::string_view name, uint64_t value) {
  return Line(name, value, absl::StrCat(static_cast<int64_t>(value)));
}

// Whose page table a CPU uses: it has no number here.
std::string PageTableText(const View& view, const Cpu& cpu) {
  if (cpu.address_space == nullptr) return "no user page table";
  for (const task_struct* task : AllTasks(view.machine)) {
    const kptr<mm_struct> mm = MmOf(*task);
    if (mm && mm->page_table.hardware() == cpu.address_space) {
      return absl::StrCat("page table of ", TaskName(*task));
    }
  }
  return "page table of a process that has ended";
}

// Those that a switch does not save: of a CPU, so only of a task that runs.
std::string CpuLines(const View& view, const Cpu& cpu) {
  return absl::StrCat(
      PointerLine(view, "gs_base", cpu.gs_base), PointerLine(view, "k_gs_base", cpu.kernel_gs_base),
      PointerLine(view, "cr2", cpu.cr2),
      absl::StrFormat("%-15s%s\n", "cr3", PageTableText(view, cpu)), NumberLine("dr6", cpu.dr6));
}

std::string GeneralLine(const View& view, const Registers& regs, Reg reg) {
  const bool is_pointer = reg == Reg::rsp || reg == Reg::rbp;
  return is_pointer ? PointerLine(view, RegisterName(reg), regs[reg])
                    : NumberLine(RegisterName(reg), regs[reg]);
}

// All lines of the selected task, in gdb's order.
std::string AllLines(const View& view) {
  const Context& context = ContextOf(view);
  const Registers& regs = RegistersOf(context);
  std::string text;
  for (const Reg reg : kOrder) text += GeneralLine(view, regs, reg);
  text += PointerLine(view, "rip", regs.rip);
  text += Line("eflags", regs.rflags, FlagsText(regs.rflags));
  text += NumberLine("cs", regs.cs);
  text += NumberLine("ss", regs.ss);
  if (IsRunning(context)) return text + CpuLines(view, *context.cpu);
  return text + PointerLine(view, "k_gs_base", context.saved_kernel_gs_base);
}

// "rip" for "$pc".
std::string FullName(absl::string_view name) {
  name = absl::StripPrefix(name, "$");
  if (name == "pc") return "rip";
  if (name == "sp") return "rsp";
  if (name == "fp") return "rbp";
  if (name == "rflags") return "eflags";
  return std::string(name);
}

// The line of all that begins with this name; empty: there is none.
std::string LineOf(absl::string_view lines, absl::string_view name) {
  const std::string head = absl::StrCat(name, " ");
  while (!lines.empty()) {
    const size_t end = lines.find('\n') + 1;
    if (absl::StartsWith(lines, head)) return std::string(lines.substr(0, end));
    lines.remove_prefix(end);
  }
  return "";
}

}  // namespace

absl::string_view RegisterName(Reg reg) { return kNames[static_cast<int>(reg)]; }

std::string FlagsText(uint64_t rflags) {
  static const auto& names = *new std::vector<BitName>{
      {X86_EFLAGS_CF, "CF"}, {X86_EFLAGS_PF, "PF"}, {X86_EFLAGS_AF, "AF"}, {X86_EFLAGS_ZF, "ZF"},
      {X86_EFLAGS_SF, "SF"}, {X86_EFLAGS_TF, "TF"}, {X86_EFLAGS_IF, "IF"}, {X86_EFLAGS_DF, "DF"},
      {X86_EFLAGS_OF, "OF"}, {X86_EFLAGS_NT, "NT"}, {X86_EFLAGS_RF, "RF"}, {X86_EFLAGS_AC, "AC"}};
  const uint64_t bits = rflags & ~X86_EFLAGS_FIXED;
  return bits == 0 ? "[ ]" : absl::StrCat("[ ", BitNames(bits, names, " ", ""), " ]");
}

absl::StatusOr<std::string> InfoRegisters(const View& view, const std::vector<std::string>& names) {
  std::string all;
  for (const absl::string_view line : absl::StrSplit(AllLines(view), '\n', absl::SkipEmpty())) {
    absl::StrAppend(&all, Cut(line, view.width), "\n");
  }
  if (names.empty()) return all;
  std::string text;
  for (const std::string& name : names) {
    const std::string line = LineOf(all, FullName(name));
    if (line.empty()) return absl::NotFoundError(absl::StrCat("Invalid register `", name, "'"));
    text += line;
  }
  return text;
}

}  // namespace kpath
