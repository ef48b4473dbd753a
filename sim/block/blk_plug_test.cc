// SPDX-License-Identifier: Apache-2.0
#include "sim/block/blk_plug.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

// The modelled functions of block/ that were entered, in order.
class Calls : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override {
    if (event.kind != ProbeEvent::Kind::kFunctionEnter) return;
    const std::string name = event.function->name;
    if (name.find("plug") != std::string::npos) {
      names.push_back(name + (event.values.empty() ? "" : event.values[1].ToString()));
    }
  }
  std::vector<std::string> names;
};

TEST(BlkPlug, TheOutermostPlugIsTheTasksPlug) {
  TestKernel kernel;
  kernel.Spawn("t", [] {
    blk_plug outer, inner;
    blk_start_plug(&outer);
    EXPECT_EQ(current->plug, &outer);
    blk_start_plug(&inner);
    EXPECT_EQ(current->plug, &outer);
    blk_finish_plug(&inner);
    EXPECT_EQ(current->plug, &outer);
    blk_finish_plug(&outer);
    EXPECT_EQ(current->plug, nullptr);
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(BlkPlug, OnlyTheOutermostFinishFlushes) {
  TestKernel kernel;
  Calls calls;
  kernel.machine.AddListener(&calls);
  kernel.Spawn("t", [] {
    blk_plug outer, inner;
    blk_start_plug(&outer);
    blk_start_plug(&inner);
    blk_finish_plug(&inner);
    blk_finish_plug(&outer);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(calls.names,
            (std::vector<std::string>{"blk_start_plug", "blk_start_plug", "blk_finish_plug",
                                      "blk_finish_plug", "blk_flush_plug_listfalse"}));
}

TEST(BlkPlug, GoingToSleepFlushesThePlugFromSchedule) {
  TestKernel kernel;
  {
    EnterMachine enter(kernel.machine);
    blk_init();
  }
  Calls calls;
  kernel.machine.AddListener(&calls);
  task_struct* sleeper = kernel.Spawn("sleeper", [] {
    blk_plug plug;
    blk_start_plug(&plug);
    set_tsk_thread_flag(current, TIF_NEED_RESCHED);
    cond_resched();  // keeps the plug
    set_current_state(TASK_UNINTERRUPTIBLE);
    schedule();
    blk_finish_plug(&plug);
  });
  kernel.Spawn("waker", [&] {
    while (sleeper->state != TASK_UNINTERRUPTIBLE) {
      set_tsk_thread_flag(current, TIF_NEED_RESCHED);
      cond_resched();
    }
    wake_up_process(sleeper);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(calls.names, (std::vector<std::string>{"blk_start_plug", "blk_flush_plug_listtrue",
                                                   "blk_finish_plug", "blk_flush_plug_listfalse"}));
}

}  // namespace
}  // namespace kpath
