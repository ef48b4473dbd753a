// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/lockdep.h"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/lockdep_graph.h"
#include "sim/kernel/mutex.h"
#include "sim/kernel/rwsem.h"
#include "sim/kernel/softirq.h"
#include "sim/kernel/spinlock.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct locks {
  locks() {
    mutex_init(&mutex_a);
    init_rwsem(&sem);
    for (struct mutex& m : family) mutex_init(&m);
  }
  spinlock_t a{"A"}, b{"B"}, c{"C"};
  struct mutex mutex_a;
  rw_semaphore sem;
  struct mutex family[2];  // one class
};
KernelGlobal<locks> t;

// Takes the locks from left to right and releases them again.
void nest(std::vector<spinlock_t*> order) {
  FUNCTION();
  for (spinlock_t* lock : order) spin_lock(lock);
  std::reverse(order.begin(), order.end());
  for (spinlock_t* lock : order) spin_unlock(lock);
}

void nest_other_way(std::vector<spinlock_t*> order) {
  FUNCTION();
  nest(std::move(order));
}

std::string RunTask(const std::function<void()>& body) {
  TestKernel kernel;
  kernel.Spawn("task", body);
  return kernel.Run();
}

TEST(Lockdep, OneOrderEverywhereIsFine) {
  EXPECT_EQ(RunTask([] {
              for (int i = 0; i < 3; ++i) {
                nest({&t->a, &t->b, &t->c});
                nest({&t->a, &t->c});
                nest({&t->b, &t->c});
              }
            }),
            "");
}

TEST(Lockdep, ACircleOfTwoShowsBothOrders) {
  const std::string report = RunTask([] {
    nest({&t->a, &t->b});
    nest_other_way({&t->b, &t->a});
  });
  EXPECT_THAT(report, AllOf(StartsWith("WARNING: possible circular locking dependency detected\n"
                                       "task/1 is trying to acquire lock:\n A, in nest at #"),
                            HasSubstr("but task is already holding lock:\n B, in nest at #"),
                            HasSubstr("which is taken after the new one elsewhere:\n"
                                      " A -> B, in nest by task/1\n"),
                            HasSubstr("Call Trace:\n _raw_spin_lock\n nest\n nest_other_way")));
}

TEST(Lockdep, ACircleOfThreeShowsTheChain) {
  EXPECT_THAT(RunTask([] {
                nest({&t->a, &t->b});
                nest({&t->b, &t->c});
                nest({&t->c, &t->a});
              }),
              HasSubstr(" A -> B, in nest by task/1\n B -> C, in nest by task/1\n"));
}

TEST(Lockdep, ALockTakenByTrylockClosesNoCircle) {
  EXPECT_EQ(RunTask([] {
              nest({&t->a, &t->b});
              spin_lock(&t->b);
              EXPECT_EQ(spin_trylock(&t->a), 1);
              spin_unlock(&t->a);
              spin_unlock(&t->b);
            }),
            "");
}

TEST(Lockdep, WhatIsTakenUnderATrylockedLockCounts) {
  EXPECT_THAT(RunTask([] {
                nest({&t->a, &t->b});
                spin_lock(&t->c);
                EXPECT_EQ(spin_trylock(&t->b), 1);
                nest({&t->a});
              }),
              StartsWith("WARNING: possible circular locking dependency detected\n"));
}

TEST(Lockdep, ReleasingInAnotherOrderIsFine) {
  EXPECT_EQ(RunTask([] {
              spin_lock(&t->a);
              spin_lock(&t->b);
              spin_unlock(&t->a);
              spin_lock(&t->c);
              spin_unlock(&t->b);
              spin_unlock(&t->c);
              EXPECT_TRUE(current->held_locks.empty());
            }),
            "");
}

TEST(Lockdep, SleepingLocksAreInTheSameGraph) {
  EXPECT_THAT(RunTask([] {
                mutex_lock(&t->mutex_a);
                down_read(&t->sem);
                up_read(&t->sem);
                mutex_unlock(&t->mutex_a);
                down_write(&t->sem);
                mutex_lock(&t->mutex_a);
              }),
              AllOf(StartsWith("WARNING: possible circular locking dependency detected\n"
                               "task/1 is trying to acquire lock:\n &mutex_a, in "),
                    HasSubstr(" &mutex_a -> &sem, in ")));
}

