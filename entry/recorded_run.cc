// SPDX-License-Identifier: Apache-2.0
#include "entry/recorded_run.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "entry/c_function.h"
#include "entry/listing.h"
#include "entry/step_text.h"
#include "entry/stub_do_syscall_64.h"
#include "sim/machine/check.h"

namespace kpath {
namespace {

// The recorded machine's CPU 0.
constexpr uint64_t kPerCpuBase = 0xffff88801f200000;
constexpr uint64_t kTaskStackTop = 0xffff888000108000;
constexpr uint64_t kEntryStackTop = 0xfffffe0000002200;

constexpr const char* kGeneralRegisters[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                             "rsi", "rdi", "r8",  "r9",  "r10", "r11",
                                             "r12", "r13", "r14", "r15"};
// The order of struct pt_regs.
constexpr const char* kPtRegsFields[] = {"r15", "r14",     "r13", "r12", "bp",    "bx", "r11",
                                         "r10", "r9",      "r8",  "ax",  "cx",    "dx", "si",
                                         "di",  "orig_ax", "ip",  "cs",  "flags", "sp", "ss"};
static_assert(std::size(kPtRegsFields) * 8 == sizeof(pt_regs));

void SetValue(RegisterValues& values, absl::string_view name, uint64_t value) {
  for (auto& [known, old] : values) {
    if (known != name) continue;
    old = value;
    return;
  }
  values.emplace_back(std::string(name), value);
}

RegisterValues Read(const Cpu& cpu) {
  RegisterValues values;
  for (size_t i = 0; i < std::size(kGeneralRegisters); ++i) {
    values.emplace_back(kGeneralRegisters[i], cpu.regs.general[i]);
  }
  values.emplace_back("rip", cpu.regs.rip);
  values.emplace_back("eflags", cpu.regs.rflags);
  values.emplace_back("cs", cpu.regs.cs);
  values.emplace_back("ss", cpu.regs.ss);
  values.emplace_back("gs_base", cpu.gs_base);
  return values;
}

uint64_t WordAt(const pt_regs* regs, size_t index) {
  uint64_t word;
  std::memcpy(&word, reinterpret_cast<const uint8_t*>(regs) + index * 8, sizeof(word));
  return word;
}

std::string RecordedText(const RecordedStep& step) {
  std::string changes;
  for (const auto& [name, value] : step.changes) {
    absl::StrAppendFormat(&changes, " %s=%x", name, value);
  }
  return absl::StrCat(step.location, " | ", step.text, " |", changes);
}

std::string ModelText(const InstructionStep& step) {
  const std::string changes = ChangesText(step);
  return absl::StrCat(Locate(*step.symbol, step.offset, AsmStyle::kRecorded), " | ",
                      Disassemble(*step.instruction, AsmStyle::kRecorded), " |",
                      changes.empty() ? "" : " ", changes);
}

// The result that the recorded C code left in regs->ax: what the way out pops.
uint64_t RecordedResult(const RecordedSteps& recording, const RecordedCall& call) {
  uint64_t result = FindRegister(call.pt_regs, "ax");
  for (const RecordedStep& step : recording.steps) {
    if (step.text == "pop    %rax") result = FindRegister(step.changes, "rax", result);
  }
  return result;
}

}  // namespace

RecordedRun::RecordedRun(const RecordedSteps& recording, absl::string_view first_location)
    : recording_(recording),
      cpu_(machine_.cpu(0)),
      first_step_(recording.FindStep(first_location)),
      next_step_(first_step_) {
  KPATH_CHECK(first_step_ < recording.steps.size(), first_location);
  for (const RecordedCall& call : recording.calls) {
    if (call.pt_regs_address != 0) call_ = &call;
  }
  KPATH_CHECK(call_ != nullptr, "a recording without pt_regs");
  MapPages();
  WritePerCpuVariables();
  if (first_step_ >= call_->steps_before) WritePtRegs();
  for (Page& page : pages_) page.expected.assign(page.bytes, page.bytes + kPageSize);
  machine_.AddListener(this);
}

// ---- The recorded machine ----

void RecordedRun::MapPages() {
  for (uint64_t address :
       {kPerCpuBase + (kPerCpuSp0.offset & kPageMask),
        kPerCpuBase + (kPerCpuRspScratch.offset & kPageMask), kTaskStackTop - kPageSize}) {
    const uint64_t pfn = machine_.memory.AllocatePages(0);
    machine_.memory.MapKernel(address, pfn);
    pages_.push_back({address, machine_.memory.PageBytes(pfn), {}});
  }
  KPATH_CHECK(cpu_.entry_stack_top() == kEntryStackTop, "CPU 0 has its entry stack elsewhere");
  const uint64_t entry_stack = kEntryStackTop & kPageMask;
  pages_.push_back({entry_stack, machine_.memory.KernelBytes(entry_stack), {}});
}

void RecordedRun::WritePerCpuVariables() {
  cpu_.Write64(kPerCpuBase + kPerCpuSp0.offset, kEntryStackTop);
  cpu_.Write64(kPerCpuBase + kPerCpuTopOfStack.offset, kTaskStackTop);
  cpu_.star = uint64_t{__USER32_CS} << 48 | uint64_t{__KERNEL_CS} << 32;
}

// What the recorded steps before `step` left. A call that was run through left its caller's
// registers as C code may leave them.
RegisterValues RecordedRun::RegistersBefore(size_t step) const {
  RegisterValues values = recording_.before;
  auto call = recording_.calls.begin();
  for (size_t i = 0; i < step; ++i) {
    for (const auto& [name, value] : recording_.steps[i].changes) SetValue(values, name, value);
    if (call == recording_.calls.end() || call->steps_before != i + 1) continue;
    // A step inside the called function, if one is recorded, shows the state after it.
    const bool returned = recording_.steps[i].location == call->function;
    if (!returned) SetValue(values, "rsp", FindRegister(values, "rsp") + 8);
    for (Reg reg : {Reg::rcx, Reg::rdx, Reg::rsi, Reg::rdi, Reg::r8, Reg::r9, Reg::r10, Reg::r11}) {
      SetValue(values, kGeneralRegisters[static_cast<int>(reg)], ClobberedValue(reg));
    }
    if (!returned) SetValue(values, "rax", ClobberedValue(Reg::rax));
    ++call;
  }
  return values;
}

void RecordedRun::SetRegisters(const RegisterValues& values) {
  for (size_t i = 0; i < std::size(kGeneralRegisters); ++i) {
    cpu_.regs.general[i] = FindRegister(values, kGeneralRegisters[i]);
  }
  cpu_.regs.rip = FindRegister(values, "rip");
  cpu_.regs.rflags = FindRegister(values, "eflags");
  cpu_.regs.cs = static_cast<uint16_t>(FindRegister(values, "cs"));
  cpu_.regs.ss = static_cast<uint16_t>(FindRegister(values, "ss"));
  cpu_.gs_base = FindRegister(values, "gs_base");
  cpu_.kernel_gs_base = cpu_.gs_base == kPerCpuBase ? 0 : kPerCpuBase;
}

// The registers on the stack, for a run that begins after they were saved.
void RecordedRun::WritePtRegs() {
  uint64_t address = call_->pt_regs_address;
  for (const char* field : kPtRegsFields) {
    cpu_.Write64(address, FindRegister(call_->pt_regs, field));
    address += 8;
  }
  PtRegsAt(cpu_, call_->pt_regs_address)->ax = RecordedResult(recording_, *call_);
}

// ---- Running ----

std::string RecordedRun::Compare(const CodeSymbol& symbol, absl::Span<const Instruction> lines) {
  return Run(symbol, lines.size(), [&](Cpu& cpu) { RunInterpreted(cpu, symbol, lines); });
}

std::string RecordedRun::CompareCompiled(const CodeSymbol& symbol, size_t line_count) {
  return Run(symbol, line_count, symbol.run);
}

std::string RecordedRun::Run(const CodeSymbol& symbol, size_t line_count,
                             absl::FunctionRef<void(Cpu&)> code) {
  symbol_ = &symbol;
  StubDoSyscall64 stub([this](unsigned long nr, pt_regs* regs) { OnCall(nr, regs); });
  bool done = false;
  Context context(machine_, [&] {
    SetRegisters(RegistersBefore(first_step_));
    code(cpu_);
    done = true;
    while (true) cpu_.Halt();
  });
  cpu_.Start(context);
  machine_.Run();
  if (!machine_.report().empty()) Differ(machine_.report());
  if (difference_.empty() && !done) Differ("the code never came to its end");
  if (difference_.empty()) CheckEnd(symbol, line_count);
  return difference_;
}

void RecordedRun::OnProbe(const ProbeEvent& event) {
  if (event.kind != ProbeEvent::Kind::kInstruction) return;
  if (difference_.empty()) CheckStep(*static_cast<const InstructionStep*>(event.instruction));
  if (!difference_.empty()) machine_.RequestStop();
}

void RecordedRun::CheckStep(const InstructionStep& step) {
  if (step.symbol == symbol_) ++lines_seen_;
  if (step.stored_bytes != 0) {
    ExpectStore(step.stored_address, step.stored_value, step.stored_bytes);
  }
  if (next_step_ == recording_.steps.size()) {
    return Differ(absl::StrCat("the recording has ended, the model has ", ModelText(step)));
  }
  const RecordedStep& recorded = recording_.steps[next_step_];
  if (RecordedText(recorded) != ModelText(step)) {
    return Differ(
        absl::StrCat("recorded ", RecordedText(recorded), ", the model has ", ModelText(step)));
  }
  ++next_step_;
}

void RecordedRun::OnCall(unsigned long nr, pt_regs* regs) {
  CheckWord("rdi", FindRegister(call_->arguments, "rdi"), nr);
  CheckWord("pt_regs", call_->pt_regs_address, cpu_.regs[Reg::rsi]);
  for (size_t i = 0; i < std::size(kPtRegsFields); ++i) {
    CheckWord(absl::StrCat("pt_regs::", kPtRegsFields[i]),
              FindRegister(call_->pt_regs, kPtRegsFields[i]), WordAt(regs, i));
  }
  regs->ax = RecordedResult(recording_, *call_);
  ExpectStore(call_->pt_regs_address + offsetof(pt_regs, ax), regs->ax, 8);
}

void RecordedRun::CheckWord(absl::string_view name, uint64_t recorded, uint64_t value) {
  if (value == recorded) return;
  Differ(absl::StrCat("recorded ", name, "=", absl::Hex(recorded), " in the call, the model has ",
                      absl::Hex(value)));
}

// ---- The end ----

void RecordedRun::CheckEnd(const CodeSymbol& symbol, size_t line_count) {
  if (next_step_ < recording_.steps.size()) {
    return Differ(
        absl::StrCat("the model has ended, recorded ", RecordedText(recording_.steps[next_step_])));
  }
  if (lines_seen_ != line_count) {
    return Differ(absl::StrCat(symbol.name, " has ", line_count, " lines, ", lines_seen_, " ran"));
  }
  RegisterValues expected = RegistersBefore(recording_.steps.size());
  SetValue(expected, "rip", FindRegister(call_->pt_regs, "ip"));
  for (const auto& [name, value] : Read(cpu_)) {
    if (value == FindRegister(expected, name)) continue;
    return Differ(absl::StrCat("recorded ", name, "=", absl::Hex(FindRegister(expected, name)),
                               " in the end, the model has ", absl::Hex(value)));
  }
  CheckMemory();
}

void RecordedRun::ExpectStore(uint64_t address, uint64_t value, int bytes) {
  for (Page& page : pages_) {
    if (address < page.address || address + bytes > page.address + kPageSize) continue;
    std::memcpy(&page.expected[address - page.address], &value, bytes);
    return;
  }
  Differ(absl::StrCat("a store to ", absl::Hex(address)));
}

void RecordedRun::CheckMemory() {
  for (const Page& page : pages_) {
    for (uint64_t i = 0; i < kPageSize; ++i) {
      if (page.bytes[i] == page.expected[i]) continue;
      return Differ(absl::StrCat("no step told of the store to ", absl::Hex(page.address + i)));
    }
  }
}

void RecordedRun::Differ(absl::string_view what) {
  if (!difference_.empty()) return;
  const size_t step = std::min(next_step_, recording_.steps.size() - 1);
  difference_ = absl::StrCat("line ", recording_.steps[step].line, ": ", what);
}

}  // namespace kpath
