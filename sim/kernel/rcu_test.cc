// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/rcu.h"

#include <functional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/mutex.h"
#include "sim/kernel/softirq.h"
#include "sim/kernel/test_kernel.h"
#include "sim/kernel/timer.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// What readers read and writers replace.
struct config {
  static constexpr const char* kSlabName = "config";
  rcu_head rcu;
  int a = 0;
  int b = 0;  // always the same as a
};
KernelGlobal<kmem_cache<config>> configs;

struct things {
  things() { mutex_init(&writers); }
  kptr<config> current_config;
  struct mutex writers;
  bool stop = false;
  std::vector<int> order;
};
KernelGlobal<things> t;

kptr<config> make_config(int value) {
  const kptr<config> c = kmem_cache_zalloc(*configs, GFP_KERNEL);
  c->a = c->b = value;
  return c;
}

void free_config(rcu_head* head) {
  FUNCTION();
  kmem_cache_free(*configs, kptr<config>(container_of(head, &config::rcu)));
}

// Reads with many steps between finding the object and using it.
void read_config() {
  FUNCTION();
  rcu_read_lock();
  const kptr<config> c = t->current_config;
  const int a = c->a;
  for (int i = 0; i < 40; ++i) STEP("in between", i);
  EXPECT_EQ(c->b, a);
  rcu_read_unlock();
}

void SpawnOn(TestKernel& kernel, int cpu, const char* comm, std::function<void()> body) {
  EnterMachine enter(kernel.machine);
  task_struct* task = NewTask(kernel.machine, comm, [body = std::move(body)] {
    body();
    do_task_dead();
  });
  task->cpus_allowed = uint64_t{1} << cpu;
  wake_up_new_task(task);
}

using Reclaim = std::function<void(kptr<config>)>;

// Readers on all CPUs as long as a writer replaces what they read, `times` times; what was replaced
// goes to `reclaim`. With wait_for_free the writer goes on only when that has been freed.
std::string ReadAndReplace(uint64_t seed, int cpus, int times, const Reclaim& reclaim,
                           bool wait_for_free = true) {
  TestKernel kernel(cpus, std::make_unique<SeededChooser>(seed, 2));
  {
    EnterMachine enter(kernel.machine);
    t->current_config = make_config(0);
  }
  for (int i = 0; i < cpus; ++i) {
    kernel.Spawn("reader", [] {
      for (int j = 0; !t->stop; ++j) {
        read_config();
        if (j % 5 == 0) cond_resched();
      }
    });
  }
  kernel.Spawn("writer", [&] {
    for (int j = 1; j <= times; ++j) {
      const kptr<config> replaced = t->current_config;
      t->current_config = make_config(j);
      reclaim(replaced);
      do {
        cond_resched();
      } while (wait_for_free && configs->live() != 1);
    }
    t->stop = true;
  });
  const std::string report = kernel.Run();
  if (report.empty()) {
    EXPECT_EQ(configs.Get(kernel.machine).live(), 1) << "seed " << seed;
  }
  return report;
}

TEST(Rcu, ReadersNeverSeeWhatWasFreed) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    ASSERT_EQ(ReadAndReplace(seed, 1 + static_cast<int>(seed % 4), 2,
                             [](kptr<config> c) { call_rcu(&c->rcu, free_config); }),
              "")
        << "seed " << seed;
  }
}

TEST(Rcu, SynchronizeRcuWaitsForAllReaders) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    ASSERT_EQ(ReadAndReplace(seed, 2 + static_cast<int>(seed % 3), 2,
                             [](kptr<config> c) {
                               synchronize_rcu();
                               kmem_cache_free(*configs, c);
                             }),
              "")
        << "seed " << seed;
  }
}

TEST(Rcu, KfreeRcuNeedsNoHead) {
  for (uint64_t seed = 0; seed < 2; ++seed) {
    ASSERT_EQ(ReadAndReplace(seed, 3, 2, [](kptr<config> c) { kfree_rcu(c); }), "")
        << "seed " << seed;
  }
}

// Planted bugs: what is not a grace period must be found.
int SeedsThatFind(uint64_t seeds, const Reclaim& reclaim) {
  int found = 0;
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    const std::string report = ReadAndReplace(seed, 3, 8, reclaim, /*wait_for_free=*/false);
    if (report.empty()) continue;
    EXPECT_THAT(report, StartsWith("BUG: KASAN: use-after-free in read_config\n"));
    ++found;
  }
  return found;
}

TEST(RcuPlanted, FreeingAtOnceIsFound) {
  EXPECT_GT(SeedsThatFind(20, [](kptr<config> c) { kmem_cache_free(*configs, c); }), 10);
}

TEST(RcuPlanted, AQuiescentStateOfOneCpuIsNotEnough) {
  EXPECT_GT(
      SeedsThatFind(
          10,
          [](kptr<config> c) {
            set_tsk_thread_flag(current, TIF_NEED_RESCHED);
            cond_resched();  // this CPU has switched: as much as a grace period on one CPU needs
            kmem_cache_free(*configs, c);
          }),
      2);
}

