// SPDX-License-Identifier: Apache-2.0
//
// Four CPUs, finely and coarsely interleaved, eight programs, two disks: merges, too few tags, bad
// blocks, misaligned requests and signals. Each request that was accepted is completed once, and
// nothing is left.
//
// --requests=N: how many in each run.
#include <cstdlib>
#include <memory>
#include <string>
#include <tuple>

#include "absl/base/config.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "entry/boot.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/sched.h"
#include "tests/stress/disk_user.h"

namespace kpath {
namespace {

using ::testing::IsEmpty;

#ifdef ABSL_HAVE_ADDRESS_SANITIZER
int64_t requests = 10'000;
#else
int64_t requests = 100'000;
#endif

// Commands that touch the bad blocks fail.
class DiskWithBadBlocks : public DiskModel {
 public:
  using DiskModel::DiskModel;
  DiskPlan Plan(Machine& machine, const DiskCommand& command) override {
    DiskPlan plan = DiskModel::Plan(machine, command);
    const uint64_t begin = command.sector * 512, end = begin + command.bytes;
    if (begin < (kBadBlock + kBadBlocks) * kBlockBytes && end > kBadBlock * kBlockBytes) {
      plan.result = DiskResult::kIoError;
    }
    return plan;
  }
};

const std::array<std::string, 2> kDisks = {"/dev/vda", "/dev/nullb0"};

SystemOptions MakeOptions(uint64_t seed, int slice) {
  DeviceOptions vda;
  vda.path = kDisks[0];
  vda.size = kDiskBytes;
  vda.depth = 4;
  vda.latency_ns = 20'000;
  vda.make_disk = [](const DeviceOptions& options) {
    return std::make_unique<DiskWithBadBlocks>(options.size, options.latency_ns);
  };
  DeviceOptions nullb;
  nullb.path = kDisks[1];
  nullb.driver = "null_blk";
  nullb.size = kDiskBytes;
  nullb.queues = 2;
  nullb.depth = 4;
  nullb.irqmode = 2;
  nullb.memory_backed = true;
  SystemOptions options;
  options.cpus = 4;
  options.slice = slice;
  options.seed = seed;
  options.devices = {vda, nullb};
  return options;
}

// A seed and a slice.
class BlockStress : public testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(BlockStress, EachRequestIsCompletedOnceAndNothingIsLeft) {
  const auto [seed, slice] = GetParam();
  Tally tally;
  System system(MakeOptions(seed, slice));
  for (int i = 0; i < kPrograms; ++i) {
    system.Start("disk user", [&tally, seed = seed, i] {
      // Not on the fiber's stack: it remembers each block.
      const auto program = std::make_unique<DiskUser>(i, seed, requests / kPrograms, &tally);
      program->Run(kDisks);
    });
  }
  EXPECT_EQ(system.Run(), "");
  EXPECT_THAT(tally.wrong, IsEmpty());
  EXPECT_EQ(tally.accepted, static_cast<uint64_t>(requests / kPrograms * kPrograms));
  EXPECT_EQ(tally.completed, tally.accepted);
  EXPECT_GT(tally.io_errors, 0u);
  EXPECT_GT(tally.invalid, 0u);
  EXPECT_GT(tally.interrupted, 0u);
  EXPECT_GT(tally.compared, 0u);
}

using ::testing::Combine, ::testing::Range, ::testing::Values;
INSTANTIATE_TEST_SUITE_P(Seeds, BlockStress, Combine(Range(1, 11), Values(Machine::kSliceProbes)));
INSTANTIATE_TEST_SUITE_P(Slices, BlockStress, Combine(Values(1), Values(1, 4, 16, 256, 4096)));

// That the runs above are what they are meant to be.
class Counter : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override {
    if (event.kind != ProbeEvent::Kind::kFunctionEnter) return;
    const absl::string_view name = event.function->name;
    merges += name == "bio_attempt_back_merge" || name == "bio_attempt_front_merge";
    if (name == "io_schedule") {
      const FunctionProbe* caller = current_function->caller();
      tag_waits += caller != nullptr && caller->info().name == std::string("blk_mq_get_tag");
    }
    signals += name == "do_signal";
  }
  int merges = 0, tag_waits = 0, signals = 0;
};

TEST(BlockStressItself, MergesAndRunsOutOfTags) {
  Tally tally;
  Counter counter;
  System system(MakeOptions(1, Machine::kSliceProbes));
  system.machine().AddListener(&counter);
  for (int i = 0; i < kPrograms; ++i) {
    system.Start("disk user", [&tally, i] {
      const auto program = std::make_unique<DiskUser>(i, 1, 100, &tally);
      program->Run(kDisks);
    });
  }
  EXPECT_EQ(system.Run(), "");
  EXPECT_GT(counter.merges, 50);
  EXPECT_GT(counter.tag_waits, 10);
  EXPECT_GT(counter.signals, 10);
}

}  // namespace
}  // namespace kpath

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    if (absl::ConsumePrefix(&argument, "--requests=") &&
        absl::SimpleAtoi(argument, &kpath::requests) && kpath::requests >= 1000) {
      continue;
    }
    fprintf(stderr, "expected --requests=N, N at least 1000: %s\n", argv[i]);
    return 2;
  }
  return RUN_ALL_TESTS();
}
