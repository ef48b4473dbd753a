// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/scenario.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

absl::StatusOr<Scenario> Read(absl::string_view text) {
  const absl::StatusOr<strace::Transcript> transcript = strace::ParseTranscript("t.strace", text);
  EXPECT_TRUE(transcript.ok()) << transcript.status();
  return ReadScenario(*transcript);
}

TEST(Scenario, WithoutDirectivesItIsTheOrdinaryMachine) {
  const auto scenario = Read("# a comment\ngetpid() = 1\n");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->cpus, 1);
  EXPECT_EQ(scenario->slice, 64);
  EXPECT_FALSE(scenario->seed.has_value());
  EXPECT_TRUE(scenario->x32);
  EXPECT_TRUE(scenario->files.empty());
}

TEST(Scenario, ReadsAllSettings) {
  const auto scenario = Read(
      "# kpath: cpus=2 slice=5 seed=7\n# kpath: x32=n latency=2ms\n# kpath: file /data/x size=1M\n"
      "# kpath: sysctl fs.aio-max-nr=16\n");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->cpus, 2);
  EXPECT_EQ(scenario->slice, 5);
  EXPECT_EQ(scenario->seed, 7u);
  EXPECT_FALSE(scenario->x32);
  EXPECT_EQ(scenario->latency_ns, 2'000'000);
  EXPECT_EQ(scenario->aio_max_nr, 16u);
  ASSERT_EQ(scenario->files.size(), 1u);
  EXPECT_EQ(scenario->files[0].path, "/data/x");
  EXPECT_EQ(scenario->files[0].size, 1 << 20);
}

TEST(Scenario, ReadsDevices) {
  const auto scenario = Read(
      "# kpath: device /dev/vda driver=virtio_blk size=32M latency=1ms block=4096 depth=8 "
      "cache=writeback\n"
      "# kpath: device /dev/nullb0 driver=null_blk queues=2 depth=3 irqmode=2 "
      "completion_nsec=5 memory_backed=y\n"
      "# kpath: device /dev/nullb1 latency=1ms size=1M driver=null_blk\n");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  ASSERT_EQ(scenario->devices.size(), 3u);
  EXPECT_EQ(scenario->devices[2].completion_nsec, 1'000'000);
  const DeviceOptions& vda = scenario->devices[0];
  EXPECT_EQ(vda.path, "/dev/vda");
  EXPECT_EQ(vda.driver, "virtio_blk");
  EXPECT_EQ(vda.size, 32u << 20);
  EXPECT_EQ(vda.latency_ns, 1'000'000);
  EXPECT_EQ(vda.block_size, 4096u);
  EXPECT_EQ(vda.depth, 8u);
  EXPECT_TRUE(vda.write_cache);
  const DeviceOptions& null = scenario->devices[1];
  EXPECT_EQ(null.driver, "null_blk");
  EXPECT_EQ(null.queues, 2u);
  EXPECT_EQ(null.depth, 3u);
  EXPECT_EQ(null.irqmode, 2);
  EXPECT_EQ(null.completion_nsec, 5);
  EXPECT_TRUE(null.memory_backed);
}

TEST(Scenario, ReadsMounts) {
  const auto scenario = Read(
      "# kpath: device /dev/vdb driver=virtio_blk size=1M fail=0-7\n"
      "# kpath: mount /dev/vdb /b\n# kpath: mount /dev/vda /a/a\n");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  ASSERT_EQ(scenario->devices.size(), 2u);
  EXPECT_TRUE(scenario->devices[0].make_disk);
  EXPECT_EQ(scenario->devices[1].path, "/dev/vda");  // no line describes it
  EXPECT_EQ(scenario->devices[1].driver, "virtio_blk");
  EXPECT_FALSE(scenario->devices[1].make_disk);
  ASSERT_EQ(scenario->mounts.size(), 2u);
  EXPECT_EQ(scenario->mounts[0].device, "/dev/vdb");
  EXPECT_EQ(scenario->mounts[1].directory, "/a/a");
}

