// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/percpu_ref.h"

#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/completion.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

using ::testing::StartsWith;

struct session {
  static constexpr const char* kSlabName = "session";
  percpu_ref refs;
  bool released = false;
  long naive = 1;  // the slow twin: one counter for all
};
KernelGlobal<kmem_cache<session>> sessions;

struct things {
  kptr<session> s;
  completion gone;
  bool confirmed = false;
};
KernelGlobal<things> t;

void release_session(percpu_ref* ref) {
  FUNCTION(ref);
  session* s = container_of(ref, &session::refs);
  EXPECT_FALSE(s->released) << "released twice";
  s->released = true;
  complete(&t->gone);
}

void make_session(unsigned flags = 0) {
  t->s = kmem_cache_zalloc(*sessions, GFP_KERNEL);
  init_completion(&t->gone);
  ASSERT_EQ(percpu_ref_init(&t->s->refs, release_session, flags, GFP_KERNEL), 0);
}

void free_session() {
  percpu_ref_exit(&t->s->refs);
  kmem_cache_free(*sessions, t->s);
}

// Invariants 1 and 2.
long References(const percpu_ref& ref) {
  unsigned long sum = ref.count;
  if (sum >= PERCPU_COUNT_BIAS / 2) {
    sum -= PERCPU_COUNT_BIAS;
    for (int cpu = 0; cpu < current->machine->cpus(); ++cpu) {
      sum += per_cpu_ptr(ref.percpu_count, cpu)->count;
    }
  }
  return static_cast<long>(sum);
}

