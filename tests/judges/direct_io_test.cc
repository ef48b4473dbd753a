// SPDX-License-Identifier: Apache-2.0
//
// Direct I/O, as programs see it: transcripts whose results the model must give. Whatever a
// transcript opens with O_DIRECT is on a disk (infer_mounts.h).
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/judges/replay_text.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;

Replayed Replay(const std::string& text) { return ReplayWithGraph("t.strace", text); }
std::string Wrong(const Replayed& ran) { return Describe(ran.report); }

// A file of 16 KiB, open for direct I/O as 3; the context 0x7f0000000000; a buffer. The first file
// is named from a working directory that nobody knows, the second by its whole path.
std::string Head(const std::string& path) {
  return absl::StrCat("# kpath: latency=5ms\n# kpath: file ", path[0] == '/' ? "" : "/", path,
                      " size=16K\n7  openat(AT_FDCWD, \"", path,
                      "\", O_RDWR|O_DIRECT) = 3\n"
                      "7  io_setup(4, [0x7f0000000000]) = 0\n"
                      "7  mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) "
                      "= 0x7f0000010000\n");
}
const std::string kHead = Head("disk"), kHeadOnDisk = Head("/d/disk");

constexpr const char* kBuffer =
    "7  mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = "
    "0x7f0000010000\n";

std::string Submit(const std::string& opcode, const std::string& buffer, int bytes, int offset) {
  return absl::StrCat("7  io_submit(0x7f0000000000, 1, [{aio_data=1, aio_lio_opcode=IOCB_CMD_",
                      opcode, ", aio_fildes=3, aio_buf=", buffer, ", aio_nbytes=", bytes,
                      ", aio_offset=", offset, "}]) = 1\n");
}

// io_getevents of up to 4 that waits `ms` for one; `res` of the one event, or nothing.
std::string Reap(int ms, const std::string& res) {
  return absl::StrCat(
      "7  io_getevents(0x7f0000000000, 1, 4, [",
      res.empty() ? "" : absl::StrCat("{data=1, obj=0x7ffe00000000, res=", res, ", res2=0}"),
      "], {tv_sec=0, tv_nsec=", ms * 1'000'000, "}) = ", res.empty() ? 0 : 1, "\n");
}

TEST(DirectIo, ARequestEndsInAnInterruptAfterItsLatency) {
  for (const std::string& head : {kHead, kHeadOnDisk}) {
    const Replayed ran = Replay(absl::StrCat(head, Submit("PREAD", "0x7f0000010000", 4096, 0),
                                             Reap(1, ""), Reap(9, "4096")));
    EXPECT_EQ(Wrong(ran), "");
    const size_t request = ran.graph.find("virtio_queue_rq() {");
    ASSERT_NE(request, std::string::npos);
    const size_t interrupt = ran.graph.find("do_IRQ() {", request);
    ASSERT_NE(interrupt, std::string::npos);
    EXPECT_THAT(ran.graph.substr(interrupt), HasSubstr("aio_complete() {"));
  }
}

