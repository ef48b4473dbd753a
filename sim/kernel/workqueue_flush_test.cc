// SPDX-License-Identifier: Apache-2.0
//
// Workqueues: waiting for works, cancelling them, running out of memory, misuse, any order of
// events.
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/test_workqueue.h"
#include "sim/kernel/workqueue.h"

namespace kpath {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

// ---- Waiting ----

TEST(Flush, WaitsForAWorkThatRunsButNotForItsNextRun) {
  RunWell(1, [] {
    job* a = a_sleeper(1);
    EXPECT_FALSE(flush_work(&a->work));  // never queued
    schedule_work(&a->work);
    wait_for_completion(&t->begun);
    a_job(2, [] { complete_all(&t->go); });
    schedule_work(&t->jobs[2].work);
    EXPECT_TRUE(flush_work(&a->work));
    EXPECT_FALSE(a->running);
    EXPECT_FALSE(flush_work(&a->work));
  });
}

TEST(Flush, TheWholeQueueWithoutWhatComesLater) {
  RunWell(2, [] {
    const auto wq = alloc_workqueue("q", 0, 1);
    for (int i = 0; i < 8; ++i) {
      queue_work_on(i % 2, wq, &a_job(i, [] { msleep(4); })->work);
    }
    // Queues another one, which is not waited for.
    t->jobs[0].body = [wq] { queue_work(wq, &a_sleeper(20)->work); };
    flush_workqueue(wq);
    for (int i = 0; i < 8; ++i) EXPECT_EQ(t->jobs[i].runs, 1);
    EXPECT_TRUE(work_busy(&t->jobs[20].work) != 0);
    complete_all(&t->go);
    destroy_workqueue(wq);  // this one waits
    EXPECT_FALSE(t->jobs[20].running);
    EXPECT_EQ(t->jobs[20].runs, 1);
  });
}

// More flushers than there are colours, while works are done and queued.
TEST(Flush, ManyAtATime) {
  TestKernel kernel(2);
  int ended = 0;
  kernel.Spawn("test", [&] {
    start();
    const auto wq = alloc_workqueue("q", 0, 0);
    for (int i = 0; i < 40; ++i) {
      queue_work_on(i % 2, wq, &a_sleeper(i)->work);
      kernel.Spawn("flusher", [&ended, wq, i] {
        flush_workqueue(wq);
        EXPECT_EQ(t->jobs[i].runs, 1);
        EXPECT_FALSE(t->jobs[i].running);
        ++ended;
      });
      wait_for_completion(&t->begun);
      msleep(4);
    }
    for (int i = 0; i < 40; ++i) {
      complete(&t->go);
      msleep(4);
      EXPECT_LE(ended, i + 1);
    }
    while (ended < 40) msleep(4);
    destroy_workqueue(wq);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(ended, 40);
}

TEST(Flush, DrainWaitsForWhatItsWorksQueue) {
  RunWell(1, [] {
    const auto wq = alloc_workqueue("q", 0, 0);
    job* a = a_job(1);
    a->body = [a, wq] {
      msleep(4);
      if (a->runs < 5) queue_work(wq, &a->work);
    };
    queue_work(wq, &a->work);
    drain_workqueue(wq);
    EXPECT_EQ(a->runs, 5);
    destroy_workqueue(wq);
  });
}

// ---- Cancelling ----

TEST(Cancel, APendingWorkDoesNotRun) {
  RunWell(1, [] {
    job* a = a_job(1);
    EXPECT_FALSE(cancel_work_sync(&a->work));
    schedule_work(&a->work);
    EXPECT_TRUE(cancel_work_sync(&a->work));
    EXPECT_FALSE(work_pending(&a->work));
    flush_scheduled_work();
    EXPECT_EQ(a->runs, 0);
    EXPECT_TRUE(schedule_work(&a->work));  // may be used again
    EXPECT_TRUE(flush_work(&a->work));
    EXPECT_EQ(a->runs, 1);
  });
}

TEST(Cancel, ARunningWorkIsWaitedFor) {
  RunWell(1, [] {
    job* a = a_job(1, [] {
      complete(&t->begun);
      msleep(20);
    });
    schedule_work(&a->work);
    wait_for_completion(&t->begun);
    EXPECT_FALSE(cancel_work_sync(&a->work));  // it was not pending
    EXPECT_FALSE(a->running);
    EXPECT_EQ(a->runs, 1);
  });
}

TEST(Cancel, AWorkThatQueuesItselfIsStopped) {
  RunWell(2, [] {
    job* a = a_job(1);
    a->body = [a] {
      msleep(4);
      schedule_work(&a->work);
    };
    schedule_work(&a->work);
    msleep(50);
    cancel_work_sync(&a->work);
    const int runs = a->runs;
    EXPECT_GT(runs, 1);
    msleep(50);
    EXPECT_EQ(a->runs, runs);
    EXPECT_FALSE(work_pending(&a->work));
  });
}

TEST(Cancel, AWorkThatWaitsForItsTurnIsTakenOffToo) {
  RunWell(1, [] {
    const auto wq = alloc_workqueue("one", 0, 1);
    for (int i = 0; i < 3; ++i) queue_work(wq, &a_sleeper(i)->work);
    wait_for_completion(&t->begun);
    EXPECT_TRUE(cancel_work_sync(&t->jobs[1].work));
    complete_all(&t->go);
    destroy_workqueue(wq);
    EXPECT_THAT(t->order, ElementsAre("0", "2"));
  });
}

TEST(Cancel, TwoAtATime) {
  TestKernel kernel(2);
  int ended = 0;
  kernel.Spawn("first", [&] {
    start();
    schedule_work(&a_sleeper(1)->work);
    wait_for_completion(&t->begun);
    for (int i = 0; i < 2; ++i) {
      kernel.Spawn("other", [&] {
        cancel_work_sync(&t->jobs[1].work);
        EXPECT_FALSE(t->jobs[1].running);
        ++ended;
      });
    }
    msleep(20);
    EXPECT_EQ(ended, 0);
    complete_all(&t->go);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(ended, 2);
}

// ---- Memory ----

class FailOne : public Chooser {
 public:
  explicit FailOne(int which) : left_(which) {}
  int Choose(uint64_t, ChoiceKind kind, int) override {
    return kind == ChoiceKind::kFailAlloc && left_-- == 0 ? 1 : 0;
  }

 private:
  int left_;
};

TEST(WorkqueueMemory, MakingOneMayFailAndLeavesNothing) {
  for (int which = 0; which < 3; ++which) {
    TestKernel kernel(1, std::make_unique<FailOne>(which));
    kernel.Spawn("test", [which] {
      const std::string before = DescribeLeaks({});
      const auto wq = alloc_workqueue("q", 0, 0);
      EXPECT_EQ(static_cast<bool>(wq), which == 2) << which;
      if (wq) destroy_workqueue(wq);
      rcu_barrier();
      EXPECT_EQ(DescribeLeaks({}), before) << which;
    });
    EXPECT_EQ(kernel.Run(), "");
  }
}

TEST(WorkqueueMemory, WhereNoWorkerCanBeMadeWorksWait) {
  TestKernel kernel(1, std::make_unique<FailOne>(0));
  kernel.Spawn("test", [] {
    start();
    schedule_work(&a_sleeper(0)->work);
    wait_for_completion(&t->begun);
    const unsigned long start = jiffies;
    schedule_work(&a_job(1)->work);  // the last idle worker has to make another one first
    flush_work(&t->jobs[1].work);
    EXPECT_GE(jiffies, start + HZ);
    EXPECT_EQ(t->jobs[1].runs, 1);
    complete_all(&t->go);
  });
  EXPECT_EQ(kernel.Run(), "");
}

// ---- Misuse ----

TEST(WorkqueueReport, AWorkThatKeepsALock) {
  EXPECT_THAT(RunTask(1,
                      [] {
                        a_job(1, [] { preempt_disable(); });
                        schedule_work(&t->jobs[1].work);
                        flush_scheduled_work();
                      }),
              StartsWith("BUG: workqueue leaked lock or atomic: kworker/0:1/0x00000001/"));
}

TEST(WorkqueueReport, AWorkThatIsNotInitialised) {
  EXPECT_THAT(RunTask(1,
                      [] {
                        work_struct work;
                        schedule_work(&work);
                      }),
              StartsWith("BUG: work is not initialised, or its memory was freed\n"));
}

TEST(WorkqueueReport, UseAfterDestroy) {
  EXPECT_THAT(RunTask(1,
                      [] {
                        const auto wq = alloc_workqueue("q", 0, 0);
                        destroy_workqueue(wq);
                        rcu_barrier();
                        queue_work(wq, &a_job(1)->work);
                      }),
              StartsWith("BUG: KASAN: use-after-free in __queue_work"));
}

TEST(WorkqueueReport, QueueingFromOutsideWhileDraining) {
  TestKernel kernel;
  kernel.Spawn("test", [&] {
    start();
    const auto wq = alloc_workqueue("q", 0, 0);
    queue_work(wq, &a_sleeper(1)->work);
    wait_for_completion(&t->begun);
    kernel.Spawn("outside", [wq] { queue_work(wq, &a_job(2)->work); });
    drain_workqueue(wq);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("WARNING: a work is queued from outside while its"));
}

TEST(WorkqueueReport, FlushingWhereSleepingIsNotAllowed) {
  EXPECT_THAT(RunTask(1,
                      [] {
                        preempt_disable();
                        flush_work(&a_job(1)->work);
                      }),
              StartsWith("BUG: sleeping function called from invalid context\n"));
}

// ---- Any order of events ----

class WorkqueueSeeds : public testing::TestWithParam<uint64_t> {};

// Tasks on all CPUs queue, cancel and flush works that sleep or do not, of four workqueues.
TEST_P(WorkqueueSeeds, EveryQueueingIsFollowedByARun) {
  constexpr int kJobs = 8;
  TestKernel kernel(3, std::make_unique<SeededChooser>(GetParam(), 4));
  std::mt19937_64 random(GetParam());
  int queued[kJobs] = {};
  int cancelled[kJobs] = {};
  int alive = 4;
  kernel.Spawn("main", [&] {
    start();
    const kptr<workqueue_struct> wqs[] = {
        alloc_workqueue("bound", 0, 2), alloc_workqueue("intensive", WQ_CPU_INTENSIVE, 0),
        alloc_workqueue("unbound", WQ_UNBOUND, 4), alloc_ordered_workqueue("ordered", 0)};
    for (int i = 0; i < kJobs; ++i) {
      a_job(i, [i] {
        if (i % 2 == 0) msleep(static_cast<unsigned>(i));
      });
    }
    for (int task = 0; task < 4; ++task) {
      kernel.Spawn("user", [&, wqs] {
        for (int i = 0; i < 40; ++i) {
          const auto which = random() % kJobs;
          work_struct* work = &t->jobs[which].work;
          const auto& wq = wqs[which % 4];
          switch (random() % 8) {
            case 0:
              cancelled[which] += cancel_work_sync(work);
              break;
            case 1:
              flush_work(work);
              break;
            case 2:
              flush_workqueue(wq);
              break;
            case 3:
              msleep(1);
              break;
            default:
              queued[which] += queue_work_on(static_cast<int>(random() % 3), wq, work);
          }
        }
        --alive;
      });
    }
    while (alive > 0) msleep(4);
    for (const auto& wq : wqs) destroy_workqueue(wq);
    rcu_barrier();
    EXPECT_EQ(DescribeLeaks({"worker"}).find("allocated by task"), std::string::npos);
  });
  ASSERT_EQ(kernel.Run(), "") << "seed " << GetParam();
  EnterMachine enter(kernel.machine);
  for (int i = 0; i < kJobs; ++i) {
    EXPECT_EQ(t->jobs[i].runs, queued[i] - cancelled[i]) << i << ", seed " << GetParam();
  }
}

INSTANTIATE_TEST_SUITE_P(All, WorkqueueSeeds, testing::Range<uint64_t>(0, 25));

}  // namespace
}  // namespace kpath
