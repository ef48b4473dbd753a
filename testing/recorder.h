// SPDX-License-Identifier: Apache-2.0
//
// Listens to a machine and makes a Trace of what it passes. Inside testing/.
//
//   Recorder recorder(current_context);
//   machine.AddListener(&recorder);
//   ...
//   machine.RemoveListener(&recorder);
//   Trace trace = recorder.Take();
#pragma once

#include <map>

#include "sim/machine/machine.h"
#include "sim/trace/call_tree_builder.h"
#include "sim/trace/graph_listener.h"
#include "testing/trace.h"

namespace kpath::testing {

class Recorder : public ProbeListener {
 public:
  // Of `only`; null: of all tasks, and of the interrupts of idle CPUs.
  explicit Recorder(const Context* only);

  void OnProbe(const ProbeEvent& event) override;

  // What was seen so far.
  Trace Take();

 private:
  struct Task {
    int depth = 0;                 // functions that are open
    int interrupts = 0;            // that came and have not been returned from
    const char* symbol = nullptr;  // the one that instructions were at last
    size_t syscall = kNone;        // the system call it is in, of trace_.syscalls
    bool dispatched = false;       // the next function is the one that the table led to
  };
  static constexpr size_t kNone = ~size_t{0};

  void OnInstruction(const ProbeEvent& event, Task* task);
  void OnEnter(const ProbeEvent& event, Task* task);
  void OnStep(const ProbeEvent& event, Task* task);
  void BeginSyscall(const ProbeEvent& event, const char* entry, Task* task);
  void Add(const char* name, const ProbeEvent& event, const Task& task);
  SyscallRecord* Current(const Task& task);

  const Context* const only_;
  const int only_pid_;
  Trace trace_;
  std::map<const Context*, Task> tasks_;  // looked up only, never walked
  GraphBuilder graph_;
  GraphListener graph_listener_;
};

// True for the symbols that a system call enters the kernel at.
bool IsSyscallEntry(const char* symbol);
// The number that a system call is made with, when the CPU is at the first instruction of `entry`.
uint64_t SyscallNumber(const Cpu& cpu);

}  // namespace kpath::testing
