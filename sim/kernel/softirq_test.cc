// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/softirq.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

using ::testing::StartsWith;

constexpr uint8_t kVector = 0x31;

struct things {
  std::string order;
  int rounds = 0;
};
KernelGlobal<things> t;

void Open(Machine& machine, SoftirqNumber nr, void (*action)()) {
  EnterMachine enter(machine);
  open_softirq(nr, action);
}

// A device interrupt that raises two softirqs.
void InstallDevice(Machine& machine) {
  for (int id = 0; id < machine.cpus(); ++id) {
    machine.cpu(id).idt[kVector] = {.handler = [](Cpu& cpu) {
      irq_enter();
      EXPECT_TRUE(in_irq());
      EXPECT_TRUE(irqs_disabled());
      raise_softirq_irqoff(TASKLET_SOFTIRQ);
      raise_softirq_irqoff(TIMER_SOFTIRQ);
      t->order += "hard ";
      irq_exit();
      cpu.IretQ();
    }};
  }
  Open(machine, TASKLET_SOFTIRQ, [] {
    EXPECT_FALSE(in_irq());
    EXPECT_TRUE(in_interrupt());
    EXPECT_TRUE(in_serving_softirq());
    EXPECT_FALSE(irqs_disabled());
    t->order += "tasklet ";
  });
  Open(machine, TIMER_SOFTIRQ, [] { t->order += "timer "; });
}

TEST(Softirq, RunsAtTheEndOfTheInterruptLowestNumberFirst) {
  TestKernel kernel;
  InstallDevice(kernel.machine);
  kernel.Spawn("task", [] {
    current->cpu->RaiseInterrupt(kVector);
    STEP("here it comes");
    t->order += "task";
    EXPECT_EQ(current->preempt_count, 0);
    EXPECT_FALSE(irqs_disabled());
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(t.Get(kernel.machine).order, "hard timer tasklet task");
}

TEST(Softirq, WaitsWhileSoftirqsAreOff) {
  TestKernel kernel;
  InstallDevice(kernel.machine);
  kernel.Spawn("task", [] {
    local_bh_disable();
    current->cpu->RaiseInterrupt(kVector);
    STEP("here it comes");
    t->order += "task ";
    EXPECT_EQ(local_softirq_pending(), 1u << TASKLET_SOFTIRQ | 1u << TIMER_SOFTIRQ);
    local_bh_enable();
    EXPECT_EQ(local_softirq_pending(), 0u);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(t.Get(kernel.machine).order, "hard task timer tasklet ");
}

TEST(Softirq, AnInterruptDuringASoftirqDoesNotNestSoftirqs) {
  TestKernel kernel;
  InstallDevice(kernel.machine);
  Open(kernel.machine, HI_SOFTIRQ, [] {
    t->order += "<";
    current->cpu->RaiseInterrupt(kVector);
    STEP("here it comes");
    t->order += "> ";
  });
  kernel.Spawn("task", [] {
    local_bh_disable();
    raise_softirq(HI_SOFTIRQ);
    local_bh_enable();
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(t.Get(kernel.machine).order, "<hard > timer tasklet ");
}

TEST(Softirq, RaisedByATaskItRunsInKsoftirqd) {
  TestKernel kernel;
  Open(kernel.machine, TASKLET_SOFTIRQ, [] { t->order += current->comm + " "; });
  kernel.Spawn("task", [] {
    raise_softirq(TASKLET_SOFTIRQ);
    raise_softirq(TASKLET_SOFTIRQ);
    t->order += "task ";
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(t.Get(kernel.machine).order, "task ksoftirqd/0 ");
}

TEST(Softirq, RunsOnTheCpuThatRaisedIt) {
  TestKernel kernel(3);
  Open(kernel.machine, TASKLET_SOFTIRQ, [] { t->order += std::to_string(smp_processor_id()); });
  for (int i = 0; i < 3; ++i) {
    kernel.Spawn("task", [] {
      const std::string mine = std::to_string(smp_processor_id());
      for (int j = 0; j < 100; ++j) STEP("all three are busy", j);
      raise_softirq(TASKLET_SOFTIRQ);
      while (t->order.find(mine) == std::string::npos) {
        set_tsk_thread_flag(current, TIF_NEED_RESCHED);
        cond_resched();
      }
    });
  }
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(t.Get(kernel.machine).order.size(), 3);
}

// A softirq that raises itself again must not keep everybody else out: after some rounds its thread
// takes over, and shares the CPU.
TEST(Softirq, AnEndlessOneIsHandedToKsoftirqd) {
  TestKernel kernel;
  Open(kernel.machine, TASKLET_SOFTIRQ, [] {
    if (++t->rounds < 100) raise_softirq_irqoff(TASKLET_SOFTIRQ);
  });
  int rounds_in_task = 0;
  kernel.Spawn("task", [&] {
    local_bh_disable();
    raise_softirq(TASKLET_SOFTIRQ);
    local_bh_enable();
    rounds_in_task = t->rounds;
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(rounds_in_task, 10);
  EXPECT_EQ(t.Get(kernel.machine).rounds, 100);
}

// ---- Reports ----

TEST(SoftirqReport, AHandlerThatLeaksPreemptCount) {
  TestKernel kernel;
  Open(kernel.machine, TASKLET_SOFTIRQ, [] { preempt_disable(); });
  kernel.Spawn("task", [] { raise_softirq(TASKLET_SOFTIRQ); });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: softirq 6 was entered with preempt_count 0x100 and "
                                       "left with 0x101\n"));
}

TEST(SoftirqReport, AHandlerThatSleeps) {
  TestKernel kernel;
  Open(kernel.machine, TASKLET_SOFTIRQ, [] { might_sleep(); });
  kernel.Spawn("task", [] { raise_softirq(TASKLET_SOFTIRQ); });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: sleeping function called from invalid context\n"));
}

TEST(SoftirqReport, AllowedAgainWithInterruptsOff) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    local_bh_disable();
    local_irq_disable();
    local_bh_enable();
  });
  EXPECT_THAT(kernel.Run(), StartsWith("WARNING: softirqs are allowed again where interrupts are"));
}

}  // namespace
}  // namespace kpath
