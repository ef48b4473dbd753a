// SPDX-License-Identifier: Apache-2.0
#include "entry/recorded_run.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "entry/c_symbols.h"
#include "entry/step_text.h"
#include "entry/stub_c_code.h"
#include "entry/sync_regs.h"
#include "sim/machine/check.h"

namespace kpath {
namespace {

// The recorded machine's CPU.
constexpr uint64_t kTaskStackTop = 0xffff888000108000;
constexpr uint64_t kEntryStackTop = 0xfffffe0000002200;

RegisterValues Read(const Cpu& cpu) {
  RegisterValues values;
  for (size_t i = 0; i < std::size(kGeneralRegisters); ++i) {
    values.emplace_back(kGeneralRegisters[i], VisibleValue(cpu.regs, static_cast<Reg>(i)));
  }
  values.emplace_back("rip", cpu.regs.rip);
  values.emplace_back("eflags", cpu.regs.rflags);
  values.emplace_back("cs", cpu.regs.cs);
  values.emplace_back("ss", cpu.regs.ss);
  values.emplace_back("gs_base", cpu.gs_base);
  return values;
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

// Where the recorded kernel has the variables of its CPU: what the first SWAPGS loads.
uint64_t PerCpuBase(const RecordedSteps& recording) {
  for (const RecordedStep& step : recording.steps) {
    const uint64_t base = FindRegister(step.changes, "gs_base");
    if (base != 0) return base;
  }
  KPATH_CHECK(false, "a recording without SWAPGS");
  return 0;
}

}  // namespace

RecordedRun::RecordedRun(const RecordedSteps& recording, const CodeSymbol& start)
    : recording_(recording), states_(recording), start_(start), cpu_(machine_.cpu(0)) {
  MapPages();
  WritePerCpuVariables();
  WriteHardwareFrame();
  for (Page& page : pages_) page.expected.assign(page.bytes, page.bytes + kPageSize);
  machine_.AddListener(this);
}

// ---- The recorded machine ----

void RecordedRun::MapPages() {
  const uint64_t per_cpu = PerCpuBase(recording_);
  for (uint64_t address :
       {per_cpu + (kPerCpuIrqStackTop.offset & kPageMask),
        per_cpu + (kPerCpuSp0.offset & kPageMask), per_cpu + (kPerCpuRspScratch.offset & kPageMask),
        kTaskStackTop - kPageSize}) {
    const uint64_t pfn = machine_.memory.AllocatePages(0);
    machine_.memory.MapKernel(address, pfn);
    pages_.push_back({address, machine_.memory.PageBytes(pfn), {}});
  }
  KPATH_CHECK(cpu_.entry_stack_top() == kEntryStackTop, "CPU 0 has its entry stack elsewhere");
  const uint64_t entry_stack = kEntryStackTop & kPageMask;
  pages_.push_back({entry_stack, machine_.memory.KernelBytes(entry_stack), {}});
}

void RecordedRun::WritePerCpuVariables() {
  const uint64_t per_cpu = PerCpuBase(recording_);
  cpu_.Write64(per_cpu + kPerCpuSp0.offset, kEntryStackTop);
  cpu_.Write64(per_cpu + kPerCpuTopOfStack.offset, kTaskStackTop);
  cpu_.Write32(per_cpu + kPerCpuIrqCount.offset, static_cast<uint32_t>(-1));
  cpu_.Write64(per_cpu + kPerCpuIrqStackPtr.offset, per_cpu + kPerCpuIrqStackTop.offset + 8);
  cpu_.star = uint64_t{__USER32_CS} << 48 | uint64_t{__KERNEL_CS} << 32;
}

// What the CPU had pushed on the entry stack before the first step, and the number that an
// interrupt's stub had pushed behind it.
void RecordedRun::WriteHardwareFrame() {
  const uint64_t rsp = FindRegister(recording_.before, "rsp");
  const RegisterValues& regs = states_.pt_regs_call().pt_regs;
  uint64_t address = kEntryStackTop;
  if (rsp >= kEntryStackTop || rsp < kEntryStackTop - 6 * 8) return;
  for (const char* field : {"ss", "sp", "flags", "cs", "ip"}) {
    cpu_.Write64(address -= 8, FindRegister(regs, field));
  }
  if (rsp < address) cpu_.Write64(rsp, FindRegister(regs, "orig_ax") + 0x80);
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
  cpu_.kernel_gs_base = PerCpuBase(recording_);
}

// What C code may change.
void RecordedRun::LeaveRegisters(const RegisterValues& values) {
  for (Reg reg :
       {Reg::rax, Reg::rcx, Reg::rdx, Reg::rsi, Reg::rdi, Reg::r8, Reg::r9, Reg::r10, Reg::r11}) {
    cpu_.regs[reg] = FindRegister(values, kGeneralRegisters[static_cast<int>(reg)]);
  }
  cpu_.regs.rflags = FindRegister(values, "eflags");
  cpu_.regs.ss = static_cast<uint16_t>(FindRegister(values, "ss"));
}

// ---- Running ----

std::string RecordedRun::Compare(const ListingView& listing) {
  ReplacedListing replaced(*listing.symbol, listing.lines, listing.next);
  return Run(listing);
}

std::string RecordedRun::CompareCompiled(const ListingView& listing) { return Run(listing); }

std::string RecordedRun::Run(const ListingView& listing) {
  symbol_ = listing.symbol;
  StubCCode stub([this](const CodeSymbol& function, Cpu& cpu) { OnCall(function, cpu); });
  bool done = false;
  Context context(machine_, [&] {
    SetRegisters(recording_.before);
    GoTo(start_, cpu_);
    done = true;
    while (true) cpu_.Halt();
  });
  cpu_.Start(context);
  machine_.Run();
  if (!machine_.report().empty()) Differ(machine_.report());
  if (difference_.empty() && !done) Differ("the code never came to its end");
  if (difference_.empty()) CheckEnd(listing);
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

// ---- C code ----

const RecordedCall* RecordedRun::FindCall(const CodeSymbol& function) const {
  for (const RecordedCall& call : recording_.calls) {
    const bool shown = next_step_ < recording_.steps.size() &&
                       recording_.steps[next_step_].location == call.function;
    if (call.function == function.name && call.steps_before == next_step_ + (shown ? 1 : 0)) {
      return &call;
    }
  }
  return nullptr;
}

void RecordedRun::OnCall(const CodeSymbol& function, Cpu& cpu) {
  const RecordedCall* call = FindCall(function);
  if (call == nullptr) {
    Differ(absl::StrCat("the model calls ", function.name));
  } else {
    for (size_t i = 0; i < std::size(kGeneralRegisters); ++i) {
      const uint64_t value = cpu.regs.general[i];
      CheckWord(kGeneralRegisters[i], FindRegister(call->arguments, kGeneralRegisters[i], value),
                value);
    }
    if (call->pt_regs_address != 0) CheckPtRegs(*call);
    if (difference_.empty() && call == &states_.pt_regs_call()) LeavePtRegs(*call);
    if (difference_.empty() && &function == &assembly::sync_regs) SyncRegs();
    next_step_ = call->steps_before;
    const RegisterValues& after = states_.Before(next_step_);
    LeaveRegisters(after);
    CheckWord("rsp", FindRegister(after, "rsp"), cpu.regs[Reg::rsp] + 8);
  }
  if (!difference_.empty()) {
    machine_.RequestStop();
    return;
  }
  cpu.regs.rip = cpu.Pop();
}

void RecordedRun::CheckPtRegs(const RecordedCall& call) {
  for (size_t i = 0; difference_.empty() && i < std::size(kPtRegsFields); ++i) {
    CheckWord(absl::StrCat("pt_regs::", kPtRegsFields[i]),
              FindRegister(call.pt_regs, kPtRegsFields[i]),
              cpu_.Read64(call.pt_regs_address + 8 * i));
  }
}

void RecordedRun::LeavePtRegs(const RecordedCall& call) {
  for (size_t i = 0; i < std::size(kPtRegsFields); ++i) {
    const uint64_t address = call.pt_regs_address + 8 * i;
    cpu_.Write64(address, FindRegister(states_.pt_regs_left(), kPtRegsFields[i]));
    ExpectStore(address, cpu_.Read64(address), 8);
  }
}

// The real one; what it returns is recorded, what it stores is the copy.
void RecordedRun::SyncRegs() {
  const uint64_t from = cpu_.regs[Reg::rdi];
  const uint64_t to = sync_regs(from);
  CheckWord("rax", FindRegister(states_.Before(next_step_ + 1), "rax"), to);
  for (size_t i = 0; i < sizeof(pt_regs); i += 8) ExpectStore(to + i, cpu_.Read64(from + i), 8);
}

void RecordedRun::CheckWord(absl::string_view name, uint64_t recorded, uint64_t value) {
  if (value == recorded) return;
  Differ(absl::StrCat("recorded ", name, "=", absl::Hex(recorded), " in the call, the model has ",
                      absl::Hex(value)));
}

// ---- The end ----

void RecordedRun::CheckEnd(const ListingView& listing) {
  if (next_step_ < recording_.steps.size()) {
    return Differ(
        absl::StrCat("the model has ended, recorded ", RecordedText(recording_.steps[next_step_])));
  }
  if (lines_seen_ != listing.lines.size()) {
    return Differ(absl::StrCat(listing.symbol->name, " has ", listing.lines.size(), " lines, ",
                               lines_seen_, " ran"));
  }
  RegisterValues expected = states_.Before(recording_.steps.size());
  SetValue(expected, "rip", FindRegister(states_.pt_regs_left(), "ip"));
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
