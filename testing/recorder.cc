// SPDX-License-Identifier: Apache-2.0
#include "testing/recorder.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "entry/instruction_step.h"
#include "entry/interrupts_64.h"
#include "sim/trace/call_tree.h"

namespace kpath::testing {
namespace {

bool Is(const char* name, const char* other) { return std::strcmp(name, other) == 0; }

// True for the symbols that an interrupt enters the kernel at.
bool IsInterruptStub(const char* symbol) {
  if (Is(symbol, "irq_entries_start")) return true;
#define KPATH_IS_STUB(stub, vector, function) \
  if (Is(symbol, #stub)) return true;
  KPATH_APIC_INTERRUPTS(KPATH_IS_STUB)
#undef KPATH_IS_STUB
  return false;
}

// One stream of calls as text.
std::string StreamText(const CallTree& calls) {
  std::string text;
  std::vector<CallId> open;
  const auto close = [&] {
    const CallId id = open.back();
    open.pop_back();
    if (calls.node(id).returned) {
      absl::StrAppend(&text, " |  ", std::string(2 * open.size(), ' '), "}\n");
    }
  };
  for (CallId id = calls.first_root(); id != kNoCall; id = calls.Next(id, kNoCall)) {
    const CallNode& node = calls.node(id);
    while (!open.empty() && open.back() != node.parent) close();
    const bool leaf = node.first_child == kNoCall && node.returned;
    absl::StrAppend(&text, " |  ", std::string(2 * open.size(), ' '), calls.name(id),
                    leaf ? "();\n" : "() {\n");
    if (!leaf) open.push_back(id);
  }
  while (!open.empty()) close();
  return text;
}

}  // namespace

bool IsSyscallEntry(const char* symbol) {
  return Is(symbol, "entry_SYSCALL_64") || Is(symbol, "entry_INT80_compat") ||
         Is(symbol, "entry_SYSENTER_compat") || Is(symbol, "entry_SYSCALL_compat");
}

uint64_t SyscallNumber(const Cpu& cpu) { return cpu.regs[Reg::rax]; }

Recorder::Recorder(const Context* only)
    : only_(only), only_pid_(only == nullptr ? 0 : only->id()), graph_listener_(&graph_) {
  graph_listener_.hidden = [this](const Context& context) {
    return only_ != nullptr && &context != only_;
  };
}

void Recorder::OnProbe(const ProbeEvent& event) {
  if (only_ != nullptr && current_context != only_) return;
  graph_listener_.OnProbe(event);
  Task& task = tasks_[current_context];
  switch (event.kind) {
    case ProbeEvent::Kind::kInstruction:
      return OnInstruction(event, &task);
    case ProbeEvent::Kind::kFunctionEnter:
      return OnEnter(event, &task);
    case ProbeEvent::Kind::kFunctionExit:
      if (task.depth > 0) --task.depth;
      return;
    case ProbeEvent::Kind::kStep:
      return OnStep(event, &task);
    default:
      return;
  }
}

void Recorder::OnInstruction(const ProbeEvent& event, Task* task) {
  const auto& step = *static_cast<const InstructionStep*>(event.instruction);
  const char* const symbol = step.symbol->name;
  if (step.offset == 0 && IsInterruptStub(symbol)) ++task->interrupts;
  if (step.offset == 0 && IsSyscallEntry(symbol)) BeginSyscall(event, symbol, task);
  if (symbol != task->symbol || step.offset == 0) Add(symbol, event, *task);
  task->symbol = symbol;
  if (step.instruction->opcode == Opcode::kIret && task->interrupts > 0) --task->interrupts;
}

void Recorder::BeginSyscall(const ProbeEvent& event, const char* entry, Task* task) {
  const Registers& regs = event.cpu->regs;
  SyscallRecord syscall;
  syscall.entry = entry;
  syscall.number = SyscallNumber(*event.cpu);
  if (Is(entry, "entry_SYSCALL_64")) {
    syscall.arguments = {regs[Reg::rdi], regs[Reg::rsi], regs[Reg::rdx],
                         regs[Reg::r10], regs[Reg::r8],  regs[Reg::r9]};
  } else {
    int i = 0;
    for (const Reg reg : {Reg::rbx, Reg::rcx, Reg::rdx, Reg::rsi, Reg::rdi, Reg::rbp}) {
      syscall.arguments[i++] = static_cast<uint32_t>(regs[reg]);
    }
  }
  task->syscall = trace_.syscalls.size();
  task->dispatched = false;
  trace_.syscalls.push_back(std::move(syscall));
}

SyscallRecord* Recorder::Current(const Task& task) {
  return task.syscall == kNone ? nullptr : &trace_.syscalls[task.syscall];
}

void Recorder::OnEnter(const ProbeEvent& event, Task* task) {
  const char* const name = event.function->name;
  SyscallRecord* const syscall = Current(*task);
  if (syscall != nullptr && task->dispatched && task->interrupts == 0) {
    syscall->function = name;
    task->dispatched = false;
  }
  if (syscall != nullptr && Is(name, "syscall_return_slowpath")) {
    syscall->result = static_cast<int64_t>(event.values[0].bits);
    syscall->returned = true;
    task->syscall = kNone;
  }
  // Of the idle loop nothing but what interrupts it.
  if (current_context->id() != 0 || task->interrupts > 0) Add(name, event, *task);
  ++task->depth;
}

// v4.19 arch/x86/entry/common.c: do_syscall_64 calls through the table.
void Recorder::OnStep(const ProbeEvent& event, Task* task) {
  SyscallRecord* const syscall = Current(*task);
  if (syscall == nullptr || !Is(event.step->label, "sys_call_table")) return;
  syscall->name = event.values[1].ToString();
  task->dispatched = true;
}

void Recorder::Add(const char* name, const ProbeEvent& event, const Task& task) {
  if (only_ != nullptr && task.interrupts > 0) return;
  trace_.path.push_back({.name = name,
                         .depth = task.depth,
                         .position = event.position,
                         .pid = current_context->id(),
                         .in_assembly = event.kind == ProbeEvent::Kind::kInstruction,
                         .in_interrupt = task.interrupts > 0});
}

Trace Recorder::Take() {
  const Graph graph = graph_.Take();
  for (const Stream& stream : graph.streams) {
    const bool task = stream.kind == Stream::Kind::kTask;
    if (only_ != nullptr && (!task || stream.pid != only_pid_)) continue;
    if (only_ == nullptr) {
      absl::StrAppend(&trace_.call_graph, "# ",
                      task ? absl::StrCat(stream.comm, "-", stream.pid)
                           : absl::StrCat("interrupts of CPU ", stream.cpu),
                      "\n");
    }
    trace_.call_graph += StreamText(stream.calls);
  }
  return std::exchange(trace_, {});
}

}  // namespace kpath::testing
