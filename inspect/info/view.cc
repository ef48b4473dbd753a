// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/view.h"

namespace kpath {

const Context& ContextOf(const View& view) {
  if (view.context != nullptr) return *view.context;
  const Context* running = view.machine.cpu(0).running();
  return running != nullptr ? *running : view.machine.boot_context();
}

bool IsRunning(const Context& context) {
  return context.cpu != nullptr && context.cpu->running() == &context;
}

const Registers& RegistersOf(const Context& context) {
  return IsRunning(context) ? context.cpu->regs : context.saved_regs;
}

std::vector<const Frame*> FramesOf(const View& view, const Context& context) {
  if (view.stacks == nullptr) return {};
  return view.stacks->Of(&context);
}

std::vector<const task_struct*> TasksAndIdleTasks(const View& view) {
  std::vector<const task_struct*> tasks;
  for (int id = 0; id < view.machine.cpus(); ++id) {
    const Context* running = view.machine.cpu(id).running();
    if (running != nullptr && running->id() == 0) {
      tasks.push_back(static_cast<const task_struct*>(running));
    }
  }
  for (const task_struct* task : AllTasks(view.machine)) tasks.push_back(task);
  return tasks;
}

}  // namespace kpath