TEST(Lockdep, TwoLocksOfOneClassNeedAName) {
  EXPECT_THAT(RunTask([] {
                mutex_lock(&t->family[0]);
                mutex_lock(&t->family[1]);
              }),
              AllOf(StartsWith("WARNING: possible recursive locking detected\n"),
                    HasSubstr("It is another lock of the same class.")));
  EXPECT_EQ(RunTask([] {
              mutex_lock(&t->family[0]);
              mutex_lock_nested(&t->family[1], 1);
              mutex_unlock(&t->family[1]);
              mutex_unlock(&t->family[0]);
            }),
            "");
}

// ---- Interrupts ----

constexpr uint8_t kVector = 0x31;
void (*device_handler)() = nullptr;

// A machine with a device that raises kVector when RaiseDevice is called.
struct DeviceKernel : TestKernel {
  explicit DeviceKernel(void (*handler)()) {
    device_handler = handler;
    machine.cpu(0).idt[kVector] = {.handler = [](Cpu& cpu) {
      irq_enter();
      device_handler();
      irq_exit();
      cpu.IretQ();
    }};
  }
};

void RaiseDevice() {
  current->cpu->RaiseInterrupt(kVector);
  STEP("here it comes");
}

TEST(LockdepIrq, TakenInAHardirqAndElsewhereWithHardirqsOn) {
  DeviceKernel kernel([] { nest({&t->a}); });
  kernel.Spawn("task", [] {
    nest({&t->a});
    RaiseDevice();
  });
  EXPECT_THAT(kernel.Run(), AllOf(StartsWith("WARNING: inconsistent lock state\n"
                                             "task/1 holds or takes:\n A, in nest at #"),
                                  HasSubstr("\n A is taken in hardirq context, first in nest\n"
                                            " A is held with hardirqs on, first in nest\n")));
}

TEST(LockdepIrq, TheOtherOrderIsAsBad) {
  DeviceKernel kernel([] { nest({&t->a}); });
  kernel.Spawn("task", [] {
    RaiseDevice();
    nest({&t->a});
  });
  EXPECT_THAT(kernel.Run(), StartsWith("WARNING: inconsistent lock state\n"));
}

