// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/tasks.h"

#include "inspect/info/stopped.h"
#include "sim/kernel/mutex.h"
#include "sim/kernel/rwsem.h"
#include "sim/kernel/spinlock.h"

namespace kpath {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// The lines of the processes, without the kernel's own threads.
std::string Processes(const std::string& text) {
  std::string lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at) + 1;
    const std::string line = text.substr(at, end - at);
    if (line.find("[kworker") == std::string::npos) lines += line;
    at = end;
  }
  return lines;
}

TEST(InfoTasks, OneRunsAndOneWaitsForEvents) {
  Stopped run(WithDisk(2));
  run.system.Start("prog", ReadFourPages);
  run.system.Start("waiter", WaitForEver);
  ASSERT_TRUE(run.At("io_submit_one", 4));
  EXPECT_EQ(Processes(InfoTasks(run.view())),
            "     PID   TGID  COMM            STATE              CPU  WAITS FOR\n"
            "       0      0  [swapper/1]     R running           1*\n"
            "*      1      1  prog            R running           0*\n"
            "       2      2  waiter          S interruptible     1   &ctx->wait, in\n"
            "                                                         read_events\n");
  // Who is selected has the star.
  EXPECT_THAT(InfoTasks(run.ViewOf(2)), HasSubstr("\n*      2      2  waiter "));
}

TEST(InfoTasks, BeforeAnythingRuns) {
  Stopped run;
  EXPECT_THAT(InfoTasks(run.view()), HasSubstr("\n*      0      0  [swapper/0]"));
  EXPECT_THAT(InfoTasks(run.view(120)), HasSubstr("[kworker/0:0]   D uninterruptible   -   its "
                                                  "first wake-up\n"));
}

TEST(InfoTasks, AParentWaitsForItsChildAndAReaderForAWriter) {
  Stopped run;
  run.system.Start("parent", [] {
    user::Arena arena;
    const auto fds = arena.New<int32_t>(2);
    user::Syscall(NR_pipe, fds.address());
    const int64_t child = user::fork([&] { user::read(fds.Load(), arena.Bytes(8, 8), 1); });
    user::wait4(static_cast<int>(child), 0, 0);
  });
  ASSERT_EQ(run.machine().Run(), Machine::Outcome::kIdle);
  const std::string text = InfoTasks(run.ViewOf(1, 0));
  EXPECT_THAT(text, HasSubstr("wait_chldexit, in do_wait\n"));
  EXPECT_THAT(text, HasSubstr("->wait, in pipe_wait\n"));
}

TEST(InfoTasks, StatesByName) {
  Stopped run;
  run.system.Start("prog", [] {});
  ASSERT_TRUE(run.At("do_exit"));
  task_struct* task = FindTask(run.machine(), 1);
  const unsigned state = task->state;
  const std::pair<unsigned, const char*> names[] = {{TASK_RUNNING, "R running"},
                                                    {TASK_INTERRUPTIBLE, "S interruptible"},
                                                    {TASK_UNINTERRUPTIBLE, "D uninterruptible"},
                                                    {TASK_KILLABLE, "D killable"},
                                                    {TASK_IDLE, "I idle"},
                                                    {TASK_STOPPED, "T stopped"},
                                                    {TASK_TRACED, "t traced"},
                                                    {TASK_DEAD, "X dead"}};
  for (const auto& [value, name] : names) {
    task->state = value;
    EXPECT_EQ(StateName(*task), name);
  }
  task->state = state;
}

TEST(InfoCpus, WhatEachExecutes) {
  Stopped run(WithDisk(2));
  run.system.Start("prog", ReadFourPages);
  ASSERT_TRUE(run.At("io_submit_one"));
  EXPECT_EQ(InfoCpus(run.view()),
            "   CPU  EXECUTES   STATE   RING  IF  IRQ_COUNT  PREEMPT_COUNT  PENDING\n"
            "*    0  prog/1     kernel     0   1         -1            0x0\n"
            "     1  swapper/1  halted     0   1         -1            0x0\n");
}

