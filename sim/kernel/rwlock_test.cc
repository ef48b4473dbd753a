// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/rwlock.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

using ::testing::StartsWith;

struct things {
  rwlock_t lock{"things.lock"};
  int readers = 0;
  int most_readers = 0;
  int writers = 0;
};
KernelGlobal<things> t;

void Linger() {
  for (int i = 0; i < 20; ++i) STEP("inside", i);
}

void Read() {
  read_lock(&t->lock);
  EXPECT_EQ(t->writers, 0);
  EXPECT_EQ(current->preempt_count, 1);
  EXPECT_FALSE(irqs_disabled());
  t->most_readers = std::max(t->most_readers, ++t->readers);
  Linger();
  --t->readers;
  read_unlock(&t->lock);
}

void Write() {
  write_lock_irq(&t->lock);
  EXPECT_EQ(t->readers, 0);
  EXPECT_EQ(++t->writers, 1);
  EXPECT_TRUE(irqs_disabled());
  Linger();
  --t->writers;
  write_unlock_irq(&t->lock);
  EXPECT_FALSE(irqs_disabled());
  EXPECT_EQ(current->preempt_count, 0);
}

TEST(Rwlock, ReadersGetInTogetherAndWritersAlone) {
  int most_readers = 0;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    TestKernel kernel(4, std::make_unique<SeededChooser>(seed, 2));
    for (int i = 0; i < 4; ++i) {
      kernel.Spawn("t", [i] {
        for (int j = 0; j < 10; ++j) i == 0 ? Write() : Read();
      });
    }
    ASSERT_EQ(kernel.Run(), "") << "seed " << seed;
    most_readers = std::max(most_readers, t.Get(kernel.machine).most_readers);
  }
  EXPECT_GT(most_readers, 1);
}

std::string ReportOf(std::function<void()> body) {
  TestKernel kernel;
  kernel.Spawn("a", std::move(body));
  const std::string report = kernel.Run();
  return report.substr(0, report.find('\n'));
}

TEST(Rwlock, WhoHasItForWritingDoesNotTakeItAgain) {
  EXPECT_THAT(ReportOf([] {
                write_lock_irq(&t->lock);
                read_lock(&t->lock);
              }),
              StartsWith("BUG: rwlock recursion on CPU#0, a/"));
}

TEST(Rwlock, IsReleasedByWhoHasIt) {
  EXPECT_THAT(ReportOf([] { read_unlock(&t->lock); }), StartsWith("BUG: rwlock already unlocked"));
  EXPECT_THAT(ReportOf([] { write_unlock_irq(&t->lock); }), StartsWith("BUG: rwlock wrong owner"));
}

TEST(Rwlock, AWriterThatWaitsForItselfIsReported) {
  EXPECT_THAT(ReportOf([] {
                read_lock(&t->lock);
                write_lock_irq(&t->lock);
              }),
              StartsWith("WARNING: possible recursive locking detected"));
}

}  // namespace
}  // namespace kpath