// ---- When a grace period ends ----

TEST(RcuGracePeriod, AReaderThatGoesOnHoldsItUpOnWhicheverCpu) {
  for (int cpu = 0; cpu < 3; ++cpu) {
    TestKernel kernel(3);
    bool reading = false, freed = false;
    constexpr int64_t kLong = 3 * TICK_NSEC;
    SpawnOn(kernel, cpu, "reader", [&] {
      rcu_read_lock();
      reading = true;
      while (current->machine->now_ns() < kLong) STEP("still reading");
      EXPECT_FALSE(freed);
      rcu_read_unlock();
    });
    SpawnOn(kernel, (cpu + 1) % 3, "writer", [&] {
      while (!reading) STEP("not yet");
      synchronize_rcu();
      EXPECT_GE(current->machine->now_ns(), kLong);
      freed = true;
    });
    EXPECT_EQ(kernel.Run(), "");
    EXPECT_TRUE(freed);
  }
}

TEST(RcuGracePeriod, OneThatRunsAlreadyIsNotEnough) {
  TestKernel kernel(2);
  kernel.Spawn("busy", [] {
    while (!t->stop) STEP("in kernel mode, and no quiescent state");
  });
  static thread_local rcu_head heads[2];
  kernel.Spawn("writer", [] {
    heads[0] = heads[1] = {};
    call_rcu(&heads[0],
             [](rcu_head*) { t->order.push_back(static_cast<int>(rcu_batches_completed())); });
    // The first grace period has begun; a reader of the second object may be older than this call.
    call_rcu(&heads[1],
             [](rcu_head*) { t->order.push_back(static_cast<int>(rcu_batches_completed())); });
    t->stop = true;
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(t.Get(kernel.machine).order.size(), 2);
  EXPECT_GE(t.Get(kernel.machine).order[1], 2);
}

TEST(RcuGracePeriod, AnIdleMachineHasNothingPending) {
  TestKernel kernel(4);
  static thread_local rcu_head head;
  kernel.Spawn("writer", [] {
    head = {};
    call_rcu(&head, [](rcu_head*) { t->order.push_back(1); });
  });
  EXPECT_EQ(kernel.Run(), "");  // it comes to an end
  EXPECT_EQ(t.Get(kernel.machine).order.size(), 1);
  EXPECT_LT(kernel.machine.now_ns(), 5 * TICK_NSEC);
}

TEST(RcuGracePeriod, UserModeIsAQuiescentState) {
  TestKernel kernel(2);
  bool done = false;
  // The gate of a test machine does not do for user mode: only the tick's C side is called.
  kernel.Spawn("user", [&] {
    while (!done) {
      if (TickIsSet(*current->cpu, TickReason::kRcu)) {
        const unsigned long flags = local_irq_save();
        irq_enter();
        tick_hooks->rcu_check_callbacks(/*user=*/true);
        irq_exit();
        local_irq_restore(flags);
      }
      STEP("user code");
    }
  });
  kernel.Spawn("writer", [&] {
    synchronize_rcu();
    done = true;
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_TRUE(done);
}

TEST(RcuGracePeriod, CondReschedLetsItEnd) {
  TestKernel kernel(2);
  bool done = false;
  kernel.Spawn("busy", [&] {
    while (!done) cond_resched();
  });
  kernel.Spawn("writer", [&] {
    synchronize_rcu();
    done = true;
  });
  EXPECT_EQ(kernel.Run(), "");
}

// A reader in an interrupt that came to an idle CPU.
TEST(RcuGracePeriod, AnInterruptInTheIdleLoopIsWaitedFor) {
  constexpr uint8_t kVector = 0x31;
  static thread_local bool in_handler, handler_done;
  for (uint64_t seed = 0; seed < 3; ++seed) {
    in_handler = handler_done = false;
    TestKernel kernel(2, std::make_unique<SeededChooser>(seed, 2));
    kernel.machine.cpu(1).idt[kVector] = {.handler = [](Cpu& cpu) {
      irq_enter();
      rcu_read_lock();
      in_handler = true;
      while (cpu.machine().now_ns() < 3 * TICK_NSEC) STEP("reading");
      handler_done = true;
      rcu_read_unlock();
      irq_exit();
      cpu.IretQ();
    }};
    kernel.Spawn("writer", [&] {
      current->machine->cpu(1).RaiseInterrupt(kVector);
      while (!in_handler) STEP("not yet");
      synchronize_rcu();
      EXPECT_TRUE(handler_done) << "seed " << seed;
    });
    ASSERT_EQ(kernel.Run(), "");
  }
}

TEST(Rcu, OnOneCpuSynchronizeRcuReturnsAtOnce) {
  TestKernel kernel;
  kernel.Spawn("a", [] { synchronize_rcu(); });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_LT(kernel.machine.now_ns(), TICK_NSEC);
}

// ---- Callbacks ----

struct numbered {
  rcu_head head;
  int number = 0;
  int cpu = 0;
};

TEST(RcuCallbacks, RunInOrderInASoftirqOfTheCpuThatQueuedThem) {
  TestKernel kernel(3, std::make_unique<SeededChooser>(5, 2));
  std::vector<std::unique_ptr<numbered>> heads;
  for (int task = 0; task < 3; ++task) {
    kernel.Spawn("a", [&, task] {
      for (int i = 0; i < 10; ++i) {
        heads.push_back(std::make_unique<numbered>());
        numbered* n = heads.back().get();
        n->number = task * 100 + i;
        n->cpu = smp_processor_id();
        call_rcu(&n->head, [](rcu_head* head) {
          const numbered* done = container_of(head, &numbered::head);
          EXPECT_TRUE(in_serving_softirq());
          EXPECT_EQ(done->cpu, smp_processor_id());
          t->order.push_back(done->number);
        });
        cond_resched();
      }
    });
  }
  EXPECT_EQ(kernel.Run(), "");
  const std::vector<int>& order = t.Get(kernel.machine).order;
  ASSERT_EQ(order.size(), 30);
  for (int task = 0; task < 3; ++task) {
    int last = -1;
    for (int number : order) {
      if (number / 100 != task) continue;
      EXPECT_GT(number, last);
      last = number;
    }
  }
}

TEST(RcuCallbacks, BarrierWaitsForAllOfThem) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    TestKernel kernel(3, std::make_unique<SeededChooser>(seed, 2));
    std::vector<std::unique_ptr<numbered>> heads;
    int queued = 0;
    for (int task = 0; task < 3; ++task) {
      kernel.Spawn("a", [&] {
        for (int i = 0; i < 5; ++i) {
          heads.push_back(std::make_unique<numbered>());
          call_rcu(&heads.back()->head, [](rcu_head*) { t->order.push_back(0); });
          ++queued;
        }
      });
    }
    kernel.Spawn("unload", [&] {
      while (queued < 15) cond_resched();
      rcu_barrier();
      EXPECT_EQ(t->order.size(), 15);
      rcu_barrier();  // with nothing to wait for
    });
    ASSERT_EQ(kernel.Run(), "") << "seed " << seed;
  }
}

TEST(RcuCallbacks, OneMayQueueItselfAgain) {
  TestKernel kernel;
  static thread_local rcu_head head;
  kernel.Spawn("a", [] {
    head = {};
    call_rcu(&head, [](rcu_head* self) {
      t->order.push_back(1);
      if (t->order.size() < 3) call_rcu(self, self->func);
    });
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(t.Get(kernel.machine).order.size(), 3);
}

// ---- Reports ----

TEST(RcuReport, SleepingInASection) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    rcu_read_lock();
    schedule();
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: scheduling while atomic: culprit/1/0x00000001\n"));
}

TEST(RcuReport, WaitingForReadersInASection) {
  TestKernel kernel(2);
  kernel.Spawn("culprit", [] {
    rcu_read_lock();
    synchronize_rcu();
  });
  EXPECT_THAT(kernel.Run(),
              StartsWith("WARNING: suspicious RCU usage\nIllegal synchronize_sched()"));
}

TEST(RcuReport, QueuedTwice) {
  TestKernel kernel;
  rcu_head head;
  kernel.Spawn("culprit", [&] {
    call_rcu(&head, [](rcu_head*) {});
    call_rcu(&head, [](rcu_head*) {});
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: call_rcu() of an rcu_head that is queued already\n"));
}

TEST(RcuReport, FreedWhileItIsQueued) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    const kptr<config> c = make_config(1);
    call_rcu(&c->rcu, free_config);
    kmem_cache_free(*configs, c);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: KASAN: use-after-free in rcu_do_batch\n"));
}

TEST(RcuReport, KfreeRcuTwice) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    const kptr<config> c = make_config(1);
    kfree_rcu(c);
    kfree_rcu(c);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: KASAN: double-free or invalid-free in "));
}

// As the recording of io_destroy has it.
TEST(Rcu, CallsWhatTheKernelCalls) {
  class Names : public ProbeListener {
   public:
    void OnProbe(const ProbeEvent& event) override {
      if (event.kind == ProbeEvent::Kind::kFunctionEnter)
        text += event.function->name + std::string(" ");
    }
    std::string text;
  };
  TestKernel kernel;
  Names names;
  rcu_head head;
  kernel.Spawn("a", [&] {
    current->machine->AddListener(&names);
    call_rcu(&head, [](rcu_head*) {});
    current->machine->RemoveListener(&names);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(names.text,
            "call_rcu_sched __call_rcu rcu_segcblist_enqueue rcu_dynticks_curr_cpu_in_eqs ");
}

}  // namespace
}  // namespace kpath
