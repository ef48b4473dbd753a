// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/completion.h"

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
  things() { init_completion(&done); }
  completion done;
};
KernelGlobal<things> t;

TEST(Completion, TheWaiterGoesOnWhenItIsDone) {
  TestKernel kernel;
  std::string order;
  kernel.Spawn("waiter", [&] {
    wait_for_completion(&t->done);
    order += "waited";
    EXPECT_FALSE(completion_done(&t->done));
  });
  kernel.Spawn("worker", [&] {
    order += "done ";
    complete(&t->done);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(order, "done waited");
}

TEST(Completion, WhatIsDoneAlreadyIsNotWaitedFor) {
  TestKernel kernel;
  kernel.Spawn("a", [] {
    complete(&t->done);
    complete(&t->done);
    EXPECT_EQ(t->done.done, 2u);
    wait_for_completion(&t->done);
    EXPECT_TRUE(try_wait_for_completion(&t->done));
    EXPECT_FALSE(try_wait_for_completion(&t->done));
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(Completion, OneCompleteLetsOneWaiterGoFirstComeFirstServed) {
  TestKernel kernel;
  std::string order;
  for (const char* name : {"1", "2", "3"}) {
    kernel.Spawn(name, [&, name] {
      wait_for_completion(&t->done);
      order += name;
    });
  }
  kernel.Spawn("worker", [] {
    complete(&t->done);
    complete(&t->done);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("INFO: task 3:3 blocked for ever. State: D\n"));
  EXPECT_EQ(order, "12");
}

TEST(Completion, CompleteAllLetsAllGoForEver) {
  TestKernel kernel;
  int waited = 0;
  for (int i = 0; i < 3; ++i) {
    kernel.Spawn("waiter", [&] {
      wait_for_completion(&t->done);
      ++waited;
    });
  }
  kernel.Spawn("worker", [&] {
    complete_all(&t->done);
    wait_for_completion(&t->done);
    wait_for_completion(&t->done);
    EXPECT_TRUE(completion_done(&t->done));
    msleep(1);  // who was woken has to see it before it is taken back
    reinit_completion(&t->done);
    EXPECT_FALSE(completion_done(&t->done));
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(waited, 3);
}

TEST(Completion, Timeouts) {
  TestKernel kernel;
  kernel.Spawn("waiter", [] {
    const unsigned long before = jiffies;
    EXPECT_EQ(wait_for_completion_timeout(&t->done, 5), 0u);
    EXPECT_GT(jiffies - before, 5u);
    EXPECT_EQ(t->done.wait.head.size(), 0u);
    const unsigned long left = wait_for_completion_timeout(&t->done, 100);
    EXPECT_GT(left, 50u);
    EXPECT_LT(left, 100u);
    complete(&t->done);
    EXPECT_EQ(wait_for_completion_timeout(&t->done, 0), 1u);
  });
  kernel.Spawn("worker", [] {
    msleep(80);
    complete(&t->done);
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(Completion, Signals) {
  TestKernel kernel;
  task_struct* waiter = kernel.Spawn("waiter", [] {
    EXPECT_EQ(wait_for_completion_interruptible(&t->done), -ERESTARTSYS);
    EXPECT_EQ(wait_for_completion_killable(&t->done), 0);
  });
  kernel.Spawn("worker", [&] {
    set_tsk_thread_flag(waiter, TIF_SIGPENDING);
    wake_up_process(waiter);
    msleep(5);
    complete(&t->done);
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(Completion, NoneIsLostOrCountedTwice) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    TestKernel kernel(3, std::make_unique<SeededChooser>(seed, 2));
    for (int i = 0; i < 3; ++i) {
      kernel.Spawn("waiter", [] {
        for (int j = 0; j < 4; ++j) wait_for_completion(&t->done);
      });
      kernel.Spawn("worker", [] {
        for (int j = 0; j < 4; ++j) complete(&t->done);
      });
    }
    ASSERT_EQ(kernel.Run(), "") << "seed " << seed;
    EXPECT_EQ(t.Get(kernel.machine).done.done, 0u);
  }
}

// The names and the order of the functions, as a recording of v4.19 has them (io_destroy).
TEST(Completion, CallsWhatTheKernelCalls) {
  class Names : public ProbeListener {
   public:
    void OnProbe(const ProbeEvent& event) override {
      if (event.kind != ProbeEvent::Kind::kFunctionEnter) return;
      const std::string name = event.function->name;
      if (name == "_raw_spin_lock_irq" || name.rfind("schedule", 0) == 0 ||
          name == "wait_for_completion") {
        text += name + " ";
      }
    }
    std::string text;
  };
  TestKernel kernel;
  Names names;
  kernel.machine.AddListener(&names);
  kernel.Spawn("waiter", [] { wait_for_completion(&t->done); });
  EXPECT_THAT(kernel.Run(), HasSubstr("\n schedule\n schedule_timeout\n wait_for_completion"));
  EXPECT_THAT(names.text,
              HasSubstr("wait_for_completion _raw_spin_lock_irq schedule_timeout schedule "));
  kernel.machine.RemoveListener(&names);
}

TEST(CompletionReport, WaitingWithALockHeld) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    preempt_disable();
    wait_for_completion(&t->done);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: sleeping function called from invalid context\n"));
}

}  // namespace
}  // namespace kpath
