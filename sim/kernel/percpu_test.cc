// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/percpu.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct counter {
  static constexpr const char* kSlabName = "counter";
  int value = 0;
};

TEST(Percpu, EachCpuHasItsOwn) {
  TestKernel kernel(3);
  percpu_ptr<counter> counters;
  {
    EnterMachine enter(kernel.machine);
    counters = alloc_percpu<counter>();
  }
  for (int i = 0; i < 3; ++i) {
    kernel.Spawn("a", [&] {
      for (int j = 0; j < 100; ++j) STEP("all CPUs are busy", j);
      this_cpu_ptr(counters)->value += 10 + smp_processor_id();
    });
  }
  EXPECT_EQ(kernel.Run(), "");
  EnterMachine enter(kernel.machine);
  for (int cpu = 0; cpu < 3; ++cpu) EXPECT_EQ(per_cpu_ptr(counters, cpu)->value, 10 + cpu);
  free_percpu(counters);
  EXPECT_EQ(DescribeLeaks(TestKernel::KeptByKernel()), "");
}

TEST(Percpu, MemoryMayBeExhausted) {
  TestKernel kernel(1,
                    std::make_unique<ReplayChooser>(ChoiceLog{{0, ChoiceKind::kFailAlloc, 2, 1}}));
  EnterMachine enter(kernel.machine);
  EXPECT_FALSE(alloc_percpu<counter>());
  EXPECT_TRUE(alloc_percpu_gfp<counter>(GFP_ATOMIC));
  free_percpu(percpu_ptr<counter>());  // null is allowed
}

TEST(PercpuReport, UseAfterFree) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    const percpu_ptr<counter> counters = alloc_percpu<counter>();
    free_percpu(counters);
    this_cpu_ptr(counters)->value = 1;
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: KASAN: use-after-free in "));
}

TEST(PercpuReport, DoubleFree) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    const percpu_ptr<counter> counters = alloc_percpu<counter>();
    free_percpu(counters);
    free_percpu(counters);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: KASAN: double-free or invalid-free in "));
}

TEST(PercpuReport, AllocatingWhereSleepingIsNotAllowed) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    preempt_disable();
    alloc_percpu<counter>();
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: sleeping function called from invalid context\n"));
}

TEST(PercpuReport, ALeakIsNamed) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  alloc_percpu<counter>();
  EXPECT_THAT(DescribeLeaks(TestKernel::KeptByKernel()), HasSubstr("BUG counter: object 0x"));
}

}  // namespace
}  // namespace kpath
