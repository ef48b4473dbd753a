// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/workqueue.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/test_workqueue.h"

namespace kpath {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

// ---- Queueing ----

TEST(Workqueue, AWorkRunsOnceHoweverOftenItIsQueuedWhilePending) {
  RunWell(1, [] {
    job* a = a_job(1);
    EXPECT_FALSE(work_pending(&a->work));
    EXPECT_TRUE(schedule_work(&a->work));
    EXPECT_TRUE(work_pending(&a->work));
    EXPECT_FALSE(schedule_work(&a->work));
    EXPECT_FALSE(queue_work(system_highpri_wq(), &a->work));
    EXPECT_TRUE(flush_work(&a->work));
    EXPECT_EQ(a->runs, 1);
    EXPECT_FALSE(work_pending(&a->work));
    EXPECT_TRUE(schedule_work(&a->work));
    EXPECT_TRUE(flush_work(&a->work));
    EXPECT_EQ(a->runs, 2);
  });
}

TEST(Workqueue, WorksOfACpuBeginInTheOrderOfQueueing) {
  RunWell(1, [] {
    for (int i = 0; i < 5; ++i) schedule_work(&a_job(i)->work);
    flush_scheduled_work();
    EXPECT_THAT(t->order, ElementsAre("0", "1", "2", "3", "4"));
  });
}

TEST(Workqueue, AWorkMayQueueItselfAgain) {
  RunWell(1, [] {
    job* a = a_job(1);
    a->body = [a] {
      EXPECT_FALSE(work_pending(&a->work));  // invariant 2
      if (a->runs < 3) schedule_work(&a->work);
    };
    schedule_work(&a->work);
    while (a->runs < 3) msleep(1);
  });
}

struct owned {
  static constexpr const char* kSlabName = "owned";
  work_struct work;
};

TEST(Workqueue, AWorkMayFreeItself) {
  RunWell(1, [] {
    kptr<owned> object = kzalloc<owned>(GFP_KERNEL);
    INIT_WORK(&object->work,
              [](work_struct* work) { kfree(kptr<owned>(container_of(work, &owned::work))); });
    schedule_work(&object->work);
    flush_scheduled_work();
    EXPECT_FALSE(object.alive());
  });
}

TEST(Workqueue, AWorkRunsInAWorkerOfItsCpuAndPriority) {
  RunWell(2, [] {
    schedule_work_on(0, &a_job(0)->work);
    schedule_work_on(1, &a_job(1)->work);
    queue_work_on(1, system_highpri_wq(), &a_job(2)->work);
    queue_work(system_unbound_wq(), &a_job(3)->work);
    for (int i = 0; i < 4; ++i) flush_work(&t->jobs[i].work);
    EXPECT_EQ(t->jobs[0].worker, "kworker/0:1");
    EXPECT_EQ(t->jobs[1].worker, "kworker/1:1");
    EXPECT_EQ(t->jobs[2].worker, "kworker/1:1H");
    EXPECT_EQ(t->jobs[3].worker, "kworker/u4:1");
  });
}

TEST(Workqueue, AWorkDoesNotRunOnTwoCpusAtATime) {
  RunWell(2, [] {
    job* a = a_sleeper(1);
    schedule_work_on(0, &a->work);
    wait_for_completion(&t->begun);
    EXPECT_EQ(work_busy(&a->work), WORK_BUSY_RUNNING);
    EXPECT_TRUE(schedule_work_on(1, &a->work));  // it goes back to CPU 0
    EXPECT_EQ(work_busy(&a->work), WORK_BUSY_RUNNING | WORK_BUSY_PENDING);
    msleep(10);
    EXPECT_EQ(a->runs, 1);
    complete_all(&t->go);
    flush_work(&a->work);
    EXPECT_EQ(a->runs, 2);
    EXPECT_THAT(a->worker, StartsWith("kworker/0:"));
    EXPECT_EQ(work_busy(&a->work), 0u);
  });
}

// ---- Workers ----

TEST(Workqueue, AWorkThatSleepsLetsTheNextGoOn) {
  RunWell(1, [] {
    schedule_work(&a_sleeper(1)->work);
    schedule_work(&a_job(2)->work);
    flush_work(&t->jobs[2].work);
    EXPECT_THAT(t->order, ElementsAre("1", "2"));
    EXPECT_TRUE(t->jobs[1].running);
    EXPECT_EQ(t->jobs[1].worker, "kworker/0:1");
    EXPECT_EQ(t->jobs[2].worker, "kworker/0:0");
    complete_all(&t->go);
  });
}

TEST(Workqueue, AWorkThatDoesNotSleepKeepsTheOthersWaiting) {
  RunWell(1, [] {
    a_job(1, [] {
      for (int i = 0; i < 1000; ++i) STEP("busy", i);
      cond_resched();
      EXPECT_EQ(t->order.size(), 1u);
    });
    schedule_work(&t->jobs[1].work);
    schedule_work(&a_job(2)->work);
    flush_scheduled_work();
    EXPECT_EQ(t->most_at_work, 1);
    EXPECT_EQ(t->jobs[1].worker, t->jobs[2].worker);
  });
}

TEST(Workqueue, AnIntensiveWorkKeepsNobodyWaiting) {
  RunWell(1, [] {
    const auto wq = alloc_workqueue("busy", WQ_CPU_INTENSIVE, 0);
    a_job(1, [] {
      while (t->jobs[2].runs == 0) schedule();  // never sleeps
    });
    queue_work(wq, &t->jobs[1].work);
    queue_work(wq, &a_job(2)->work);
    flush_workqueue(wq);
    EXPECT_EQ(t->most_at_work, 2);
    destroy_workqueue(wq);
  });
}

TEST(Workqueue, WorkersAreMadeWhileWorksSleep) {
  TestKernel kernel;
  kernel.Spawn("test", [] {
    start();
    for (int i = 0; i < 6; ++i) schedule_work(&a_sleeper(i)->work);
    for (int i = 0; i < 6; ++i) wait_for_completion(&t->begun);
    EXPECT_EQ(t->at_work, 6);
    complete_all(&t->go);
    flush_scheduled_work();
  });
  EXPECT_EQ(kernel.Run(), "");
  EnterMachine enter(kernel.machine);
  std::vector<std::string> workers;
  for (int i = 0; i < 6; ++i) workers.push_back(t->jobs[i].worker);
  EXPECT_THAT(workers, UnorderedElementsAre("kworker/0:0", "kworker/0:1", "kworker/0:2",
                                            "kworker/0:3", "kworker/0:4", "kworker/0:5"));
  // More than two idle ones have ended, five minutes later.
  int left = 0;
  for (const task_struct* task : AllTasks(kernel.machine)) {
    left += task->comm.starts_with("kworker/0:") && !task->comm.ends_with("H");
  }
  EXPECT_EQ(left, 2);
  EXPECT_GE(kernel.machine.now_ns(), 300 * NSEC_PER_SEC);
}

// ---- max_active ----

TEST(Workqueue, NoMoreThanMaxActiveWorksAreBegun) {
  RunWell(1, [] {
    const auto wq = alloc_workqueue("two", 0, 2);
    for (int i = 0; i < 5; ++i) queue_work(wq, &a_sleeper(i)->work);
    msleep(20);
    EXPECT_THAT(t->order, ElementsAre("0", "1"));
    schedule_work(&a_job(9)->work);  // another workqueue's go on
    flush_work(&t->jobs[9].work);
    complete(&t->go);
    msleep(20);
    EXPECT_THAT(t->order, ElementsAre("0", "1", "9", "2"));
    complete_all(&t->go);
    flush_workqueue(wq);
    EXPECT_EQ(t->most_at_work, 3);
    EXPECT_EQ(t->order.back(), "4");
    destroy_workqueue(wq);
  });
}

TEST(Workqueue, AnOrderedOneDoesOneAtATimeWhereverItIsQueued) {
  RunWell(2, [] {
    const auto wq = alloc_ordered_workqueue("ordered", 0);
    for (int i = 0; i < 6; ++i) {
      queue_work_on(i % 2, wq, &a_job(i, [] { msleep(4); })->work);
    }
    flush_workqueue(wq);
    EXPECT_THAT(t->order, ElementsAre("0", "1", "2", "3", "4", "5"));
    EXPECT_EQ(t->most_at_work, 1);
    destroy_workqueue(wq);
  });
}

// ---- Later ----

struct later {
  delayed_work work;
  int runs = 0;
  unsigned long ran_at = 0;
  int cpu = -1;
};
KernelGlobal<later> l;

void run_later(work_struct* work) {
  FUNCTION();
  auto* done = container_of(to_delayed_work(work), &later::work);
  ++done->runs;
  done->ran_at = jiffies;
  done->cpu = smp_processor_id();
}

TEST(DelayedWork, RunsWhenTheTimeIsOver) {
  RunWell(2, [] {
    INIT_DELAYED_WORK(&l->work, run_later);
    const unsigned long queued_at = jiffies;
    EXPECT_TRUE(queue_delayed_work_on(1, system_wq(), &l->work, 5));
    EXPECT_FALSE(schedule_delayed_work(&l->work, 1));  // pending already
    EXPECT_TRUE(delayed_work_pending(&l->work));
    msleep(60);
    EXPECT_EQ(l->runs, 1);
    EXPECT_GE(l->ran_at, queued_at + 5);
    EXPECT_LE(l->ran_at, queued_at + 7);
    EXPECT_EQ(l->cpu, 1);
  });
}

TEST(DelayedWork, ModMovesIt) {
  RunWell(1, [] {
    INIT_DELAYED_WORK(&l->work, run_later);
    const unsigned long start = jiffies;
    EXPECT_FALSE(mod_delayed_work(system_wq(), &l->work, 100));
    EXPECT_TRUE(mod_delayed_work(system_wq(), &l->work, 10));
    flush_work(&l->work.work);  // not queued yet: nothing to wait for
    EXPECT_EQ(l->runs, 0);
    msleep(80);
    EXPECT_EQ(l->runs, 1);
    EXPECT_LT(l->ran_at, start + 20);
    EXPECT_FALSE(mod_delayed_work(system_wq(), &l->work, 0));  // at once
    EXPECT_TRUE(mod_delayed_work(system_wq(), &l->work, 0));   // taken off first
    EXPECT_TRUE(flush_work(&l->work.work));
    EXPECT_EQ(l->runs, 2);
  });
}

TEST(DelayedWork, FlushDoesNotWaitForTheTimer) {
  RunWell(1, [] {
    INIT_DELAYED_WORK(&l->work, run_later);
    schedule_delayed_work(&l->work, 1000);
    EXPECT_TRUE(flush_delayed_work(&l->work));
    EXPECT_EQ(l->runs, 1);
    EXPECT_LT(jiffies, INITIAL_JIFFIES + 100);
    EXPECT_FALSE(flush_delayed_work(&l->work));
  });
}

TEST(DelayedWork, Cancel) {
  RunWell(1, [] {
    INIT_DELAYED_WORK(&l->work, run_later);
    EXPECT_FALSE(cancel_delayed_work(&l->work));
    schedule_delayed_work(&l->work, 5);
    EXPECT_TRUE(cancel_delayed_work(&l->work));
    EXPECT_FALSE(delayed_work_pending(&l->work));
    schedule_delayed_work(&l->work, 5);
    EXPECT_TRUE(cancel_delayed_work_sync(&l->work));
    schedule_delayed_work(&l->work, 0);  // queued, not begun
    EXPECT_TRUE(cancel_delayed_work_sync(&l->work));
    msleep(50);
    EXPECT_EQ(l->runs, 0);
  });
}

struct after_gp {
  rcu_work work;
  int runs = 0;
  uint64_t ran_at = 0;  // how many grace periods had ended
};
KernelGlobal<after_gp> r;

void run_after_gp(work_struct* work) {
  FUNCTION();
  auto* done = container_of(to_rcu_work(work), &after_gp::work);
  ++done->runs;
  done->ran_at = rcu_batches_completed();
}

TEST(RcuWork, RunsAfterAGracePeriod) {
  RunWell(2, [] {
    INIT_RCU_WORK(&r->work, run_after_gp);
    rcu_read_lock();
    const uint64_t ended = rcu_batches_completed();
    EXPECT_TRUE(queue_rcu_work(system_wq(), &r->work));
    EXPECT_FALSE(queue_rcu_work(system_wq(), &r->work));
    for (int i = 0; i < 1000; ++i) STEP("a reader", i);
    EXPECT_EQ(r->runs, 0);
    rcu_read_unlock();
    EXPECT_TRUE(flush_rcu_work(&r->work));
    EXPECT_EQ(r->runs, 1);
    EXPECT_GT(r->ran_at, ended);
    EXPECT_FALSE(flush_rcu_work(&r->work));
  });
}

// ---- How it looks ----

class Names : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override {
    if (event.kind == ProbeEvent::Kind::kFunctionEnter)
      text += std::string(event.function->name) + "{";
    if (event.kind == ProbeEvent::Kind::kFunctionExit) text += "}";
  }
  std::string text;
};

