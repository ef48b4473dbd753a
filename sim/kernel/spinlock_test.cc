// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/spinlock.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/lockdep.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct things {
  spinlock_t lock{"things.lock"};
  spinlock_t other{"things.other"};
  int inside = 0;
  int total = 0;
};
KernelGlobal<things> t;

// Work that another CPU could disturb at each step.
void critical_section() {
  FUNCTION();
  EXPECT_EQ(++t->inside, 1);
  for (int i = 0; i < 20; ++i) STEP("inside", i);
  EXPECT_EQ(--t->inside, 0);
  ++t->total;
}

TEST(Spinlock, LetsOneCpuInAtATime) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    TestKernel kernel(4, std::make_unique<SeededChooser>(seed, 2));
    for (int i = 0; i < 4; ++i) {
      kernel.Spawn("t", [] {
        for (int j = 0; j < 10; ++j) {
          spin_lock(&t->lock);
          critical_section();
          spin_unlock(&t->lock);
        }
      });
    }
    ASSERT_EQ(kernel.Run(), "") << "seed " << seed;
    EXPECT_EQ(t.Get(kernel.machine).total, 40);
  }
}

// The same without the lock must be noticed, or the test above shows nothing.
TEST(Spinlock, WithoutItTwoCpusMeet) {
  TestKernel kernel(2);
  bool met = false;
  for (int i = 0; i < 2; ++i) {
    kernel.Spawn("t", [&] {
      for (int j = 0; j < 10; ++j) {
        met = met || ++t->inside > 1;
        for (int k = 0; k < 20; ++k) STEP("inside", k);
        --t->inside;
      }
    });
  }
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_TRUE(met);
}

TEST(Spinlock, TurnsPreemptionAndInterruptsOffAndOnAgain) {
  TestKernel kernel;
  kernel.Spawn("a", [] {
    spin_lock(&t->lock);
    EXPECT_EQ(current->preempt_count, 1);
    EXPECT_FALSE(irqs_disabled());
    EXPECT_TRUE(spin_is_locked(&t->lock));
    unsigned long flags;
    spin_lock_irqsave(&t->other, flags);
    EXPECT_EQ(current->preempt_count, 2);
    EXPECT_TRUE(irqs_disabled());
    unsigned long inner;
    EXPECT_EQ(spin_trylock_irqsave(&t->lock, inner), 0);
    EXPECT_TRUE(irqs_disabled());
    spin_unlock_irqrestore(&t->other, flags);
    EXPECT_FALSE(irqs_disabled());
    spin_unlock(&t->lock);
    EXPECT_EQ(current->preempt_count, 0);
    spin_lock_irq(&t->other);
    EXPECT_TRUE(irqs_disabled());
    spin_unlock_irq(&t->other);
    EXPECT_FALSE(irqs_disabled());
    spin_lock_bh(&t->lock);
    EXPECT_TRUE(in_interrupt());
    spin_unlock_bh(&t->lock);
    EXPECT_EQ(current->preempt_count, 0);
    EXPECT_FALSE(spin_is_locked(&t->lock));
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(Spinlock, TrylockTakesAFreeLockOnly) {
  TestKernel kernel;
  kernel.Spawn("a", [] {
    EXPECT_EQ(spin_trylock(&t->lock), 1);
    EXPECT_EQ(spin_trylock(&t->lock), 0);
    EXPECT_EQ(current->preempt_count, 1);
    spin_unlock(&t->lock);
    EXPECT_EQ(spin_trylock(&t->lock), 1);
    spin_unlock(&t->lock);
  });
  EXPECT_EQ(kernel.Run(), "");
}

// ---- Reports ----

TEST(SpinlockReport, Recursion) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    spin_lock(&t->lock);
    spin_lock(&t->lock);
  });
  EXPECT_THAT(kernel.Run(),
              StartsWith("BUG: spinlock recursion on CPU#0, culprit/1\n lock: things.lock, .magic: "
                         "dead4ead, .owner: culprit/1, .owner_cpu: 0\nCPU: 0 PID: 1"));
}

TEST(SpinlockReport, AlreadyUnlocked) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] { spin_unlock(&t->lock); });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: spinlock already unlocked on CPU#0, culprit/1\n"));
}

TEST(SpinlockReport, WrongOwner) {
  TestKernel kernel(2);
  kernel.Spawn("owner", [] {
    spin_lock(&t->lock);
    for (int i = 0; i < 1000; ++i) STEP("busy", i);
  });
  kernel.Spawn("culprit", [] {
    while (!spin_is_locked(&t->lock)) STEP("not yet");
    spin_unlock(&t->lock);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: spinlock wrong owner on CPU#1, culprit/2\n lock: "
                                       "things.lock, .magic: dead4ead, .owner: owner/1"));
}

TEST(SpinlockReport, NotInitialised) {
  TestKernel kernel;
  spinlock_t lock;
  kernel.Spawn("culprit", [&] { spin_lock(&lock); });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: spinlock bad magic on CPU#0, culprit/1\n lock: ?"));
}

struct thing {
  static constexpr const char* kSlabName = "thing";
  spinlock_t lock;
};
KernelGlobal<kmem_cache<thing>> thing_cachep;

TEST(SpinlockReport, TheLockOfAFreedObject) {
  TestKernel kernel;
  kernel.Spawn("culprit", [&] {
    const kptr<thing> object = kmem_cache_zalloc(*thing_cachep, GFP_KERNEL);
    spin_lock_init(&object->lock);
    spinlock_t* lock = &object->lock;
    spin_lock(lock);
    spin_unlock(lock);
    kmem_cache_free(*thing_cachep, object);
    spin_lock(lock);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: spinlock bad magic on CPU#0, culprit/1\n lock: ?, "
                                       ".magic: 6b6b6b6b, .owner: <none>/-1"));
}

TEST(SpinlockReport, SleepingWithALock) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    spin_lock(&t->lock);
    schedule();
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: scheduling while atomic: culprit/1/0x00000001\n"));
}

// Two CPUs, each with a lock that the other one wants.
void AbBa(TestKernel& kernel) {
  const auto take = [](spinlock_t* first, spinlock_t* second) {
    spin_lock(first);
    for (int i = 0; i < 200; ++i) STEP("meanwhile", i);
    spin_lock(second);
    spin_unlock(second);
    spin_unlock(first);
  };
  kernel.Spawn("a", [take] { take(&t->lock, &t->other); });
  kernel.Spawn("b", [take] { take(&t->other, &t->lock); });
}

TEST(SpinlockReport, LockupOfTwoCpus) {
  TestKernel kernel(2);
  EnterMachine enter(kernel.machine);
  SetProveLocking(false);
  AbBa(kernel);
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: spinlock lockup suspected on CPU#"));
}

TEST(SpinlockReport, LockupWithAnOwnerThatIsGone) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  spin_lock(&t->lock);  // in the boot context, which never runs
  kernel.Spawn("a", [] { spin_lock(&t->lock); });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: spinlock lockup suspected on CPU#0, a/1\n lock: "
                                       "things.lock, .magic: dead4ead, .owner: swapper/0"));
}

TEST(SpinlockReport, TheOrderIsWrongEvenWhereNothingLocksUp) {
  TestKernel kernel;
  AbBa(kernel);
  EXPECT_THAT(kernel.Run(), StartsWith("WARNING: possible circular locking dependency detected\n"
                                       "b/2 is trying to acquire lock:\n things.lock, in "));
}

}  // namespace
}  // namespace kpath