// However the file came to be open for direct I/O, it is on a disk: read and written by ext2, or
// as a device.
TEST(DirectIo, EveryFileIsOnADisk) {
  const struct {
    const char* what;
    const char* open;  // it is 3
    const char* direct_io;
  } kCases[] = {
      {"in the root", "7  openat(AT_FDCWD, \"/f\", O_RDWR|O_CREAT|O_DIRECT, 0600) = 3\n", "ext2"},
      {"below an unknown directory", "7  open(\"a/b/f\", O_RDWR|O_DIRECT) = 3\n", "ext2"},
      {"above an unknown directory", "7  open(\"../f\", O_RDWR|O_CREAT|O_DIRECT, 0600) = 3\n",
       "ext2"},
      {"in a working directory",
       "7  chdir(\"/d\") = 0\n7  chdir(\"e\") = 0\n7  open(\"f\", O_RDWR|O_DIRECT) = 3\n", "ext2"},
      {"in a directory of the root that is made",
       "7  mkdir(\"/made\", 0700) = 0\n"
       "7  openat(AT_FDCWD, \"/made/f\", O_RDWR|O_CREAT|O_DIRECT, 0600) = 3\n",
       "ext2"},
      {"in a directory that is open",
       "7  openat(AT_FDCWD, \"/d\", O_RDONLY|O_DIRECTORY) = 3\n"
       "7  openat(3, \"f\", O_RDWR|O_DIRECT) = 4\n7  dup2(4, 3) = 3\n",
       "ext2"},
      {"in shared memory", "7  open(\"/dev/shm/f\", O_RDWR|O_DIRECT) = 3\n", "ext2"},
      {"by F_SETFL", "7  open(\"/d/f\", O_RDWR) = 3\n7  fcntl(3, F_SETFL, O_RDWR|O_DIRECT) = 0\n",
       "ext2"},
      {"by F_SETFL of a copy",
       "7  open(\"f\", O_RDWR) = 3\n7  dup(3) = 4\n7  fcntl(4, F_SETFL, O_RDWR|O_DIRECT) = 0\n",
       "ext2"},
      {"by F_SETFL, and nobody opened it", "7  fcntl(3, F_SETFL, O_RDWR|O_DIRECT) = 0\n", "ext2"},
      {"a disk", "7  open(\"/dev/sdb\", O_RDWR|O_DIRECT) = 3\n", "blkdev"},
      {"a disk by F_SETFL",
       "7  open(\"/dev/sdb\", O_RDWR) = 3\n7  fcntl(3, F_SETFL, O_RDWR|O_DIRECT) = 0\n", "blkdev"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.what);
    const Replayed ran =
        Replay(absl::StrCat(c.open, kBuffer, "7  pwrite64(3, \"ab\"..., 4096, 0) = 4096\n",
                            "7  pread64(3, \"ab\"..., 4096, 0) = 4096\n"));
    EXPECT_EQ(Wrong(ran), "");
    EXPECT_THAT(ran.graph, HasSubstr(absl::StrCat(c.direct_io, "_direct_IO() {")));
    EXPECT_THAT(ran.graph, HasSubstr("virtio_queue_rq() {"));
  }
}

// Another disk than the one of the same name that the transcript uses, and none for what is in
// memory.
TEST(DirectIo, ADiskThatIsInferredIsNoOther) {
  const Replayed ran =
      Replay(absl::StrCat("# kpath: device /dev/vda driver=null_blk size=1M\n", kHeadOnDisk,
                          Submit("PREAD", "0x7f0000010000", 4096, 0), Reap(9, "4096")));
  EXPECT_EQ(Wrong(ran), "");
  EXPECT_THAT(ran.graph, HasSubstr("virtio_queue_rq() {"));
}

// It is not there from the start: what is above it is on the disk.
TEST(DirectIo, ADirectoryThatIsMadeFirst) {
  const Replayed ran = Replay(
      "7  mkdir(\"/d/new\", 0700) = 0\n"
      "7  openat(AT_FDCWD, \"/d/new/f\", O_RDWR|O_CREAT|O_DIRECT, 0600) = 3\n"
      "7  pwrite64(3, \"ab\"..., 4096, 0) = 4096\n"
      "7  mkdir(\"/made\", 0700) = 0\n"
      "7  openat(AT_FDCWD, \"/made/f\", O_RDWR|O_CREAT|O_DIRECT, 0600) = 4\n");
  EXPECT_EQ(Wrong(ran), "");
  EXPECT_THAT(ran.graph, HasSubstr("ext2_direct_IO() {"));
}

TEST(DirectIo, AnArmTakesItsWay) {
  const std::string open =
      "7  openat(AT_FDCWD, \"/dev/vda\", O_RDWR|O_DIRECT) = 3\n"
      "7  io_setup(4, [0x7f0000000000]) = 0\n"
      "7  mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = "
      "0x7f0000010000\n";
  // Half of the disk: 4 ms.
  const Replayed ran = Replay(absl::StrCat(
      "# kpath: device /dev/vda driver=virtio_blk size=16M seek=8ms transfer=100M\n", open,
      Submit("PREAD", "0x7f0000010000", 4096, 8 << 20), Reap(3, ""), Reap(9, "4096")));
  EXPECT_EQ(Wrong(ran), "");
}

