// SPDX-License-Identifier: Apache-2.0
#include "sim/block/blk_plug.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sim/kernel/test_kernel.h"
#include "sim/kernel/timer.h"

namespace kpath {
namespace {

// The modelled functions of block/ that were entered, in order.
class Calls : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override {
    if (event.kind != ProbeEvent::Kind::kFunctionEnter) return;
    const std::string name = event.function->name;
    if (name.find("plug") != std::string::npos) {
      names.push_back(name + (event.values.empty() ? "" : event.values[0].ToString()));
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

// What is in it: blk_mq_test.cc.
TEST(BlkPlug, AnEmptyPlugIsNotFlushedByASleep) {
  TestKernel kernel;
  {
    EnterMachine enter(kernel.machine);
    blk_init();
  }
  Calls calls;
  kernel.machine.AddListener(&calls);
  kernel.Spawn("sleeper", [] {
    blk_plug plug;
    blk_start_plug(&plug);
    schedule_timeout_uninterruptible(2);
    blk_finish_plug(&plug);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(calls.names, (std::vector<std::string>{"blk_start_plug", "blk_finish_plug",
                                                   "blk_flush_plug_listfalse"}));
}

}  // namespace
}  // namespace kpath
