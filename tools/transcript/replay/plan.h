// SPDX-License-Identifier: Apache-2.0
//
// What a transcript asks of a machine: the processes, what each does one step after the other, and
// in which order the steps of all of them began and ended.
//
//   absl::StatusOr<Plan> plan = MakePlan(transcript);
//   for (const PlanStep& step : plan->steps) ...
//
// strace records processes, not the calls that a filter left out. Two things that have no line of
// their own are inferred: which process a fork, vfork or clone made (its result), and an execve
// that was not recorded: a vfork returns to the parent only when the child has ended or called
// execve, so a child that goes on after that has called it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath {

// When something happened: the line of the transcript, and what came first on that line: a call
// that begins, an execve that was inferred, a call that ends.
using PlanTime = uint64_t;
inline PlanTime BeginOnLine(uint32_t line) { return uint64_t{4} * line; }
inline PlanTime ExecOnLine(uint32_t line) { return uint64_t{4} * line + 1; }
inline PlanTime EndOnLine(uint32_t line) { return uint64_t{4} * line + 3; }
inline uint32_t LineOf(PlanTime time) { return static_cast<uint32_t>(time / 4); }

struct PlanStep {
  enum class Kind : uint8_t {
    kCall,    // a system call
    kExec,    // an execve that was not recorded
    kSignal,  // a signal was delivered
    kEnd,     // killed by a signal
  };

  Kind kind = Kind::kCall;
  int pid = 0;
  PlanTime begin = 0;
  PlanTime end = UINT64_MAX;             // UINT64_MAX: it never returned
  const strace::Call* call = nullptr;    // kCall
  int child = 0;                         // kCall: the process that this call made, or 0
  int signal = 0;                        // kSignal, kEnd: its number
  const strace::Event* event = nullptr;  // kSignal
};

struct PlanProcess {
  int pid = 0;
  int parent = 0;             // 0: there from the start
  std::vector<size_t> steps;  // indices into Plan::steps
};

struct Plan {
  std::vector<PlanStep> steps;           // in the order in which they began
  std::map<int, PlanProcess> processes;  // by pid

  bool MadeByPlan(int pid) const { return processes.at(pid).parent != 0; }
};

// `transcript` must outlive the plan. An error is one line, "FILE:LINE:COLUMN: …".
absl::StatusOr<Plan> MakePlan(const strace::Transcript& transcript);

// A remark on a call that waits for ever: what it waits for may have been done by a process of
// which no call was recorded. Empty where all processes have calls.
std::string UnseenProcesses(const Plan& plan);

}  // namespace kpath
