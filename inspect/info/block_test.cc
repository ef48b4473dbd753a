// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/block.h"

#include "inspect/info/stopped.h"

namespace kpath {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(InfoPlug, WhoHasNone) {
  Stopped run(WithDisk());
  EXPECT_EQ(InfoPlug(run.view()), "swapper/0 has no plug.\n");
  run.system.Start("prog", ReadFourPages);
  ASSERT_TRUE(run.At("io_submit_one"));
  EXPECT_EQ(InfoPlug(run.view()), "The plug of prog/1 is empty.\n");
}

TEST(InfoPlug, RequestsThatWereMergedAndOthers) {
  Stopped run(WithDisk());
  run.system.Start("prog", ReadFourPages);
  ASSERT_TRUE(run.At("blk_flush_plug_list"));
  EXPECT_EQ(InfoPlug(run.view()),
            "The plug of prog/1 holds back 2 requests:\n"
            "  vda, hardware queue 0: 2 requests, 4 bios, 2 merged\n"
            "DISK  QUEUE  TAG  OP    SECTORS  BYTES  BIOS\n"
            "vda       0    0  READ  0-23     12288     3\n"
            "vda       0    1  READ  80-87     4096     1\n");
}

TEST(InfoRequests, WithoutDisks) {
  Stopped run;
  EXPECT_EQ(InfoRequests(run.view()), "There are no disks.\n");
}

TEST(InfoRequests, InThePlugThenInFlight) {
  Stopped run(WithDisk(2));
  run.system.Start("prog", ReadFourPages);
  ASSERT_TRUE(run.At("blk_flush_plug_list"));
  const std::string plugged = InfoRequests(run.view());
  EXPECT_THAT(plugged, StartsWith("vda, virtio_mq_ops: 0 in flight; 4 bios, 2 requests; merged 2"));
  EXPECT_THAT(
      plugged,
      HasSubstr("\n  hardware queue 0: 2 of 128 tags used, 0 requests in the dispatch list, "
                "idle;\n"
                "      CPU 0: 0; CPU 1: 0\n"
                "    TAG  OP    SECTORS  BYTES  BIOS  WHERE\n"
                "      0  READ  0-23     12288     3  in the plug of prog/1\n"
                "      1  READ  80-87     4096     1  in the plug of prog/1\n"));
  ASSERT_TRUE(run.At("read_events"));
  const std::string issued = InfoRequests(run.view());
  EXPECT_THAT(issued, StartsWith("vda, virtio_mq_ops: 2 in flight; "));
  EXPECT_THAT(issued, HasSubstr("\n      0  READ  0-23     12288     3  in flight\n"
                                "      1  READ  80-87     4096     1  in flight\n"));
  ASSERT_TRUE(run.At("kill_ioctx"));
  EXPECT_THAT(InfoRequests(run.view()), HasSubstr(": 0 of 128 tags used"));
}

// A device with one tag: the second request's submitter sleeps for it, the first is at the device.
TEST(InfoRequests, OneTag) {
  SystemOptions options = WithDisk();
  options.devices[0].depth = 1;
  options.devices[0].driver = "null_blk";
  options.devices[0].path = "/dev/nullb0";
  options.devices[0].irqmode = 2;
  Stopped run(options);
  run.system.Start("prog", [] {
    user::Arena arena(1 << 16);
    const auto fd = static_cast<int>(user::open("/dev/nullb0", O_RDONLY | O_DIRECT));
    user::pread(fd, arena.Bytes(4096, 4096), 4096, 0);
  });
  ASSERT_TRUE(run.At("null_queue_rq"));
  EXPECT_THAT(InfoRequests(run.view()), HasSubstr(": 1 of 1 tags used"));
  EXPECT_THAT(InfoRequests(run.view()), HasSubstr("  READ  0-7       4096     1  on its way\n"));
}

}  // namespace
}  // namespace kpath