TEST(LockdepIrq, WithInterruptsOffItIsFine) {
  DeviceKernel kernel([] { nest({&t->a}); });
  kernel.Spawn("task", [] {
    for (int i = 0; i < 2; ++i) {
      unsigned long flags;
      spin_lock_irqsave(&t->a, flags);
      RaiseDevice();  // stays pending
      spin_unlock_irqrestore(&t->a, flags);
      STEP("now it comes");
    }
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(LockdepIrq, AnInterruptsLocksDoNotDependOnThoseOfTheTask) {
  DeviceKernel kernel([] { nest({&t->c}); });
  kernel.Spawn("task", [] {
    spin_lock(&t->a);
    RaiseDevice();  // takes C while A is held
    spin_unlock(&t->a);
    spin_lock_irq(&t->c);
    nest({&t->b});
    spin_unlock_irq(&t->c);
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(LockdepIrq, EnablingInterruptsTooEarly) {
  DeviceKernel kernel([] { nest({&t->a}); });
  kernel.Spawn("task", [] {
    RaiseDevice();
    spin_lock_irq(&t->a);
    spin_lock_irq(&t->b);
    spin_unlock_irq(&t->b);  // and A is held still
  });
  EXPECT_THAT(kernel.Run(), StartsWith("WARNING: inconsistent lock state\n"
                                       "task/1 holds or takes:\n A, in "));
}

TEST(LockdepIrq, InversionThroughAnotherLock) {
  DeviceKernel kernel([] { nest({&t->a}); });
  kernel.Spawn("task", [] {
    RaiseDevice();  // A is taken in hardirqs
    spin_lock_irq(&t->a);
    nest({&t->b});  // A -> B
    spin_unlock_irq(&t->a);
    nest({&t->b});  // B with hardirqs on: a CPU that holds it is interrupted, and waits for A
  });
  EXPECT_THAT(kernel.Run(),
              AllOf(StartsWith("WARNING: possible irq lock inversion dependency detected\n"
                               " A is taken in hardirq context, first in nest\n"
                               " B is held with hardirqs on, first in nest\n"
                               " A -> B, in nest by task/1\n")));
}

TEST(LockdepIrq, TakenInASoftirqAndElsewhereWithSoftirqsOn) {
  const auto run = [](void (*take)()) {
    TestKernel kernel;
    EnterMachine enter(kernel.machine);
    open_softirq(TASKLET_SOFTIRQ, [] { nest({&t->a}); });
    kernel.Spawn("task", [take] {
      local_bh_disable();
      raise_softirq(TASKLET_SOFTIRQ);
      local_bh_enable();
      take();
    });
    return kernel.Run();
  };
  EXPECT_THAT(run([] { nest({&t->a}); }),
              AllOf(StartsWith("WARNING: inconsistent lock state\n"),
                    HasSubstr(" A is taken in softirq context, first in nest\n"
                              " A is held with softirqs on, first in nest\n")));
  EXPECT_EQ(run([] {
              spin_lock_bh(&t->a);
              spin_unlock_bh(&t->a);
            }),
            "");
}

// ---- The end of a task, the return to user mode ----

TEST(Lockdep, LocksMustBeReleasedInTheEnd) {
  EXPECT_THAT(RunTask([] {
                mutex_lock(&t->mutex_a);
                debug_check_no_locks_held();
              }),
              StartsWith("WARNING: task/1 still has locks held!\n#0: &mutex_a, in "));
  EXPECT_THAT(RunTask([] {
                mutex_lock(&t->mutex_a);
                lockdep_sys_exit();
              }),
              StartsWith("WARNING: lock held when returning to user space!\n#0: &mutex_a, in "));
  EXPECT_EQ(RunTask([] {
              nest({&t->a});
              debug_check_no_locks_held();
              lockdep_sys_exit();
            }),
            "");
}

TEST(Lockdep, NothingIsSaidWhenItIsOff) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  SetProveLocking(false);
  kernel.Spawn("task", [] {
    nest({&t->a, &t->b});
    nest({&t->b, &t->a});
  });
  EXPECT_EQ(kernel.Run(), "");
}

// ---- The graph against a naive twin ----

// All that can be reached, by trying every edge again and again.
std::set<int> Reachable(const std::set<std::pair<int, int>>& edges, int from) {
  std::set<int> reached = {from};
  for (size_t before = 0; before != reached.size();) {
    before = reached.size();
    for (const auto& [a, b] : edges) {
      if (reached.count(a) != 0) reached.insert(b);
    }
  }
  return reached;
}

TEST(LockGraph, FindsTheSameCirclesAsANaiveSearch) {
  constexpr int kClasses = 12;
  std::mt19937 random(7);
  int circles = 0;
  for (int round = 0; round < 50; ++round) {
    LockGraph graph;
    std::set<std::pair<int, int>> edges;
    for (int i = 0; i < kClasses; ++i) {
      const std::string name = absl::StrCat("class", i);
      ASSERT_EQ(graph.FindClass({name.c_str()}, 0), i);
    }
    for (int i = 0; i < 60; ++i) {
      const int a = static_cast<int>(random() % kClasses),
                b = static_cast<int>(random() % kClasses);
      if (a == b || graph.Knows(a, b)) continue;
      const std::vector<int> path = graph.FindPath(b, a);
      ASSERT_EQ(!path.empty(), Reachable(edges, b).count(a) != 0);
      for (size_t k = 0; k + 1 < path.size(); ++k) {
        ASSERT_EQ(edges.count({path[k], path[k + 1]}), 1);
      }
      if (!path.empty()) {
        ++circles;
        continue;
      }
      graph.AddDependency(a, b, "f", "t");
      edges.emplace(a, b);
    }
  }
  EXPECT_GT(circles, 100);
}

TEST(LockGraph, ClassesAreToldApartByNamePlaceAndSubclass) {
  LockGraph graph;
  const std::string same_name = "x";
  EXPECT_EQ(graph.FindClass({"x", "a.cc", 1}, 0), 0);
  EXPECT_EQ(graph.FindClass({"x", "a.cc", 2}, 0), 1);
  EXPECT_EQ(graph.FindClass({"x", "b.cc", 1}, 0), 2);
  EXPECT_EQ(graph.FindClass({"x", "a.cc", 1}, 1), 3);
  EXPECT_EQ(graph.FindClass({same_name.c_str(), "a.cc", 1}, 0), 0);
}

}  // namespace
}  // namespace kpath
