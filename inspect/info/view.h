// SPDX-License-Identifier: Apache-2.0
//
// What the topics of this folder look at: a machine that stands still, and the task in it that the
// user has selected.
//
//   const View view = {.machine = machine, .context = stop.context, .stacks = &stacks};
//   std::cout << Backtrace(view) << InfoTasks(view);
//
// Each topic is a function from a View to text that ends in a newline. Looking passes no probe,
// asks no question, allocates nothing in the machine, and follows no pointer to an object that has
// been freed. Texts depend on the run alone, never on the host.
//
// Context: called from outside of the machine, while it is stopped.
#pragma once

#include <vector>

#include "inspect/call_stacks.h"
#include "sim/kernel/sched.h"
#include "sim/machine/machine.h"

namespace kpath {

struct View {
  Machine& machine;
  // The selected task, or an idle loop; null: what CPU 0 executes. It is alive.
  const Context* context = nullptr;
  // What its calls are known from; null, or attached too late: only the functions' names are known.
  const CallStacks* stacks = nullptr;
  // The selected frame, counted from the innermost one.
  int frame = 0;
  // Columns of the screen. 0: as many as there are.
  int width = 80;
};

// The selected context: never null.
const Context& ContextOf(const View& view);
// The same as a task: on a machine with a kernel in it every context is one.
inline const task_struct& TaskOf(const View& view) {
  return static_cast<const task_struct&>(ContextOf(view));
}

// True if a CPU executes it: its registers are that CPU's. Else they are in saved_regs.
bool IsRunning(const Context& context);
const Registers& RegistersOf(const Context& context);

// The frames of a context, innermost first. Empty without `stacks`.
std::vector<const Frame*> FramesOf(const View& view, const Context& context);

// Tasks by pid, idle tasks of the CPUs first.
std::vector<const task_struct*> TasksAndIdleTasks(const View& view);

}  // namespace kpath
