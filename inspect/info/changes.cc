// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/changes.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "entry/instruction_step.h"
#include "inspect/info/address.h"
#include "inspect/info/registers.h"
#include "inspect/info/text.h"

namespace kpath {
namespace {

using CpuState = MachineSnapshot::CpuState;

constexpr Reg kOrder[] = {Reg::rax, Reg::rbx, Reg::rcx, Reg::rdx, Reg::rsi, Reg::rdi,
                          Reg::rbp, Reg::rsp, Reg::r8,  Reg::r9,  Reg::r10, Reg::r11,
                          Reg::r12, Reg::r13, Reg::r14, Reg::r15};

class Changes {
 public:
  Changes(std::string prefix, int width) : prefix_(std::move(prefix)), width_(width) {}

  void Add(absl::string_view name, absl::string_view before, absl::string_view after) {
    if (before == after) return;
    absl::StrAppend(
        &text_, Wrap(absl::StrFormat("%s%-9s %s -> %s", prefix_, name, before, after), width_, 4),
        "\n");
  }
  void AddNumber(absl::string_view name, uint64_t before, uint64_t after) {
    Add(name, Hex(before), Hex(after));
  }
  const std::string& text() const { return text_; }

 private:
  const std::string prefix_;
  const int width_;
  std::string text_;
};

std::string CpuChanges(const CpuState& before, const CpuState& after, std::string prefix,
                       const View& view) {
  Changes changes(std::move(prefix), view.width);
  changes.Add("executes", before.executes, after.executes);
  changes.Add("halted", before.halted ? "yes" : "no", after.halted ? "yes" : "no");
  for (const Reg reg : kOrder) {
    changes.AddNumber(RegisterName(reg), before.regs[reg], after.regs[reg]);
  }
  changes.Add("rip", AddressText(view, before.regs.rip), AddressText(view, after.regs.rip));
  changes.Add("eflags", FlagsText(before.regs.rflags), FlagsText(after.regs.rflags));
  changes.AddNumber("cs", before.regs.cs, after.regs.cs);
  changes.AddNumber("ss", before.regs.ss, after.regs.ss);
  changes.AddNumber("gs_base", before.gs_base, after.gs_base);
  changes.AddNumber("k_gs_base", before.kernel_gs_base, after.kernel_gs_base);
  changes.AddNumber("cr2", before.cr2, after.cr2);
  return changes.text();
}

std::string WordText(const absl::optional<uint64_t>& value) {
  return value.has_value() ? Hex(*value) : "not mapped";
}

}  // namespace

MachineSnapshot TakeSnapshot(const View& view, absl::Span<const uint64_t> addresses) {
  MachineSnapshot snapshot;
  snapshot.position = view.machine.position();
  for (int id = 0; id < view.machine.cpus(); ++id) {
    const Cpu& cpu = view.machine.cpu(id);
    snapshot.cpus.push_back(
        {.regs = cpu.regs,
         .gs_base = cpu.gs_base,
         .kernel_gs_base = cpu.kernel_gs_base,
         .cr2 = cpu.cr2,
         .executes = cpu.running() == nullptr ? "nothing" : TaskName(*cpu.running()),
         .halted = cpu.halted()});
  }
  for (const uint64_t address : addresses) {
    snapshot.words.push_back({address, ReadNumber(view, address, sizeof(uint64_t))});
  }
  return snapshot;
}

void StoreLog::OnProbe(const ProbeEvent& event) {
  if (event.kind != ProbeEvent::Kind::kInstruction) return;
  const auto& step = *static_cast<const InstructionStep*>(event.instruction);
  if (step.stored_bytes == 0) return;
  if (stores_.size() == kMost) stores_.erase(stores_.begin());
  stores_.push_back({step.stored_address, step.stored_value, step.stored_bytes});
}

std::string ChangedSince(const MachineSnapshot& before, const MachineSnapshot& after,
                         absl::Span<const Store> stores, const View& view) {
  std::string text;
  const size_t cpus = std::min(before.cpus.size(), after.cpus.size());
  for (size_t id = 0; id < cpus; ++id) {
    text += CpuChanges(before.cpus[id], after.cpus[id],
                       cpus > 1 ? absl::StrCat("CPU ", id, " ") : "", view);
  }
  for (size_t i = 0; i < std::min(before.words.size(), after.words.size()); ++i) {
    const uint64_t address = after.words[i].address;
    if (before.words[i] == after.words[i] || before.words[i].address != address) continue;
    absl::StrAppend(
        &text,
        Wrap(absl::StrCat("*", AddressText(view, address), " ", WordText(before.words[i].value),
                          " -> ", WordText(after.words[i].value)),
             view.width, 4),
        "\n");
  }
  for (const Store& store : stores) {
    absl::StrAppend(&text,
                    Wrap(absl::StrCat("*", AddressText(view, store.address), " = ",
                                      Hex(store.value), store.bytes == 4 ? ", 4 bytes" : ""),
                         view.width, 4),
                    "\n");
  }
  return text;
}

}  // namespace kpath
