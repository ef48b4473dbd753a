// SPDX-License-Identifier: Apache-2.0
//
// A machine with the services of sim/kernel and nothing else, for unit tests.
//
//   TestKernel kernel;
//   kernel.Spawn("a", [] { mutex_lock(&lock); ... });
//   EXPECT_EQ(kernel.Run(), "");   // the kernel's report on itself, empty: none
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/kernel/init.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/smp.h"
#include "sim/kernel/tick.h"
#include "sim/machine/machine.h"

namespace kpath {

class TestKernel {
 public:
  explicit TestKernel(int cpus = 1, std::unique_ptr<Chooser> chooser = nullptr)
      : machine(cpus, std::move(chooser)) {
    InitKernel(machine);
    for (int id = 0; id < cpus; ++id) {
      // The reschedule interrupt has nothing to do but to end HLT. v4.19 arch/x86/kernel/smp.c
      machine.cpu(id).idt[0xfd] = {.handler = [](Cpu& cpu) { cpu.IretQ(); },
                                   .name = "reschedule_interrupt"};
      InstallTimerInterrupt(machine.cpu(id));
      InstallCallFunctionInterrupts(machine.cpu(id));
    }
  }

  // A kernel thread that runs `body` and then ends. May be called from outside and by a task.
  task_struct* Spawn(const std::string& comm, std::function<void()> body) {
    std::optional<EnterMachine> enter;
    if (current_context == nullptr || current_context->machine != &machine) enter.emplace(machine);
    task_struct* task = NewTask(machine, comm, [body = std::move(body)] {
      body();
      do_task_dead();
    });
    wake_up_new_task(task);
    return task;
  }

  // The caches of what the kernel keeps as long as the machine is there, for DescribeLeaks.
  static std::vector<std::string> KeptByKernel() {
    return {"worker", "workqueue_struct", "pool_workqueue"};
  }

  // Runs to the end. Returns the kernel's report, or what hangs; empty if all is well.
  std::string Run() {
    if (machine.Run() == Machine::Outcome::kReport) return machine.report();
    EnterMachine enter(machine);
    return DescribeHungTasks(machine);
  }

  Machine machine;
};

}  // namespace kpath
