// SPDX-License-Identifier: Apache-2.0
//
// Files on a disk, as a scenario gives them (mount): transcripts whose results the model must give,
// and the way of their requests.
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/judges/replay_text.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Replayed Replay(const std::string& text) { return ReplayWithGraph("t.strace", text); }

std::string Head(const std::string& flags, const std::string& faults = "") {
  return absl::StrCat(
      "# kpath: device /dev/vda driver=virtio_blk size=16M latency=5ms", faults,
      "\n"
      "# kpath: mount /dev/vda /data\n"
      "# kpath: file /data/x size=20000\n"
      "7  openat(AT_FDCWD, \"/data/x\", ",
      flags,
      ") = 3\n"
      "7  io_setup(4, [0x7f0000000000]) = 0\n"
      "7  mmap(NULL, 32768, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = "
      "0x7f0000010000\n");
}

std::string Submit(const std::string& opcode, int bytes, int offset) {
  return absl::StrCat("7  io_submit(0x7f0000000000, 1, [{aio_data=1, aio_lio_opcode=IOCB_CMD_",
                      opcode, ", aio_fildes=3, aio_buf=0x7f0000010000, aio_nbytes=", bytes,
                      ", aio_offset=", offset, "}]) = 1\n");
}

// io_getevents of up to 4 that waits `ms` for one; `res` of the one event, or nothing.
std::string Reap(int ms, const std::string& res) {
  return absl::StrCat(
      "7  io_getevents(0x7f0000000000, 1, 4, [",
      res.empty() ? "" : absl::StrCat("{data=1, obj=0x7ffe00000000, res=", res, ", res2=0}"),
      "], {tv_sec=0, tv_nsec=", ms * 1'000'000, "}) = ", res.empty() ? 0 : 1, "\n");
}

// The calls inside of the first io_submit.
std::string FirstSubmit(const Replayed& ran) {
  const size_t begin = ran.graph.find("__x64_sys_io_submit() {");
  EXPECT_NE(begin, std::string::npos);
  const size_t end = ran.graph.find("__x64_sys_io_getevents() {", begin);
  return ran.graph.substr(begin, end - begin);
}

TEST(DiskFile, ADirectReadGoesThroughTheBlockLayerAndEndsInItsInterrupt) {
  const Replayed ran =
      Replay(absl::StrCat(Head("O_RDWR|O_DIRECT"), Submit("PREAD", 8192, 4096), Reap(1, ""),
                          Reap(99, "8192"), Submit("PREAD", 32768, 0), Reap(99, "20000")));
  EXPECT_EQ(Describe(ran.report), "");
  const std::string submit = FirstSubmit(ran);
  for (const char* step :
       {"ext2_file_read_iter() {", "ext2_direct_IO() {", "ext2_get_block() {", "dio_bio_submit() {",
        "blk_mq_make_request() {", "virtio_queue_rq() {"}) {
    EXPECT_THAT(submit, HasSubstr(step));
  }
  EXPECT_THAT(submit, Not(HasSubstr("io_schedule() {")));
  const size_t interrupt = ran.graph.find("dio_bio_end_aio() {");
  ASSERT_NE(interrupt, std::string::npos);
  EXPECT_NE(ran.graph.rfind("do_IRQ() {", interrupt), std::string::npos);
  EXPECT_THAT(ran.graph.substr(interrupt), HasSubstr("aio_complete() {"));
}

TEST(DiskFile, ABufferedReadMakesIoSubmitSleep) {
  const Replayed ran =
      Replay(absl::StrCat(Head("O_RDWR"), Submit("PREAD", 4096, 0), Reap(0, "4096")));
  EXPECT_EQ(Describe(ran.report), "");
  const std::string submit = FirstSubmit(ran);
  for (const char* step :
       {"generic_file_buffered_read() {", "page_cache_sync_readahead() {", "mpage_readpages() {",
        "virtio_queue_rq() {", "io_schedule() {", "mpage_end_io() {"}) {
    EXPECT_THAT(submit, HasSubstr(step));
  }
}

TEST(DiskFile, WhatIsWrittenIsReadBackBothWays) {
  const Replayed ran =
      Replay(absl::StrCat(Head("O_RDWR"), "7  pwrite64(3, \"hello\", 5, 4094) = 5\n",
                          "7  openat(AT_FDCWD, \"/data/x\", O_RDWR|O_DIRECT) = 4\n",
                          "7  pread64(4, \"llo\\0\\0\"..., 4096, 4096) = 4096\n",
                          "7  pread64(3, \"\\0\\0hello\\0\", 8, 4092) = 8\n"));
  EXPECT_EQ(Describe(ran.report), "");
}

// The disk's first file begins at sector 512 (block 64).
TEST(DiskFile, AReadFailsWhereTheDiskDoes) {
  const Replayed ran =
      Replay(absl::StrCat(Head("O_RDWR|O_DIRECT", " fail=520-527"), Submit("PREAD", 4096, 0),
                          Reap(99, "4096"), Submit("PREAD", 4096, 4096), Reap(99, "-5"),
                          "7  pread64(3, 0x7f0000010000, 8192, 0) = -1 EIO "
                          "(Input/output error)\n"));
  EXPECT_EQ(Describe(ran.report), "");
}

// What was submitted last ends first.
TEST(DiskFile, ASlowPlaceIsOvertaken) {
  const Replayed ran = Replay(absl::StrCat(
      Head("O_RDWR|O_DIRECT", " slow=512-519:40ms"), Submit("PREAD", 4096, 0), Reap(20, ""),
      Submit("PREAD", 4096, 8192), Reap(15, "4096"), Reap(0, ""), Reap(99, "4096")));
  EXPECT_EQ(Describe(ran.report), "");
}

}  // namespace
}  // namespace kpath