TEST(PercpuRef, CountsOnEachCpuUntilItIsKilled) {
  TestKernel kernel;
  kernel.Spawn("a", [] {
    make_session();
    percpu_ref* ref = &t->s->refs;
    EXPECT_FALSE(ref->atomic);
    percpu_ref_get(ref);
    percpu_ref_get_many(ref, 3);
    EXPECT_TRUE(percpu_ref_tryget(ref));
    EXPECT_TRUE(percpu_ref_tryget_live(ref));
    EXPECT_EQ(References(*ref), 7);
    EXPECT_FALSE(percpu_ref_is_zero(ref));
    percpu_ref_put_many(ref, 7);
    EXPECT_EQ(References(*ref), 0);
    EXPECT_FALSE(t->s->released);  // nobody notices in this mode
    EXPECT_FALSE(percpu_ref_is_zero(ref));
    percpu_ref_get(ref);

    percpu_ref_kill(ref);
    EXPECT_TRUE(percpu_ref_is_dying(ref));
    EXPECT_FALSE(percpu_ref_tryget_live(ref));
    EXPECT_FALSE(t->s->released);  // not before the grace period
    wait_for_completion(&t->gone);
    EXPECT_TRUE(percpu_ref_is_zero(ref));
    EXPECT_FALSE(percpu_ref_tryget(ref));
    free_session();
    EXPECT_EQ(DescribeLeaks(TestKernel::KeptByKernel()), "");
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(PercpuRef, WithReferencesLeftTheLastPutReleases) {
  TestKernel kernel;
  kernel.Spawn("a", [] {
    make_session();
    percpu_ref* ref = &t->s->refs;
    percpu_ref_get_many(ref, 2);
    percpu_ref_kill_and_confirm(ref, [](percpu_ref*) { t->confirmed = true; });
    EXPECT_FALSE(t->confirmed);
    EXPECT_TRUE(percpu_ref_tryget(ref));  // dying, but there
    msleep(50);
    EXPECT_TRUE(t->confirmed);
    EXPECT_FALSE(t->s->released);
    percpu_ref_put_many(ref, 2);
    EXPECT_FALSE(t->s->released);
    percpu_ref_put(ref);
    EXPECT_TRUE(t->s->released);
    free_session();
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(PercpuRef, MemoryMayBeExhausted) {
  TestKernel kernel(1,
                    std::make_unique<ReplayChooser>(ChoiceLog{{0, ChoiceKind::kFailAlloc, 2, 1}}));
  EnterMachine enter(kernel.machine);
  percpu_ref ref;
  EXPECT_EQ(percpu_ref_init(&ref, release_session, 0, GFP_KERNEL), -ENOMEM);
  EXPECT_EQ(current->reason.ToString(), "ENOMEM: no memory for the counters of the CPUs");
  percpu_ref_exit(&ref);  // allowed
}

TEST(PercpuRef, InitialModes) {
  TestKernel kernel;
  kernel.Spawn("a", [] {
    make_session(PERCPU_REF_INIT_ATOMIC);
    EXPECT_TRUE(t->s->refs.atomic);
    EXPECT_EQ(References(t->s->refs), 1);
    percpu_ref_kill(&t->s->refs);
    EXPECT_TRUE(t->s->released);  // it counted in one place already
    free_session();

    make_session(PERCPU_REF_INIT_DEAD);
    EXPECT_TRUE(percpu_ref_is_zero(&t->s->refs));
    EXPECT_FALSE(percpu_ref_tryget_live(&t->s->refs));
    percpu_ref_reinit(&t->s->refs);
    EXPECT_TRUE(percpu_ref_tryget_live(&t->s->refs));
    EXPECT_FALSE(t->s->refs.atomic);
    EXPECT_EQ(References(t->s->refs), 2);
    percpu_ref_exit(&t->s->refs);
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(PercpuRef, ThereAndBackBetweenTheModes) {
  TestKernel kernel(2);
  kernel.Spawn("a", [] {
    make_session();
    percpu_ref* ref = &t->s->refs;
    percpu_ref_get(ref);
    percpu_ref_switch_to_atomic_sync(ref);
    EXPECT_TRUE(ref->atomic);
    EXPECT_EQ(ref->count, 2u);
    EXPECT_TRUE(percpu_ref_tryget_live(ref));  // not dying
    percpu_ref_switch_to_percpu(ref);
    EXPECT_FALSE(ref->atomic);
    EXPECT_EQ(References(*ref), 3);
    percpu_ref_put_many(ref, 2);
    // A second switch waits until the first has been done.
    percpu_ref_switch_to_atomic(ref, [](percpu_ref*) { t->confirmed = true; });
    percpu_ref_switch_to_percpu(ref);
    EXPECT_TRUE(t->confirmed);
    EXPECT_EQ(References(*ref), 1);
    percpu_ref_kill(ref);
    wait_for_completion(&t->gone);
    percpu_ref_reinit(ref);
    EXPECT_EQ(References(*ref), 1);
    EXPECT_FALSE(percpu_ref_is_dying(ref));
  });
  EXPECT_EQ(kernel.Run(), "");
}

// ---- Against a naive counter, on several CPUs ----

// Users get and put in all ways, in the end somebody kills. `users`: tasks; each holds some
// references.
void UseAndKill(uint64_t seed) {
  TestKernel kernel(3, std::make_unique<SeededChooser>(seed, 2));
  bool killed = false;
  int active = 0;
  {
    EnterMachine enter(kernel.machine);
    make_session();
  }
  const auto got = [] { ++t->s->naive; };
  const auto put = [] {
    // The twin goes first: the put may release.
    --t->s->naive;
    percpu_ref_put(&t->s->refs);
  };
  for (int user = 0; user < 4; ++user) {
    ++active;
    kernel.Spawn("user", [&, user] {
      std::mt19937_64 random(seed * 10 + user);
      percpu_ref* ref = &t->s->refs;
      int held = 0;
      while (percpu_ref_tryget_live(ref)) {
        got();
        ++held;
        for (uint64_t i = random() % 4; i > 0; --i) {
          percpu_ref_get(ref);
          got();
          ++held;
        }
        for (uint64_t i = random() % 5; i > 0 && held > 1; --i, --held) put();
        if (random() % 4 == 0) cond_resched();
      }
      EXPECT_TRUE(killed);
      for (; held > 0; --held) {
        EXPECT_FALSE(t->s->released);
        put();
        if (random() % 3 == 0) cond_resched();
      }
      --active;
    });
  }
  kernel.Spawn("killer", [&] {
    for (uint64_t i = seed * 37 % 500; i > 0; --i) STEP("not yet", i);
    killed = true;
    --t->s->naive;
    percpu_ref_kill(&t->s->refs);
    wait_for_completion(&t->gone);
    EXPECT_EQ(t->s->naive, 0);
    EXPECT_EQ(References(t->s->refs), 0);
    while (active > 0) cond_resched();
    free_session();
    EXPECT_EQ(DescribeLeaks(TestKernel::KeptByKernel()), "");
  });
  ASSERT_EQ(kernel.Run(), "") << "seed " << seed;
}

TEST(PercpuRef, AgreesWithANaiveCounterAndReleasesOnce) {
  for (uint64_t seed = 0; seed < 16; ++seed) UseAndKill(seed);
}

// ---- Reports ----

TEST(PercpuRefReport, KilledTwice) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    make_session();
    percpu_ref_get(&t->s->refs);
    percpu_ref_kill(&t->s->refs);
    percpu_ref_kill(&t->s->refs);
  });
  EXPECT_THAT(kernel.Run(),
              StartsWith("WARNING: percpu_ref_kill_and_confirm called more than once"));
}

TEST(PercpuRefReport, PutTooOftenIsNoticedWhenTheSumsAreMade) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    make_session();
    percpu_ref_put(&t->s->refs);
    percpu_ref_put(&t->s->refs);
    percpu_ref_kill(&t->s->refs);
  });
  EXPECT_THAT(kernel.Run(),
              StartsWith("WARNING: percpu ref <= 0 (-1) after switching to atomic\n"));
}

TEST(PercpuRefReport, PutTooOftenInAtomicMode) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    make_session();
    percpu_ref_kill(&t->s->refs);
    wait_for_completion(&t->gone);
    percpu_ref_put(&t->s->refs);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("WARNING: percpu ref <= 0 (-1) at a put\n"));
}

TEST(PercpuRefReport, GivenUpWhileItIsBeingSwitched) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    make_session();
    percpu_ref_get(&t->s->refs);
    percpu_ref_kill(&t->s->refs);
    percpu_ref_exit(&t->s->refs);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("WARNING: percpu_ref_exit while the ref is being switched"));
}

TEST(PercpuRefReport, BroughtBackWhileItIsInUse) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    make_session();
    percpu_ref_reinit(&t->s->refs);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("WARNING: percpu_ref_reinit of a ref that is in use\n"));
}

TEST(PercpuRefReport, CountersThatAreNeverFreedAreALeak) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  make_session();
  EXPECT_THAT(DescribeLeaks({"session", "worker", "workqueue_struct", "pool_workqueue"}),
              StartsWith("BUG percpu_ref_count: object 0x"));
}

}  // namespace
}  // namespace kpath
