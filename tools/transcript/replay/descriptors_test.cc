// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/descriptors.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"

namespace kpath {
namespace {

struct Read {
  explicit Read(const std::string& text) {
    auto parsed = strace::ParseTranscript("t", text);
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    transcript = std::make_unique<strace::Transcript>(*std::move(parsed));
    plan = *MakePlan(*transcript);
    descriptors = std::make_unique<Descriptors>(plan);
  }
  bool IsMadeNext(int pid, int fd, uint32_t line) const {
    return descriptors->IsMadeNext(pid, fd, BeginOnLine(line));
  }
  DescriptorKind Kind(int pid, int fd, uint32_t line) const {
    return descriptors->KindFrom(pid, fd, BeginOnLine(line));
  }
  std::unique_ptr<strace::Transcript> transcript;
  Plan plan;
  std::unique_ptr<Descriptors> descriptors;
};

TEST(Descriptors, MadeByRecordedCalls) {
  const Read read(
      "1  openat(AT_FDCWD, \"/a\", O_RDONLY) = 3\n"
      "1  pipe2([4, 5], 0) = 0\n"
      "1  fcntl(3, F_DUPFD, 0) = 6\n"
      "1  socketpair(AF_UNIX, SOCK_STREAM, 0, [7, 8]) = 0\n"
      "1  read(9, \"\", 1) = 0\n");
  for (const int fd : {3, 4, 5, 6, 7, 8}) EXPECT_TRUE(read.IsMadeNext(1, fd, 1)) << fd;
  EXPECT_FALSE(read.IsMadeNext(1, 9, 1)) << "used, made by nobody";
  EXPECT_FALSE(read.IsMadeNext(1, 10, 1)) << "never mentioned";
  EXPECT_FALSE(read.IsMadeNext(1, 3, 2)) << "made already";
}

TEST(Descriptors, ClosedAndMadeAgain) {
  const Read read(
      "1  close(3) = 0\n"
      "1  openat(AT_FDCWD, \"/a\", O_RDONLY) = 4\n"
      "1  read(3, \"\", 1) = 0\n");
  EXPECT_FALSE(read.IsMadeNext(1, 3, 2)) << "used next, so somebody made it unseen";
  EXPECT_TRUE(read.descriptors->ClosesAreRecorded());
}

TEST(Descriptors, WhatTheyAre) {
  const Read read(
      "1  read(3, \"\", 1) = 0\n"
      "1  pread64(4, \"\", 1, 0) = 0\n"
      "1  io_submit(0x7f0000000000, 1, [{aio_data=0, aio_lio_opcode=IOCB_CMD_PREAD, "
      "aio_fildes=5, aio_buf=0x7f0000010000, aio_nbytes=1, aio_offset=0, "
      "aio_flags=IOCB_FLAG_RESFD, aio_resfd=6}]) = 1\n"
      "1  read(6, \"\\1\\0\\0\\0\\0\\0\\0\\0\", 8) = 8\n"
      "1  close(6) = 0\n"
      "1  read(6, \"\", 1) = 0\n");
  EXPECT_EQ(read.Kind(1, 3, 1), DescriptorKind::kOutside);
  EXPECT_EQ(read.Kind(1, 4, 1), DescriptorKind::kFile);
  EXPECT_EQ(read.Kind(1, 5, 1), DescriptorKind::kFile);
  EXPECT_EQ(read.Kind(1, 6, 1), DescriptorKind::kEventfd);
  EXPECT_EQ(read.Kind(1, 6, 6), DescriptorKind::kOutside) << "another one, after the close";
}

TEST(Descriptors, ThoseThatAreWaitedForAreUsed) {
  const Read read(
      "1  poll([{fd=3, events=POLLIN}, {fd=4, events=POLLIN}], 2, 0) = 1 ([{fd=4, "
      "revents=POLLNVAL}])\n"
      "1  select(6, NULL, [5], NULL, NULL) = 1 (out [5])\n"
      "1  epoll_ctl(6, EPOLL_CTL_ADD, 7, {events=EPOLLIN, data={u32=1, u64=1}}) = 0\n");
  for (const int fd : {3, 5, 6, 7}) EXPECT_TRUE(read.descriptors->IsUsedNext(1, fd, 0)) << fd;
  EXPECT_FALSE(read.descriptors->IsUsedNext(1, 4, 0)) << "not open";
}

TEST(Descriptors, AFailedCallIsNoUse) {
  const Read read("1  pread64(3, \"\", 1, 0) = -1 EBADF (Bad file descriptor)\n");
  EXPECT_EQ(read.Kind(1, 3, 1), DescriptorKind::kOutside);
  EXPECT_FALSE(read.descriptors->ClosesAreRecorded());
}

TEST(Descriptors, ThreadsShareThemAndProcessesDoNot) {
  const Read read(
      "1  clone(child_stack=NULL, flags=CLONE_VM|CLONE_FILES|SIGCHLD) = 2\n"
      "1  clone(child_stack=NULL, flags=SIGCHLD) = 3\n"
      "2  openat(AT_FDCWD, \"/a\", O_RDONLY) = 7\n");
  EXPECT_TRUE(read.IsMadeNext(1, 7, 1));
  EXPECT_TRUE(read.IsMadeNext(2, 7, 1));
  EXPECT_FALSE(read.IsMadeNext(3, 7, 1));
}

}  // namespace
}  // namespace kpath
