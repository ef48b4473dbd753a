// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/sched.h"

#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/test_kernel.h"
#include "sim/kernel/time64.h"

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
  EXPECT_THAT(kernel.Run(),
              HasSubstr("INFO: task stuck:1 blocked for ever. State: D\nCall Trace:\n"));
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

// Pairs of tasks that put each other to sleep and wake each other: no wake-up is lost, and no task
// is executed by two CPUs, whichever CPU steps when.
TEST(Sched, SleepersAreWokenWhileTheirCpuLeavesThem) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    TestKernel kernel(2 + static_cast<int>(seed % 2), std::make_unique<SeededChooser>(seed, 2));
    std::mt19937_64 random(seed);
    constexpr int kPairs = 2, kRounds = 30;
    struct pair {
      task_struct* tasks[2];
      int turn = 0;
      int inside[2] = {0, 0};
    };
    pair pairs[kPairs];
    for (pair& p : pairs) {
      for (int me = 0; me < 2; ++me) {
        p.tasks[me] = kernel.Spawn("t", [&p, &random, me] {
          for (int round = 0; round < kRounds; ++round) {
            while (true) {
              set_current_state(TASK_UNINTERRUPTIBLE);
              if (p.turn == me) break;
              for (uint64_t i = random() % 50; i > 0; --i) STEP("about to sleep", i);
              schedule();
            }
            __set_current_state(TASK_RUNNING);
            EXPECT_EQ(++p.inside[me], 1);
            for (uint64_t i = random() % 50; i > 0; --i) STEP("alone", i);
            EXPECT_EQ(--p.inside[me], 0);
            p.turn = 1 - me;
            wake_up_process(p.tasks[1 - me]);
          }
        });
      }
    }
    ASSERT_EQ(kernel.Run(), "") << "seed " << seed;
  }
}

// A CPU that is about to become idle is given a task at every possible moment.
TEST(Sched, ATaskIsQueuedWhileItsCpuTurnsIdle) {
  for (int until_sleep = 0; until_sleep < 64; ++until_sleep) {
    for (int until_wake = 0; until_wake < 128; until_wake += 16) {
      TestKernel kernel(2);
      task_struct* sleeper = kernel.Spawn("sleeper", [&] {
        set_current_state(TASK_UNINTERRUPTIBLE);
        schedule();
      });
      kernel.Spawn("waker", [&] {  // on the other CPU, which stays busy
        while (sleeper->on_cpu || sleeper->state == TASK_RUNNING) STEP("not yet");
        for (int i = 0; i < until_wake; ++i) STEP("not yet", i);
        wake_up_process(sleeper);
        for (int i = 0; i < 300; ++i) STEP("busy", i);
      });
      kernel.Spawn("neighbour", [&] {
        for (int i = 0; i < until_sleep; ++i) STEP("busy", i);
      });
      ASSERT_EQ(kernel.Run(), "") << until_sleep << " " << until_wake;
      // And not only when the next tick notices that somebody waits.
      ASSERT_LT(kernel.machine.now_ns(), NSEC_PER_MSEC) << until_sleep << " " << until_wake;
    }
  }
}

TEST(Sched, ATaskThatIsPreemptedBeforeItSleepsStaysRunnable) {
  TestKernel kernel;
  bool done = false;
  kernel.Spawn("a", [&] {
    set_current_state(TASK_UNINTERRUPTIBLE);
    set_tsk_thread_flag(current, TIF_NEED_RESCHED);
    EXPECT_EQ(cond_resched(), 1);
    EXPECT_EQ(current->state, TASK_UNINTERRUPTIBLE);
    __set_current_state(TASK_RUNNING);
    done = true;
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_TRUE(done);
}

TEST(Sched, ATaskRunsWhereItIsAllowed) {
  TestKernel kernel(3);
  std::string cpus;
  task_struct* bound;
  {
    EnterMachine enter(kernel.machine);
    bound = NewTask(kernel.machine, "bound", [&] {
      for (int i = 0; i < 3; ++i) {
        cpus += std::to_string(smp_processor_id());
        set_current_state(TASK_UNINTERRUPTIBLE);
        schedule();
      }
      do_task_dead();
    });
    bound->cpus_allowed = 1 << 2;
    wake_up_new_task(bound);
  }
  kernel.Spawn("waker", [&] {
    while (bound->state != TASK_DEAD) {
      wake_up_process(bound);
      STEP("wait");
    }
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(cpus, "222");
}

TEST(Sched, SchedulingWithInterruptsOffIsReported) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    local_irq_disable();
    schedule();
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: scheduling while atomic: culprit/1/0x00000000\n"
                                       "irqs_disabled(): 1\n"));
}

TEST(Sched, KernelThreadsLeaveTheLowPidsToProcesses) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  task_struct* thread = NewKernelThread(kernel.machine, "kworker/0:0", [] { do_task_dead(); });
  task_struct* other = NewKernelThread(kernel.machine, "kworker/0:1", [] { do_task_dead(); });
  task_struct* process = NewTask(kernel.machine, "a.out", [] { do_task_dead(); });
  const int first = thread->pid;  // below the workers that are there from the start
  EXPECT_GT(first, 32000);
  EXPECT_EQ(FindTask(kernel.machine, 32767)->comm, "kworker/0:0");
  EXPECT_EQ(other->pid, first - 1);
  EXPECT_EQ(process->pid, 1);
  SetPid(process, first);  // as a transcript has it: the thread makes room
  EXPECT_EQ(process->pid, first);
  EXPECT_EQ(thread->pid, first - 2);
  EXPECT_EQ(FindTask(kernel.machine, first - 2), thread);
  EXPECT_EQ(NewTask(kernel.machine, "next", [] { do_task_dead(); })->pid, 2);
}

}  // namespace
}  // namespace kpath
