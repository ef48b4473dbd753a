// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/sched.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Sched, TasksRunInTheOrderTheyWereWoken) {
  TestKernel kernel;
  std::string order;
  kernel.Spawn("a", [&] {
    order += "a";
    set_tsk_thread_flag(current, TIF_NEED_RESCHED);
    cond_resched();
    order += "A";
  });
  kernel.Spawn("b", [&] { order += "b"; });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(order, "abA");
}

TEST(Sched, ASleepingTaskIsWoken) {
  TestKernel kernel;
  std::string order;
  task_struct* sleeper = kernel.Spawn("sleeper", [&] {
    order += "1";
    set_current_state(TASK_UNINTERRUPTIBLE);
    schedule();
    order += "3";
  });
  kernel.Spawn("waker", [&] {
    order += "2";
    EXPECT_EQ(wake_up_process(sleeper), 1);
    EXPECT_EQ(wake_up_process(sleeper), 0);  // it is awake already
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(order, "123");
}

TEST(Sched, AWakeUpBeforeScheduleIsNotLost) {
  TestKernel kernel;
  task_struct* self = kernel.Spawn("a", [&] {
    set_current_state(TASK_INTERRUPTIBLE);
    EXPECT_EQ(wake_up_process(current), 1);
    schedule();
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(self->state, TASK_DEAD);
}

TEST(Sched, AnInterruptibleSleepEndsWithASignalAnUninterruptibleOneDoesNot) {
  TestKernel kernel;
  bool interruptible = false, uninterruptible = false;
  kernel.Spawn("a", [&] {
    set_tsk_thread_flag(current, TIF_SIGPENDING);
    set_current_state(TASK_INTERRUPTIBLE);
    schedule();
    interruptible = true;
    set_current_state(TASK_UNINTERRUPTIBLE);
    schedule();
    uninterruptible = true;
  });
  EXPECT_THAT(kernel.Run(), StartsWith("INFO: task a:1 blocked for ever. State: D"));
  EXPECT_TRUE(interruptible);
  EXPECT_FALSE(uninterruptible);
}

TEST(Sched, TheOtherCpuTakesTheSecondTask) {
  TestKernel kernel(2);
  int cpus[2] = {-1, -1};
  kernel.Spawn("a", [&] { cpus[0] = smp_processor_id(); });
  kernel.Spawn("b", [&] { cpus[1] = smp_processor_id(); });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(cpus[0] + cpus[1], 1);
}

TEST(Sched, SchedulingWhileAtomicIsReported) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    preempt_disable();
    schedule();
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: scheduling while atomic: culprit/1/0x00000001\n"));
}

TEST(Sched, WhoSleepsForEverIsNamedWithItsCallTrace) {
  TestKernel kernel;
  kernel.Spawn("stuck", [] {
    set_current_state(TASK_UNINTERRUPTIBLE);
    io_schedule();
  });
  EXPECT_THAT(kernel.Run(), HasSubstr("INFO: task stuck:1 blocked for ever. State: D\nCall Trace:\n"));
}

TEST(Sched, TaskWorkRunsLastAddedFirst) {
  TestKernel kernel;
  std::string order;
  kernel.Spawn("a", [&] {
    task_work_add(current, [&] { order += "1"; });
    task_work_add(current, [&] { order += "2"; });
    EXPECT_TRUE(test_thread_flag(TIF_NOTIFY_RESUME));
    task_work_run();
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(order, "21");
}

TEST(Sched, ManyTasksOnManyCpusAllEnd) {
  TestKernel kernel(4, std::make_unique<SeededChooser>(3, 2));
  int ended = 0;
  for (int i = 0; i < 50; ++i) {
    kernel.Spawn("t", [&] {
      for (int j = 0; j < 20; ++j) {
        set_tsk_thread_flag(current, TIF_NEED_RESCHED);
        cond_resched();
      }
      ++ended;
    });
  }
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(ended, 50);
}

}  // namespace
}  // namespace kpath
