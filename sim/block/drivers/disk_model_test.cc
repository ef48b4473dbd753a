// SPDX-License-Identifier: Apache-2.0
#include "sim/block/drivers/disk_model.h"

#include "gtest/gtest.h"

namespace kpath {
namespace {

constexpr uint64_t kSize = 1'000'000 * 512;

int64_t Latency(Machine& machine, DiskModel* disk, uint64_t sector, uint64_t bytes) {
  const DiskPlan plan =
      disk->Plan(machine, {.kind = DiskCommand::Kind::kRead, .sector = sector, .bytes = bytes});
  EXPECT_EQ(plan.result, DiskResult::kOk);
  return plan.latency_ns;
}

TEST(DiskModel, WithoutAnArmEachCommandTakesTheSame) {
  Machine machine(1);
  DiskModel disk(kSize, 80'000);
  EXPECT_EQ(Latency(machine, &disk, 0, 4096), 80'000);
  EXPECT_EQ(Latency(machine, &disk, 999'000, 65536), 80'000);
}

TEST(DiskModel, AnArmGoesToWhereACommandBeginsOneAfterTheOther) {
  Machine machine(1);
  DiskModel disk(kSize, 1'000);
  disk.SetMechanics({.seek_ns = 8'000'000, .bytes_per_second = 512'000'000});
  // Half the way, and 512 KB past the head: 4 ms and 1 ms.
  EXPECT_EQ(Latency(machine, &disk, 500'000, 512'000), 4'000'000 + 1'000'000 + 1'000);
  // The next one goes on from there: no way, and it waits for the first.
  EXPECT_EQ(Latency(machine, &disk, 501'000, 512'000), 5'001'000 + 1'000'000 + 1'000);
  // Back to the begin: half the way again, and a thousandth or two.
  EXPECT_EQ(Latency(machine, &disk, 0, 512), 6'002'000 + 4'016'000 + 1'000 + 1'000);
}

TEST(DiskModel, BeyondTheEndIsAnError) {
  Machine machine(1);
  DiskModel disk(kSize, 80'000);
  const DiskPlan plan =
      disk.Plan(machine, {.kind = DiskCommand::Kind::kRead, .sector = kSize / 512, .bytes = 512});
  EXPECT_EQ(plan.result, DiskResult::kIoError);
}

}  // namespace
}  // namespace kpath