TEST(InfoCpus, InTheDevicesInterrupt) {
  Stopped run(WithDisk());
  run.system.Start("prog", ReadFourPages);
  ASSERT_TRUE(run.At("virtblk_done"));
  EXPECT_EQ(InfoCpus(run.view()),
            "   CPU  EXECUTES   STATE    RING  IF  IRQ_COUNT  PREEMPT_COUNT  PENDING\n"
            "*    0  swapper/0  hardirq     0   0          0        0x10001\n");
  run.machine().cpu(0).RaiseInterrupt(0xfd);
  EXPECT_THAT(InfoCpus(run.view()), HasSubstr("0x10001  interrupts\n"));
}

// ---- Locks ----

[[noreturn]] void hold_and_sleep(struct mutex* lock, rw_semaphore* sem) {
  FUNCTION();
  down_read(sem);
  mutex_lock(lock);
  set_current_state(TASK_UNINTERRUPTIBLE);
  while (true) schedule();
}

[[noreturn]] void lock_and_unlock(spinlock_t* lock) {
  FUNCTION();
  while (true) {
    spin_lock(lock);
    for (int i = 0; i < 1000; ++i) STEP("busy", i);
    spin_unlock(lock);
  }
}

// Two tasks take a mutex; the first one sleeps with it.
struct MutexTest : testing::Test {
  MutexTest() {
    EnterMachine enter(run.machine());
    mutex_init(&lock);
    init_rwsem(&sem);
    wake_up_new_task(NewTask(run.machine(), "holder", [this] { hold_and_sleep(&lock, &sem); }));
  }
  void StartWaiter() {
    EnterMachine enter(run.machine());
    wake_up_new_task(NewTask(run.machine(), "waiter", [this] {
      mutex_lock(&lock);
      while (true) schedule();
    }));
  }
  struct mutex lock;
  rw_semaphore sem;
  Stopped run;
};

TEST_F(MutexTest, WhoHoldsAndWhoWaits) {
  ASSERT_EQ(run.machine().Run(), Machine::Outcome::kIdle);
  StartWaiter();
  ASSERT_EQ(run.machine().Run(), Machine::Outcome::kIdle);
  EXPECT_THAT(InfoLocks(run.ViewOf(1)),
              testing::MatchesRegex("holder/1:\n"
                                    "  holds &sem for reading, taken in hold_and_sleep at #[0-9]+\n"
                                    "  holds &lock, taken in hold_and_sleep at #[0-9]+\n"
                                    "waiter/2:\n"
                                    "  waits for &lock, held by holder/1, since #[0-9]+\n"));
  EXPECT_THAT(InfoTasks(run.ViewOf(1, 0)),
              HasSubstr("waiter          D uninterruptible   0   &lock, held by holder/1, in "
                        "__mutex_lock\n"));
}

TEST(InfoLocks, OfATaskInTheMiddleOfACall) {
  Stopped run;
  run.system.Start("prog", WaitForEver);
  EXPECT_EQ(InfoLocks(run.view()), "No locks are held.\n");
  ASSERT_TRUE(run.At("aio_setup_ring"));
  EXPECT_THAT(InfoLocks(run.view()), StartsWith("prog/1:\n  holds &ctx->ring_lock, taken in "));
}

TEST(InfoLocks, WhoSpinsWaits) {
  spinlock_t lock("lock");
  Stopped run(OnCpus(2));
  {
    EnterMachine enter(run.machine());
    for (const char* name : {"one", "two"}) {
      wake_up_new_task(NewTask(run.machine(), name, [&lock] { lock_and_unlock(&lock); }));
    }
  }
  ASSERT_TRUE(run.AtStep("spin"));
  const int spins = ContextOf(run.view()).id();
  const std::string waits =
      absl::StrCat(spins == 1 ? "one/1" : "two/2", ":\n  waits for lock, held by ",
                   spins == 1 ? "two/2" : "one/1", ", since #");
  const std::string holds = absl::StrCat(spins == 1 ? "two/2" : "one/1",
                                         ":\n  holds lock, taken in lock_and_unlock at #");
  EXPECT_THAT(InfoLocks(run.view()), testing::AllOf(HasSubstr(waits), HasSubstr(holds)));
}

}  // namespace
}  // namespace kpath
