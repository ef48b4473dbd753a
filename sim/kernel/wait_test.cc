// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/wait.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct things {
  wait_queue_head_t wait{"wait"};
  bool done = false;
  int items = 0;
};
KernelGlobal<things> t;

void yield(int times = 1) {
  for (int i = 0; i < times; ++i) {
    set_tsk_thread_flag(current, TIF_NEED_RESCHED);
    cond_resched();
  }
}

void SendSignal(task_struct* task) {
  set_tsk_thread_flag(task, TIF_SIGPENDING);
  wake_up_state(task, TASK_INTERRUPTIBLE);
}

TEST(Wait, WaitEventSleepsUntilTheConditionHolds) {
  TestKernel kernel;
  std::string order;
  kernel.Spawn("waiter", [&] {
    wait_event(&t->wait, [] { return t->done; });
    order += "woken ";
    EXPECT_FALSE(waitqueue_active(&t->wait));
  });
  kernel.Spawn("waker", [&] {
    EXPECT_TRUE(waitqueue_active(&t->wait));
    wake_up(&t->wait);  // the condition does not hold yet
    yield(2);
    order += "done ";
    t->done = true;
    wake_up(&t->wait);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(order, "done woken ");
}

TEST(Wait, AConditionThatHoldsAlreadyIsNotWaitedFor) {
  TestKernel kernel;
  kernel.Spawn("a", [] {
    wait_event(&t->wait, [] { return true; });
    EXPECT_EQ(wait_event_interruptible(&t->wait, [] { return true; }), 0);
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(Wait, ASignalEndsAnInterruptibleWait) {
  TestKernel kernel;
  task_struct* waiter = kernel.Spawn("waiter", [] {
    EXPECT_EQ(wait_event_interruptible(&t->wait, [] { return t->done; }), -ERESTARTSYS);
    EXPECT_FALSE(waitqueue_active(&t->wait));
    EXPECT_EQ(current->state, TASK_RUNNING);
    EXPECT_STREQ(current->reason.function, "prepare_to_wait_event");
  });
  kernel.Spawn("sender", [&] { SendSignal(waiter); });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(Wait, TheConditionCountsMoreThanASignal) {
  TestKernel kernel;
  kernel.Spawn("waiter", [] {
    set_tsk_thread_flag(current, TIF_SIGPENDING);
    int asked = 0;
    EXPECT_EQ(wait_event_interruptible(&t->wait, [&] { return ++asked == 2; }), 0);
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(Wait, OnlyAFatalSignalEndsAKillableWait) {
  TestKernel kernel;
  task_struct* waiter = kernel.Spawn("waiter", [] {
    EXPECT_EQ(wait_event_killable(&t->wait, [] { return t->done; }), -ERESTARTSYS);
  });
  kernel.Spawn("sender", [&] {
    SendSignal(waiter);
    yield(2);
    EXPECT_EQ(waiter->state, TASK_KILLABLE);
    sigaddset(&waiter->pending.signal, SIGKILL);
    wake_up_state(waiter, TASK_WAKEKILL);
  });
  EXPECT_EQ(kernel.Run(), "");
}

// Three exclusive waiters and two others. Returns who was woken by what `wake` does, in order.
std::string WhoWakes(void (*wake)(wait_queue_head_t*)) {
  TestKernel kernel;
  std::string woken;
  const auto sleep = [&](const char* name, bool exclusive) {
    return [&woken, name, exclusive] {
      wait_queue_entry entry;
      init_wait_entry(&entry, 0);
      if (exclusive) {
        prepare_to_wait_exclusive(&t->wait, &entry, TASK_UNINTERRUPTIBLE);
      } else {
        prepare_to_wait(&t->wait, &entry, TASK_UNINTERRUPTIBLE);
      }
      schedule();
      finish_wait(&t->wait, &entry);
      woken += name;
    };
  };
  kernel.Spawn("A", sleep("A", true));
  kernel.Spawn("B", sleep("B", true));
  kernel.Spawn("C", sleep("C", true));
  kernel.Spawn("x", sleep("x", false));
  kernel.Spawn("y", sleep("y", false));
  kernel.Spawn("waker", [=] { wake(&t->wait); });
  kernel.Run();
  return woken;
}

TEST(Wait, OneExclusiveWaiterAndAllOthersAreWoken) {
  EXPECT_EQ(WhoWakes([](wait_queue_head_t* q) { wake_up(q); }), "yxA");
  EXPECT_EQ(WhoWakes([](wait_queue_head_t* q) { wake_up_nr(q, 2); }), "yxAB");
  EXPECT_EQ(WhoWakes([](wait_queue_head_t* q) { wake_up_all(q); }), "yxABC");
  EXPECT_EQ(WhoWakes([](wait_queue_head_t* q) { wake_up_interruptible(q); }), "");
  EXPECT_EQ(WhoWakes([](wait_queue_head_t* q) {
              spin_lock_irq(&q->lock);
              wake_up_locked(q);
              spin_unlock_irq(&q->lock);
            }),
            "yxA");
}

// ---- Entries with a function of their own ----

struct poller {
  static constexpr const char* kSlabName = "poller";
  wait_queue_entry wait;
  std::vector<uint32_t> keys;
};
KernelGlobal<kmem_cache<poller>> pollers;

int poll_wake(wait_queue_entry* entry, unsigned, int, void* key) {
  FUNCTION(key_to_poll(key));
  reinterpret_cast<poller*>(entry)->keys.push_back(key_to_poll(key));
  return fn.Return(1);
}

TEST(Wait, AnEntrysFunctionIsGivenTheKey) {
  TestKernel kernel;
  kernel.Spawn("a", [] {
    poller p;
    init_waitqueue_func_entry(&p.wait, poll_wake);
    add_wait_queue(&t->wait, &p.wait);
    EXPECT_TRUE(p.wait.queued());
    wake_up_poll(&t->wait, 0x41);
    wake_up_interruptible_sync_poll(&t->wait, 0x4);
    remove_wait_queue(&t->wait, &p.wait);
    EXPECT_FALSE(p.wait.queued());
    wake_up_poll(&t->wait, 0x8);
    EXPECT_EQ(p.keys, (std::vector<uint32_t>{0x41, 0x4}));
  });
  EXPECT_EQ(kernel.Run(), "");
}

int stop_here(wait_queue_entry*, unsigned, int, void*) { return -1; }

TEST(Wait, AFunctionThatReturnsAnErrorEndsTheWakeUp) {
  TestKernel kernel;
  kernel.Spawn("a", [] {
    poller behind;
    wait_queue_entry in_front;
    init_waitqueue_func_entry(&behind.wait, poll_wake);
    init_waitqueue_func_entry(&in_front, stop_here);
    add_wait_queue(&t->wait, &behind.wait);
    add_wait_queue(&t->wait, &in_front);
    wake_up_all(&t->wait);
    EXPECT_TRUE(behind.keys.empty());
  });
  EXPECT_EQ(kernel.Run(), "");
}

// More entries than are called at one go: the lock is let go in between, and each is called once.
TEST(Wait, ALongQueueIsWokenInPieces) {
  TestKernel kernel;
  kernel.Spawn("a", [] {
    std::vector<std::unique_ptr<poller>> many;
    for (int i = 0; i < 200; ++i) {
      many.push_back(std::make_unique<poller>());
      init_waitqueue_func_entry(&many.back()->wait, poll_wake);
      add_wait_queue(&t->wait, &many.back()->wait);
    }
    wake_up_poll(&t->wait, 7);
    EXPECT_EQ(t->wait.head.size(), 200);
    for (const auto& p : many) EXPECT_EQ(p->keys.size(), 1);
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(WaitReport, AnEntryThatWasFreedInTheQueue) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    const kptr<poller> p = kmem_cache_zalloc(*pollers, GFP_KERNEL);
    init_waitqueue_func_entry(&p->wait, poll_wake);
    add_wait_queue(&t->wait, &p->wait);
    kmem_cache_free(*pollers, p);
    wake_up(&t->wait);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: KASAN: use-after-free in __wake_up_common\n"));
}

TEST(WaitReport, WaitingWithInterruptsOff) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    local_irq_disable();
    wait_event(&t->wait, [] { return false; });
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: sleeping function called from invalid context\n"
                                       "in_atomic(): 0, irqs_disabled(): 1"));
}

// ---- No wake-up is lost ----

// Producers make items, consumers wait for them. With `careless` the condition is looked at before
// the task is in the queue, and not again: what a lost wake-up looks like.
std::string ProduceAndConsume(uint64_t seed, bool careless) {
  TestKernel kernel(3, std::make_unique<SeededChooser>(seed, 2));
  constexpr int kItems = 12;
  for (int i = 0; i < 3; ++i) {
    kernel.Spawn("consumer", [=] {
      for (int j = 0; j < kItems / 3; ++j) {
        if (careless && t->items == 0) {
          STEP("nothing there");
          wait_queue_entry entry;
          init_wait_entry(&entry, 0);
          prepare_to_wait(&t->wait, &entry, TASK_UNINTERRUPTIBLE);
          schedule();
          finish_wait(&t->wait, &entry);
        }
        wait_event(&t->wait, [] { return t->items > 0 && t->items-- > 0; });
      }
    });
  }
  kernel.Spawn("producer", [] {
    for (int j = 0; j < kItems; ++j) {
      ++t->items;
      wake_up(&t->wait);
    }
  });
  return kernel.Run();
}

TEST(Wait, NoWakeUpIsLost) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    ASSERT_EQ(ProduceAndConsume(seed, false), "") << "seed " << seed;
  }
}

TEST(Wait, ALostWakeUpIsFoundWithinAHundredSchedules) {
  int found = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const std::string report = ProduceAndConsume(seed, true);
    if (report.empty()) continue;
    EXPECT_THAT(report, HasSubstr("INFO: task consumer:"));
    ++found;
  }
  EXPECT_GT(found, 0);
}

}  // namespace
}  // namespace kpath
