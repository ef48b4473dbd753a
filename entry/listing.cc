// SPDX-License-Identifier: Apache-2.0
#include "entry/listing.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "entry/instruction_step.h"
#include "sim/machine/check.h"
#include "sim/machine/context.h"

namespace kpath {
namespace {

struct NamedRegister {
  const char* name;
  uint64_t (*read)(const Registers& regs);
};

template <Reg kReg>
uint64_t Read(const Registers& regs) {
  return VisibleValue(regs, kReg);
}

// The order of the recordings.
constexpr NamedRegister kRegisters[] = {
    {"rax", Read<Reg::rax>},
    {"rbx", Read<Reg::rbx>},
    {"rcx", Read<Reg::rcx>},
    {"rdx", Read<Reg::rdx>},
    {"rsi", Read<Reg::rsi>},
    {"rdi", Read<Reg::rdi>},
    {"rbp", Read<Reg::rbp>},
    {"rsp", Read<Reg::rsp>},
    {"r8", Read<Reg::r8>},
    {"r9", Read<Reg::r9>},
    {"r10", Read<Reg::r10>},
    {"r11", Read<Reg::r11>},
    {"r12", Read<Reg::r12>},
    {"r13", Read<Reg::r13>},
    {"r14", Read<Reg::r14>},
    {"r15", Read<Reg::r15>},
    {"eflags", [](const Registers& regs) { return regs.rflags; }},
    {"cs", [](const Registers& regs) { return uint64_t{regs.cs}; }},
    {"ss", [](const Registers& regs) { return uint64_t{regs.ss}; }},
};

// Fills in where the instruction is about to store.
void DescribeStore(const Cpu& cpu, InstructionStep& step) {
  const Instruction& instruction = *step.instruction;
  const Opcode opcode = instruction.opcode;
  const bool compares = opcode == Opcode::kCmp || opcode == Opcode::kTest;
  const Operand& destination = instruction.destination;
  const bool in_memory = destination.kind == Operand::Kind::kMemory;
  const bool per_cpu = destination.kind == Operand::Kind::kPerCpu;
  if (opcode == Opcode::kPush || opcode == Opcode::kCall || opcode == Opcode::kPushf) {
    step.stored_bytes = 8;
    step.stored_address = cpu.regs[Reg::rsp] - 8;
  } else if (!compares && (in_memory || per_cpu)) {
    step.stored_bytes = instruction.bits / 8;
    step.stored_address =
        per_cpu ? cpu.gs_base + destination.variable->offset : AddressInMemory(cpu, destination);
  }
}

uint64_t StoredValue(const Cpu& cpu, const InstructionStep& step) {
  if (step.stored_bytes == 0) return 0;
  return step.stored_bytes == 4 ? cpu.Read32(step.stored_address) : cpu.Read64(step.stored_address);
}

// A line whose probe somebody is told of.
Flow ExecuteWatched(Cpu& cpu, const CodeSymbol& symbol, uint32_t offset,
                    const Instruction& instruction, uint64_t next_rip) {
  InstructionStep step = {.instruction = &instruction, .symbol = &symbol, .offset = offset};
  DescribeStore(cpu, step);
  const WatchedRegisters before = {cpu.regs, cpu.gs_base};
  const Flow flow = Execute(cpu, instruction, next_rip);
  const WatchedRegisters after = {cpu.regs, cpu.gs_base};
  step.before = &before;
  step.after = &after;
  step.stored_value = StoredValue(cpu, step);
  cpu.machine().Arrive(ProbeEvent::Kind::kInstruction, nullptr, nullptr, &step, {});
  return flow;
}

// A line at which something else is due.
Flow ExecuteAndArrive(Cpu& cpu, const Instruction& instruction, uint64_t next_rip) {
  const Flow flow = Execute(cpu, instruction, next_rip);
  cpu.machine().Arrive(ProbeEvent::Kind::kInstruction, nullptr, nullptr, nullptr, {});
  return flow;
}

}  // namespace

std::vector<RegisterChange> ChangesOf(const InstructionStep& step) {
  std::vector<RegisterChange> changes;
  for (const NamedRegister& reg : kRegisters) {
    const uint64_t now = reg.read(step.after->regs);
    if (now != reg.read(step.before->regs)) changes.push_back({reg.name, now});
  }
  if (step.after->gs_base != step.before->gs_base) {
    changes.push_back({"gs_base", step.after->gs_base});
  }
  return changes;
}

thread_local constinit const ReplacedListing* ReplacedListing::current_ = nullptr;

ReplacedListing::ReplacedListing(const CodeSymbol& symbol, absl::Span<const Instruction> lines,
                                 const CodeSymbol* next)
    : symbol_(symbol), lines_(lines), next_(next) {
  KPATH_CHECK(current_ == nullptr, "one ReplacedListing at a time");
  current_ = this;
}

ReplacedListing::~ReplacedListing() { current_ = nullptr; }

void ReplacedListing::GoTo(const CodeSymbol& symbol, Cpu& cpu) {
  const ReplacedListing& replaced = *current_;
  if (&replaced.symbol_ != &symbol) return symbol.run(cpu);
  RunInterpreted(cpu, symbol, replaced.lines_, replaced.next_);
}

void ReportReturn(Cpu& cpu, const CodeSymbol& called, uint64_t next_rip) {
  cpu.machine().Panic(absl::StrCat("BUG: ", called.name, " returned to 0x", absl::Hex(cpu.regs.rip),
                                   ", called from 0x", absl::Hex(next_rip)));
}

void LeaveBlock(Cpu& cpu, const CodeSymbol& target, int not_passed) {
  Machine::UnpassInstructions(not_passed);
  GoTo(target, cpu);
}

bool RunLines(Cpu*& cpu, const CodeSymbol& symbol, absl::Span<const Instruction> lines,
              const uint32_t* offsets) {
  for (const Instruction& line : lines) {
    const uint64_t next_rip = symbol.address + offsets[1];
    Flow flow;
    if (!Machine::PassProbe()) {
      flow = Execute(*cpu, line, next_rip);
    } else {
      flow = cpu->machine().listening() ? ExecuteWatched(*cpu, symbol, *offsets, line, next_rip)
                                        : ExecuteAndArrive(*cpu, line, next_rip);
      cpu = current_context->cpu;
    }
    if (!Follow(cpu, flow, line, next_rip)) return false;
    ++offsets;
  }
  return true;
}

void RunInterpreted(Cpu& cpu, const CodeSymbol& symbol, absl::Span<const Instruction> lines,
                    const CodeSymbol* next) {
  std::vector<uint32_t> offsets = {0};
  for (const Instruction& line : lines) {
    const uint32_t offset = offsets.back();
    offsets.push_back(offset + EncodedLength(line, symbol.address + offset));
  }
  Cpu* at = &cpu;
  if (!RunLines(at, symbol, lines, offsets.data())) return;
  if (next != nullptr) return GoTo(*next, *at);
  at->machine().Panic(absl::StrCat("BUG: ", symbol.name, " runs on behind its last instruction"));
}

}  // namespace kpath