TEST(DirectIo, ARequestThatIsLostIsEndedByItsTimeout) {
  const std::string event = "[{data=1, obj=0x7ffe00000000, res=4096, res2=0}]";
  const Replayed ran = Replay(
      absl::StrCat("# kpath: device /dev/nullb0 driver=null_blk size=1M timeout=2\n"
                   "7  openat(AT_FDCWD, \"/dev/nullb0\", O_RDWR|O_DIRECT) = 3\n"
                   "7  io_setup(4, [0x7f0000000000]) = 0\n"
                   "7  mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = "
                   "0x7f0000010000\n",
                   Submit("PREAD", "0x7f0000010000", 4096, 0), Reap(1, "4096"),
                   Submit("PREAD", "0x7f0000010000", 4096, 0),
                   "7  io_getevents(0x7f0000000000, 1, 4, [], {tv_sec=29, tv_nsec=0}) = 0\n"
                   "7  io_getevents(0x7f0000000000, 1, 4, ",
                   event, ", {tv_sec=9, tv_nsec=0}) = 1\n"));
  EXPECT_EQ(Wrong(ran), "");
  EXPECT_THAT(ran.graph, HasSubstr("null_timeout_rq() {"));
}

TEST(DirectIo, WhatIsNotAlignedIsRefusedInTheEvent) {
  for (const std::string& head : {kHead, kHeadOnDisk}) {
    EXPECT_EQ(Wrong(Replay(absl::StrCat(head, Submit("PREAD", "0x7f0000010000", 4096, 100),
                                        Reap(9, "-22")))),
              "");
    EXPECT_EQ(Wrong(Replay(
                  absl::StrCat(head, Submit("PREAD", "0x7f0000010001", 4096, 0), Reap(9, "-22")))),
              "");
    EXPECT_EQ(Wrong(Replay(
                  absl::StrCat(head, Submit("PREAD", "0x7f0000010000", 100, 0), Reap(9, "-22")))),
              "");
  }
}

TEST(DirectIo, ReadsEndAtTheEndOfTheFile) {
  for (const std::string& head : {kHead, kHeadOnDisk}) {
    EXPECT_EQ(Wrong(Replay(absl::StrCat(head, Submit("PREAD", "0x7f0000010000", 8192, 12288),
                                        Reap(9, "4096")))),
              "");
    EXPECT_EQ(Wrong(Replay(
                  absl::StrCat(head, Submit("PREAD", "0x7f0000010000", 512, 16384), Reap(0, "0")))),
              "");
  }
}

TEST(DirectIo, AWriteThatMakesTheFileLongerIsWaitedFor) {
  for (const std::string& head : {kHead, kHeadOnDisk}) {
    const Replayed ran = Replay(absl::StrCat(head, Submit("PWRITE", "\"x\"...", 512, 16384),
                                             Reap(0, "512"), "7  lseek(3, 0, SEEK_END) = 16896\n"));
    EXPECT_EQ(Wrong(ran), "");
  }
}

TEST(DirectIo, PlainReadsAndWritesWait) {
  const Replayed ran = Replay(
      absl::StrCat(kHead, "7  pwrite64(3, \"ab\"..., 512, 0) = 512\n",
                   "7  pread64(3, \"ab\"..., 512, 0) = 512\n",
                   "7  pread64(3, 0x7f0000010000, 512, 1) = -1 EINVAL (Invalid argument)\n"));
  EXPECT_EQ(Wrong(ran), "");
  EXPECT_THAT(ran.graph, HasSubstr("dio_await_completion() {"));
}

// tmpfs of v4.19 itself has none.
TEST(DirectIo, IsRefusedWhereTheRecordingSaysSo) {
  const Replayed ran = Replay(
      "# kpath: file /dev/shm/x size=4K\n"
      "7  openat(AT_FDCWD, \"/dev/shm/x\", O_RDWR|O_DIRECT) = -1 EINVAL (Invalid argument)\n");
  EXPECT_EQ(Wrong(ran), "");
}

}  // namespace
}  // namespace kpath