TEST(Scenario, TheAbiHoldsForTheLinesBehind) {
  const auto scenario =
      Read("getpid() = 1\n# kpath: abi=i386\ngetpid() = 1\n# kpath: abi=x86_64\ngetpid() = 1\n");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_FALSE(scenario->IsI386(0));
  EXPECT_TRUE(scenario->IsI386(2));
  EXPECT_FALSE(scenario->IsI386(4));
}

TEST(Scenario, ASliceIsOneToAMillionProbes) {
  EXPECT_EQ(Read("# kpath: slice=1\n")->slice, 1);
  EXPECT_EQ(Read("# kpath: slice=1000000\n")->slice, 1'000'000);
  for (const std::string word : {"slice=0", "slice=1000001", "slice=-1", "slice=", "slice"}) {
    EXPECT_EQ(Read("# kpath: " + word).status().message(),
              "t.strace:1:10: '" + word + "', expected slice=1 to slice=1000000");
  }
}

TEST(Scenario, BadDirectivesAreRefusedWithTheirPlace) {
  const struct {
    const char* text;
    const char* message;
  } kCases[] = {
      {"# kpath: cpus=65", "t.strace:1:10: 'cpus=65', expected cpus=1 to cpus=64"},
      {"\n# kpath: cpus=two", "t.strace:2:10: 'cpus=two', expected cpus=1 to cpus=64"},
      {"# kpath: seed=-1", "t.strace:1:10: 'seed=-1', expected seed=NUMBER"},
      {"# kpath: x32=maybe", "t.strace:1:10: 'x32=maybe', expected x32=y or x32=n"},
      {"# kpath: abi=arm", "t.strace:1:10: 'abi=arm', expected abi=i386 or abi=x86_64"},
      {"# kpath: cpus=1 cpus=2", "t.strace:1:17: 'cpus' is set a second time"},
      {"# kpath: cpu=1",
       "t.strace:1:10: unknown setting 'cpu', expected cpus=, slice=, seed=, x32=, abi=, latency=, "
       "file PATH size=, device PATH driver=, mount DEVICE DIRECTORY or sysctl fs.aio-max-nr="},
      {"# kpath: latency=80",
       "t.strace:1:10: 'latency=80', expected latency=TIME such as 80us, up to 1000s"},
      {"# kpath: latency=0us",
       "t.strace:1:10: 'latency=0us', expected latency=TIME such as 80us, up to 1000s"},
      {"# kpath: latency=1001s",
       "t.strace:1:10: 'latency=1001s', expected latency=TIME such as 80us, up to 1000s"},
      {"# kpath: sysctl", "t.strace:1:10: expected sysctl fs.aio-max-nr=NUMBER"},
      {"# kpath: sysctl fs.aio-nr=1",
       "t.strace:1:17: 'fs.aio-nr=1', expected sysctl fs.aio-max-nr=NUMBER"},
      {"# kpath: sysctl fs.aio-max-nr=1\n# kpath: sysctl fs.aio-max-nr=2",
       "t.strace:2:17: 'fs.aio-max-nr' is set a second time"},
      {"# kpath: file x size=1", "t.strace:1:15: 'x' is not an absolute path"},
      {"# kpath: file /x size=1T", "t.strace:1:18: 'size=1T', expected size=BYTES up to 1024G"},
      {"# kpath: file /x", "t.strace:1:10: expected file PATH size=BYTES"},
      {"# kpath: device /dev/vda driver=virtio_blk fail=9-8",
       "t.strace:1:44: 'fail=9-8', expected fail=FIRST-LAST, sectors"},
      {"# kpath: device /dev/vda driver=virtio_blk slow=1-8",
       "t.strace:1:44: 'slow=1-8', expected slow=FIRST-LAST:TIME, sectors"},
      {"# kpath: mount /dev/vda", "t.strace:1:10: expected mount DEVICE DIRECTORY"},
      {"# kpath: mount vda /data", "t.strace:1:16: 'vda' is not the path of a device"},
      {"# kpath: device /dev/vda driver=virtio_blk size=64K\n# kpath: mount /dev/vda /data",
       "t.strace:2:16: a file system needs 524288 bytes"},
      {"# kpath: device /dev/n driver=null_blk\n# kpath: mount /dev/n /data",
       "t.strace:2:16: the device keeps nothing, expected memory_backed=y"},
      {"# kpath: device /dev/vda driver=virtio_blk\n# kpath: mount /dev/vda data",
       "t.strace:2:25: 'data' is no directory's path"},
      {"# kpath: device /dev/vda driver=virtio_blk\n# kpath: mount /dev/vda /a\n"
       "# kpath: mount /dev/vda /b",
       "t.strace:3:16: it is mounted, or something is mounted there, already"},
      {"# kpath: device /dev/vda",
       "t.strace:1:10: expected device PATH driver=virtio_blk or =null_blk"},
      {"# kpath: device vda driver=null_blk", "t.strace:1:17: 'vda' is not the path of a device"},
      {"# kpath: device /dev/sda driver=ahci",
       "t.strace:1:26: 'driver=ahci', expected driver=virtio_blk or driver=null_blk"},
      {"# kpath: device /dev/vda size=1M",
       "t.strace:1:26: expected driver=virtio_blk or driver=null_blk, too"},
      {"# kpath: device /d driver=virtio_blk depth=3",
       "t.strace:1:38: 'depth=3', expected depth=1 to depth=1024, of virtio_blk a power of two"},
      {"# kpath: device /d driver=virtio_blk irqmode=1",
       "t.strace:1:38: 'irqmode=1', expected size=, block=, depth=, latency=, seek=, "
       "transfer=, cache=, fail= or slow="},
      {"# kpath: device /d driver=null_blk irqmode=3",
       "t.strace:1:36: 'irqmode=3', expected irqmode=0, 1 or 2"},
      {"# kpath: device /d driver=null_blk block=100",
       "t.strace:1:36: 'block=100', expected block=512, 1024, 2048 or 4096"},
      {"# kpath: device /d driver=null_blk size=1000",
       "t.strace:1:10: 1000 bytes are not whole blocks"},
      {"# kpath: device /d driver=null_blk\n# kpath: device /d driver=null_blk",
       "t.strace:2:17: the device is there already"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(Read(absl::StrCat(c.text, "\n")).status().message(), c.message) << c.text;
  }
}

TEST(Scenario, OnlyNullBlkLosesRequests) {
  const auto null = Read("# kpath: device /dev/nullb0 driver=null_blk timeout=5\n");
  ASSERT_TRUE(null.ok()) << null.status();
  EXPECT_EQ(null->devices[0].timeout_interval, 5u);
  EXPECT_EQ(
      Read("# kpath: device /d driver=virtio_blk timeout=5\n").status().message(),
      "t.strace:1:38: 'timeout=5', virtio_blk of v4.19 has no timeout handler, a lost request "
      "would never end; expected driver=null_blk");
}

TEST(Scenario, ADiskWithAnArm) {
  const auto scenario = Read("# kpath: device /dev/vda driver=virtio_blk seek=8ms transfer=150M\n");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->devices[0].mechanics.seek_ns, 8'000'000);
  EXPECT_EQ(scenario->devices[0].mechanics.bytes_per_second, uint64_t{150} << 20);
  EXPECT_EQ(Read("# kpath: device /dev/vda driver=virtio_blk seek=fast\n").status().message(),
            "t.strace:1:44: 'seek=fast', expected seek=TIME, from end to end");
  EXPECT_EQ(Read("# kpath: device /dev/vda driver=virtio_blk transfer=0\n").status().message(),
            "t.strace:1:44: 'transfer=0', expected transfer=BYTES, a second");
}

}  // namespace
}  // namespace kpath
