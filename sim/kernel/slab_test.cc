// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/slab.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/slab_caches.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct thing {
  static constexpr const char* kSlabName = "thing";
  int value = 7;
};

KernelGlobal<kmem_cache<thing>> thing_cachep;

kptr<thing> make_thing() {
  FUNCTION();
  return fn.Return(kmem_cache_zalloc(*thing_cachep, GFP_KERNEL));
}

void drop_thing(kptr<thing> t) {
  FUNCTION(t);
  kmem_cache_free(*thing_cachep, t);
}

int use_thing(kptr<thing> t) {
  FUNCTION(t);
  return fn.Return(t->value);
}

TEST(Slab, ObjectsAreMadeUsedAndCounted) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  const kptr<thing> a = make_thing(), b = make_thing();
  EXPECT_EQ(use_thing(a), 7);
  EXPECT_NE(a.address(), b.address());
  EXPECT_EQ(thing_cachep->live(), 2);
  drop_thing(a);
  EXPECT_FALSE(a.alive());
  EXPECT_EQ(thing_cachep->live(), 1);
  EXPECT_EQ(DescribeLeaks({"thing", "worker", "workqueue_struct", "pool_workqueue"}), "");
  EXPECT_THAT(DescribeLeaks(TestKernel::KeptByKernel()), StartsWith("BUG thing: object 0x"));
  EXPECT_THAT(DescribeLeaks(TestKernel::KeptByKernel()),
              HasSubstr("Allocated by task 0 in kmem_cache_alloc"));
}

TEST(Slab, AFreedObjectsPlaceIsUsedAgain) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  const kptr<thing> a = make_thing();
  const uint64_t address = a.address();
  drop_thing(a);
  const kptr<thing> b = make_thing();
  EXPECT_EQ(b.address(), address);
  EXPECT_FALSE(a == b);
  EXPECT_FALSE(a.alive());
  EXPECT_TRUE(b.alive());
}

TEST(Slab, UseAfterFreeStopsTheMachine) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    const kptr<thing> t = make_thing();
    drop_thing(t);
    use_thing(t);
  });
  const std::string report = kernel.Run();
  EXPECT_THAT(report,
              StartsWith("BUG: KASAN: use-after-free in use_thing\nThe object at 0xffff8881"));
  EXPECT_THAT(report, HasSubstr("belongs to the cache thing of size 4"));
  EXPECT_THAT(report, HasSubstr("Comm: culprit"));
  EXPECT_THAT(report, HasSubstr("Call Trace:\n use_thing"));
}

TEST(Slab, UseAfterFreeIsNoticedWhenThePlaceIsInUseAgain) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    const kptr<thing> t = make_thing();
    drop_thing(t);
    make_thing();
    use_thing(t);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: KASAN: use-after-free in use_thing"));
}

// Made without being cleared, for fewer entries than there is room for.
struct table {
  static constexpr const char* kSlabName = "table";
  uint8_t used;
  uint8_t entries[99];

  table() {}
  size_t BytesWritten() const { return 1u + used; }
};

TEST(Slab, WhatIsNotUsedOfATableIsPoisonFromTheStart) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  for (const uint8_t used : {3, 50, 3}) {
    const kptr<table> t = kzalloc<table>(GFP_KERNEL);
    const auto* bytes = reinterpret_cast<const uint8_t*>(t.get());
    t->used = used;
    std::fill_n(t->entries, used, uint8_t{1});
    kfree(t);
    EXPECT_THAT(std::vector<uint8_t>(bytes, bytes + sizeof(table)), Each(0x6b)) << int{used};
  }
}

TEST(Slab, WhatIsNotUsedOfATableIsNotPoisonedAgain) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  const kptr<table> t = kzalloc<table>(GFP_KERNEL);
  const auto* bytes = reinterpret_cast<const uint8_t*>(t.get());
  t->used = 1;
  t->entries[0] = t->entries[1] = 1;  // the second is a lie
  kfree(t);
  EXPECT_EQ(bytes[1], 0x6b);
  EXPECT_EQ(bytes[2], 1);
}

TEST(Slab, DoubleFreeStopsTheMachine) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    const kptr<thing> t = make_thing();
    drop_thing(t);
    drop_thing(t);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: KASAN: double-free or invalid-free in "));
}

TEST(Slab, NullAndErrorPointersStopTheMachineWhenUsed) {
  TestKernel null_kernel, error_kernel;
  null_kernel.Spawn("culprit", [] { use_thing(nullptr); });
  EXPECT_THAT(
      null_kernel.Run(),
      StartsWith("BUG: unable to handle kernel NULL pointer dereference at 0x0000000000000000"));
  error_kernel.Spawn("culprit", [] { use_thing(Error(EINVAL)); });
  EXPECT_THAT(error_kernel.Run(),
              StartsWith("BUG: unable to handle kernel paging request at 0xffffffffffffffea"));
}

TEST(Slab, AllocationFailsWhenTheChoiceSaysSo) {
  TestKernel kernel(1,
                    std::make_unique<ReplayChooser>(ChoiceLog{{1, ChoiceKind::kFailAlloc, 2, 1}}));
  EnterMachine enter(kernel.machine);
  EXPECT_TRUE(make_thing());
  EXPECT_FALSE(make_thing());
  EXPECT_TRUE(make_thing());
  EXPECT_EQ(thing_cachep->live(), 2);
}

TEST(Slab, SleepingAllocationWithPreemptionOffIsReported) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    preempt_disable();
    make_thing();
  });
  EXPECT_THAT(kernel.Run(),
              StartsWith("BUG: sleeping function called from invalid context\n"
                         "in_atomic(): 1, irqs_disabled(): 0, pid: 1, name: culprit"));
}

struct text_thing {
  static constexpr const char* kSlabName = "text_thing";
  std::string text = "some text that does not fit into the string itself";
};

KernelGlobal<kmem_cache<text_thing>> text_thing_cachep;

// Between its allocation and its constructor: nobody looks into it, nor ends it with the machine.
TEST(Slab, AnObjectThatIsBeingMadeIsNotThereYet) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  SlabHeader* header = kmem_cache_alloc(*text_thing_cachep, GFP_KERNEL);
  EXPECT_TRUE(IsBeingMade(*header));
  EXPECT_EQ(text_thing_cachep->LiveObjects().size(), 1u);
  EXPECT_TRUE(LiveObjectsOf<text_thing>(kernel.machine).empty());
  const kptr<text_thing> made = kmem_cache_zalloc(*text_thing_cachep, GFP_KERNEL);
  EXPECT_EQ(LiveObjectsOf<text_thing>(kernel.machine).size(), 1u);
  EXPECT_FALSE(IsBeingMade(*HeaderOf(made.get())));
}

}  // namespace
}  // namespace kpath