TEST(Workqueue, QueueingLooksAsInTheRecordings) {
  TestKernel kernel;
  Names names;
  kernel.Spawn("test", [&] {
    start();
    a_job(1);
    kernel.machine.AddListener(&names);
    schedule_work(&t->jobs[1].work);
    kernel.machine.RemoveListener(&names);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_THAT(names.text, StartsWith("queue_work_on{__queue_work{get_work_pool{}_raw_spin_lock{}"
                                     "insert_work{wake_up_worker{wake_up_process{try_to_wake_up{"
                                     "wq_worker_waking_up{kthread_data{}}"));
}

TEST(Workqueue, DoingTheWorkLooksAsInTheRecordings) {
  TestKernel kernel;
  Names names;
  kernel.Spawn("test", [&] {
    start();
    a_job(1);
    schedule_work(&t->jobs[1].work);
    kernel.machine.AddListener(&names);
  });
  EXPECT_EQ(kernel.Run(), "");
  kernel.machine.RemoveListener(&names);
  EXPECT_THAT(names.text,
              HasSubstr("finish_task_switch{}_raw_spin_lock_irq{}process_one_work{get_work_pwq{}"
                        "find_worker_executing_work{}_raw_spin_unlock_irq{}run_job{}"
                        "_cond_resched{rcu_all_qs{}}_raw_spin_lock_irq{}"
                        "pwq_dec_nr_in_flight{put_pwq{}}}worker_enter_idle{too_many_workers{}}"
                        "_raw_spin_unlock_irq{}schedule{"));
  EXPECT_THAT(names.text, HasSubstr("deactivate_task{}wq_worker_sleeping{kthread_data{}}"));
}

}  // namespace
}  // namespace kpath
