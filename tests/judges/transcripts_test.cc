// SPDX-License-Identifier: Apache-2.0
//
// Recorded runs of real programs: every result must be legal. And a recorded result that no kernel
// could have returned must be noticed.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/judges/replay_text.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;

std::string Read(const std::string& path) { return ReadOrFail(path); }

ReplayReport Replay(const std::string& name, const std::string& text) {
  return ReplayText(name, text);
}

class Transcript : public testing::TestWithParam<const char*> {};

TEST_P(Transcript, EveryResultIsLegal) {
  const std::string path = absl::StrCat("tests/transcripts/", GetParam(), ".strace");
  const ReplayReport report = Replay(path, Read(path));
  EXPECT_TRUE(report.AllLegal()) << Describe(report);
  EXPECT_GT(report.legal, 20u);
  size_t accounted = report.legal;  // none has been left out
  for (const auto& [name, count] : report.as_recorded) accounted += static_cast<size_t>(count);
  EXPECT_EQ(accounted, report.calls);
}

INSTANTIATE_TEST_SUITE_P(
    All, Transcript,
    testing::Values("event-loop", "event-loop-2", "fio-2jobs-aio-calls-only", "fio-randrw-qd16",
                    "libaio-harness-2", "libaio-harness-3", "libaio-harness-4", "libaio-harness-5",
                    "libaio-harness-7", "libaio-harness-12", "libaio-harness-13",
                    "libaio-harness-15", "libaio-harness-16", "libaio-harness-17",
                    "libaio-harness-19", "libaio-harness-21", "ltp-io_submit03", "ltp-io_setup02",
                    "ltp-io_getevents02", "disk-files", "waiting-calls", "waiting-together",
                    "waiting-together-2", "waiting-threads", "waiting-threads-2"),
    [](const auto& info) {
      return absl::StrReplaceAll(info.param, {{"-", "_"}});
    });

// ---- Filters and tracers ----

TEST(Examples, AFilterIsInstalledByItsPrintedProgram) {
  const std::string text = Read("examples/seccomp.strace");
  const ReplayReport report = Replay("seccomp", text);
  EXPECT_TRUE(report.AllLegal()) << Describe(report);
  EXPECT_TRUE(report.as_recorded.empty());
  // Without the instruction that refuses it getpid would return.
  const ReplayReport other =
      Replay("other", absl::StrReplaceAll(text, {{"SECCOMP_RET_ERRNO|0x1", "SECCOMP_RET_ALLOW"}}));
  EXPECT_FALSE(other.AllLegal());
}

TEST(Examples, ATracerStopsItsChild) {
  const std::string path = "tests/reference/scenarios/ptrace_child_io_destroy_exit_stop.strace";
  const std::string text = Read(path);
  const ReplayReport report = Replay(path, text);
  EXPECT_TRUE(report.AllLegal()) << Describe(report);
  EXPECT_TRUE(report.as_recorded.empty());
  EXPECT_FALSE(Replay("lie", absl::StrReplaceAll(text, {{"SIGTRAP|0x80", "SIGTRAP"}})).AllLegal());
}

// ---- Planted lies ----

constexpr char kFirstRead[] = "examples/first-read.strace";

ReplayReport ReplayWith(const std::string& from, const std::string& to) {
  const std::string text = Read(kFirstRead);
  EXPECT_THAT(text, HasSubstr(from));
  return Replay(kFirstRead, absl::StrReplaceAll(text, {{from, to}}));
}

TEST(Lie, TheExampleItselfIsLegal) {
  const ReplayReport report = Replay(kFirstRead, Read(kFirstRead));
  EXPECT_TRUE(report.AllLegal()) << Describe(report);
  EXPECT_EQ(report.legal, 12u);
}

TEST(Lie, AnotherErrno) {
  const ReplayReport report =
      ReplayWith("-1 EBADF (Bad file descriptor)", "-1 EINVAL (Invalid argument)");
  ASSERT_EQ(report.illegal.size(), 1u);
  EXPECT_EQ(report.illegal[0].simulated, "-1 EBADF (Bad file descriptor)");
  EXPECT_EQ(report.illegal[0].reason, "fd 9 is not open");
  EXPECT_EQ(report.illegal[0].line, 9u);
}

TEST(Lie, AnotherResultOfAnEvent) {
  const ReplayReport report = ReplayWith("res=26,", "res=25,");
  ASSERT_EQ(report.illegal.size(), 1u);
  EXPECT_THAT(report.illegal[0].reason, HasSubstr("is not one of those delivered"));
}

TEST(Lie, SuccessWhereTheKernelRefuses) {
  const ReplayReport report = ReplayWith("= -1 EINVAL (Invalid argument)", "= 0");
  ASSERT_EQ(report.illegal.size(), 1u);
  EXPECT_EQ(report.illegal[0].simulated, "-1 EINVAL (Invalid argument)");
}

TEST(Lie, MoreEventsThanCouldBe) {
  const ReplayReport report =
      ReplayWith("[], {tv_sec=0, tv_nsec=2000000}) = 0", "[], {tv_sec=0, tv_nsec=2000000}) = 9");
  ASSERT_EQ(report.illegal.size(), 1u);
}

TEST(Lie, AnotherDescriptor) {
  const ReplayReport report = ReplayWith("0600) = 3", "0600) = 4");
  EXPECT_FALSE(report.AllLegal());
}

// ---- Planted lies, one of each kind of value that is judged ----

struct Planted {
  const char* name;
  const char* text;   // all of it legal but for `lie`
  const char* truth;  // what a kernel returns in place of `lie`
  const char* lie;
};

constexpr char kAioHead[] =
    "7  openat(AT_FDCWD, \"/t/a\", O_RDWR|O_CREAT|O_TRUNC, 0600) = 3\n"
    "7  write(3, \"0123456789\", 10) = 10\n"
    "7  io_setup(4, [0x7f0000000000]) = 0\n";

constexpr Planted kPlanted[] = {
    {"descriptor", "7  openat(AT_FDCWD, \"/t/a\", O_RDWR|O_CREAT, 0600) = @\n7  close(3) = 0\n",
     "3", "4"},
    {"descriptor_of_dup", "7  dup(1) = @\n7  close(3) = 0\n", "3", "5"},
    {"pipe", "7  pipe2([3, @], 0) = 0\n7  close(3) = 0\n7  close(4) = 0\n", "4", "5"},
    {"count_written",
     "7  openat(AT_FDCWD, \"/t/a\", O_RDWR|O_CREAT, 0600) = 3\n"
     "7  write(3, \"0123456789\", 10) = @\n",
     "10", "9"},
    {"count_read",
     "7  openat(AT_FDCWD, \"/t/a\", O_RDWR|O_CREAT|O_TRUNC, 0600) = 3\n"
     "7  write(3, \"0123456789\", 10) = 10\n7  pread64(3, \"012345678\"..., 64, 0) = @\n",
     "10", "9"},
    {"data_written_before",
     "7  openat(AT_FDCWD, \"/t/a\", O_RDWR|O_CREAT, 0600) = 3\n"
     "7  write(3, \"0123456789\", 10) = 10\n7  pread64(3, \"34@6\", 4, 3) = 4\n",
     "5", "x"},
    {"data_written_by_aio",
     "7  openat(AT_FDCWD, \"/t/a\", O_RDWR|O_CREAT, 0600) = 3\n"
     "7  io_setup(4, [0x7f0000000000]) = 0\n"
     "7  io_submit(0x7f0000000000, 1, [{aio_data=1, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, "
     "aio_buf=\"abc\", aio_nbytes=3, aio_offset=0}]) = 1\n"
     "7  io_getevents(0x7f0000000000, 1, 1, [{data=1, obj=0x7ffe00000000, res=3, res2=0}], NULL) = "
     "1\n7  pread64(3, \"ab@\", 3, 0) = 3\n",
     "c", "x"},
    {"data_of_a_vector",
     "7  openat(AT_FDCWD, \"/t/a\", O_RDWR|O_CREAT, 0600) = 3\n"
     "7  writev(3, [{iov_base=\"ab\", iov_len=2}, {iov_base=\"cd\", iov_len=2}], 2) = 4\n"
     "7  preadv(3, [{iov_base=\"abc\", iov_len=3}, {iov_base=\"@\", iov_len=1}], 2, 0) = 4\n",
     "d", "e"},
    {"zeros_of_a_hole",
     "7  openat(AT_FDCWD, \"/t/a\", O_RDWR|O_CREAT|O_TRUNC, 0600) = 3\n"
     "7  pwrite64(3, \"x\", 1, 8) = 1\n7  pread64(3, \"\\0\\0@\", 3, 0) = 3\n",
     "\\0", "1"},
    {"zeros_of_a_file_directive",
     "# kpath: file /t/z size=4K\n7  openat(AT_FDCWD, \"/t/z\", O_RDONLY) = 3\n"
     "7  read(3, \"\\0\\0@\", 3) = 3\n",
     "\\0", "1"},
    {"size_of_a_file_directive",
     "# kpath: file /t/z size=4K\n7  openat(AT_FDCWD, \"/t/z\", O_RDONLY) = 3\n"
     "7  lseek(3, 0, SEEK_END) = @\n",
     "4096", "4095"},
    {"data_through_a_pipe",
     "7  pipe2([3, 4], 0) = 0\n7  write(4, \"ab\", 2) = 2\n7  read(3, \"@b\", 2) = 2\n", "a", "b"},
    {"count_of_an_eventfd",
     "7  eventfd2(5, 0) = 3\n7  read(3, \"\\@\\0\\0\\0\\0\\0\\0\\0\", 8) = 8\n", "5", "6"},
    {"position",
     "7  openat(AT_FDCWD, \"/t/a\", O_RDWR|O_CREAT|O_TRUNC, 0600) = 3\n"
     "7  write(3, \"0123456789\", 10) = 10\n7  lseek(3, -4, SEEK_CUR) = @\n",
     "6", "7"},
    {"st_size",
     "7  openat(AT_FDCWD, \"/t/a\", O_RDWR|O_CREAT|O_TRUNC, 0600) = 3\n"
     "7  write(3, \"0123456789\", 10) = 10\n7  fstat(3, {st_mode=S_IFREG|0600, st_size=@}) = 0\n",
     "10", "11"},
    {"file_type", "7  mkdir(\"/t\", 0700) = 0\n7  stat(\"/t\", {st_mode=@|0700, st_size=40}) = 0\n",
     "S_IFDIR", "S_IFREG"},
    {"flags_of_a_descriptor", "7  pipe2([3, 4], O_NONBLOCK) = 0\n7  fcntl(3, F_GETFL) = @\n",
     "0x800", "0"},
    {"address_of_the_ring", "7  io_setup(4, [0x7f0000000000]) = 0\n7  io_destroy(0x7f0000@) = 0\n",
     "000000", "100000"},
    {"pid", "7  getpid() = @\n", "7", "8"},
    {"exit_status",
     "7  clone(child_stack=NULL, flags=SIGCHLD) = 8\n8  exit_group(3) = ?\n"
     "8  +++ exited with 3 +++\n"
     "7  wait4(8, [{WIFEXITED(s) && WEXITSTATUS(s) == @}], 0, NULL) = 8\n",
     "3", "4"},
};

class LieOfAKind : public testing::TestWithParam<Planted> {};

TEST_P(LieOfAKind, TheTruthIsLegalAndTheLieIsFound) {
  const Planted& planted = GetParam();
  const ReplayReport truth =
      Replay("t.strace", absl::StrReplaceAll(planted.text, {{"@", planted.truth}}));
  EXPECT_TRUE(truth.AllLegal()) << Describe(truth);
  const ReplayReport lie =
      Replay("t.strace", absl::StrReplaceAll(planted.text, {{"@", planted.lie}}));
  EXPECT_FALSE(lie.illegal.empty());
}

INSTANTIATE_TEST_SUITE_P(All, LieOfAKind, testing::ValuesIn(kPlanted),
                         [](const auto& info) { return std::string(info.param.name); });

// ---- io_getevents: every count that a kernel could return, and no other ----

constexpr char kOneRead[] =
    "7  io_submit(0x7f0000000000, 1, [{aio_data=1, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=3, "
    "aio_buf=0x7f0000010000, aio_nbytes=4, aio_offset=0}]) = 1\n";
constexpr char kItsEvent[] = "{data=1, obj=0x7ffe00000000, res=4, res2=0}";

ReplayReport AfterOneRead(const std::string& call) {
  return Replay("t.strace", absl::StrCat(kAioHead, kOneRead, "7  ", call, "\n"));
}

TEST(Events, WhatIsInTheRingMustBeReturned) {
  EXPECT_TRUE(
      AfterOneRead(absl::StrCat("io_getevents(0x7f0000000000, 1, 4, [", kItsEvent, "], NULL) = 1"))
          .AllLegal());
  const ReplayReport none =
      AfterOneRead("io_getevents(0x7f0000000000, 0, 4, [], {tv_sec=0, tv_nsec=0}) = 0");
  ASSERT_EQ(none.illegal.size(), 1u);
  EXPECT_THAT(none.illegal[0].reason, HasSubstr("1 to 4 can be returned"));
}

TEST(Events, NotMoreThanAskedFor) {
  EXPECT_TRUE(AfterOneRead("io_getevents(0x7f0000000000, 0, 0, [], NULL) = 0").AllLegal());
  const ReplayReport more =
      AfterOneRead(absl::StrCat("io_getevents(0x7f0000000000, 0, 0, [", kItsEvent, "], NULL) = 1"));
  EXPECT_EQ(more.illegal.size(), 1u);
}

TEST(Events, AsManyAsTheResultSays) {
  const ReplayReport report =
      AfterOneRead(absl::StrCat("io_getevents(0x7f0000000000, 1, 4, [", kItsEvent, "], NULL) = 2"));
  ASSERT_EQ(report.illegal.size(), 1u);
  EXPECT_THAT(report.illegal[0].reason, HasSubstr("1 events are shown"));
}

TEST(Events, EachOnce) {
  const ReplayReport report = AfterOneRead(absl::StrCat(
      "io_getevents(0x7f0000000000, 1, 4, [", kItsEvent, ", ", kItsEvent, "], NULL) = 2"));
  EXPECT_EQ(report.illegal.size(), 1u);
}

TEST(Events, OfThePageCacheInTheOrderOfSubmission) {
  const std::string two = absl::StrCat(
      kAioHead,
      "7  io_submit(0x7f0000000000, 2, [{aio_data=1, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=3, "
      "aio_buf=0x7f0000010000, aio_nbytes=4, aio_offset=0}, {aio_data=2, "
      "aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=3, aio_buf=0x7f0000010000, aio_nbytes=4, "
      "aio_offset=0}]) = 2\n");
  const std::string second =
      "7  io_getevents(0x7f0000000000, 1, 1, [{data=2, obj=0x7ffe00000040, res=4, res2=0}], NULL) "
      "= "
      "1\n";
  EXPECT_EQ(Replay("t.strace", absl::StrCat(two, second)).illegal.size(), 1u);
  // A device may end them in any order.
  const std::string direct =
      absl::StrReplaceAll(two, {{"O_RDWR|O_CREAT|O_TRUNC", "O_RDWR|O_CREAT|O_TRUNC|O_DIRECT"},
                                {"aio_nbytes=4", "aio_nbytes=512"},
                                {"\"0123456789\", 10) = 10", "\"0\"..., 512) = 512"}});
  const ReplayReport report = Replay(
      "t.strace", absl::StrCat(direct, absl::StrReplaceAll(second, {{"res=4,", "res=512,"}})));
  EXPECT_TRUE(report.AllLegal()) << Describe(report);
}

// ---- Rings that the program reads by itself ----

TEST(Events, TakenFromTheRingWithoutACall) {
  std::string text = absl::StrCat("# kpath: cpus=1\n", kAioHead);
  // 124 at a time fit; the second lot needs the slots of the first.
  std::string iocbs;
  for (int i = 0; i < 124; ++i) {
    absl::StrAppend(&iocbs, i == 0 ? "" : ", ",
                    "{aio_data=1, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=3, "
                    "aio_buf=0x7f0000010000, aio_nbytes=4, aio_offset=0}");
  }
  for (int i = 0; i < 2; ++i) {
    absl::StrAppend(&text, "7  io_submit(0x7f0000000000, 124, [", iocbs, "]) = 124\n");
  }
  const ReplayReport report = Replay("t.strace", text);
  EXPECT_TRUE(report.AllLegal()) << Describe(report);
  EXPECT_EQ(report.taken_by_program, 124u);
}

// ---- What is not known is not judged ----

TEST(Replay, BytesThatWereThereBeforeOrAreNotShownAreNotJudged) {
  const ReplayReport report = Replay("t.strace",
                                     "7  openat(AT_FDCWD, \"/etc/hostname\", O_RDWR) = 3\n"
                                     "7  read(3, \"host\", 4) = 4\n"
                                     "7  pwrite64(3, \"HO\"..., 4, 0) = 4\n"
                                     "7  pread64(3, \"HOtt\", 4, 0) = 4\n");
  EXPECT_TRUE(report.AllLegal()) << Describe(report);
}

TEST(Replay, DescriptorsThatNoCallMadeAreWhatTheyAreUsedAs) {
  const ReplayReport report = Replay(
      "t.strace",
      "7  io_setup(4, [0x7f0000000000]) = 0\n"
      "7  io_submit(0x7f0000000000, 1, [{aio_data=1, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=6, "
      "aio_buf=0x7f0000010000, aio_nbytes=512, aio_offset=0, aio_flags=IOCB_FLAG_RESFD, "
      "aio_resfd=3}]) = 1\n"
      "7  read(3, \"\\1\\0\\0\\0\\0\\0\\0\\0\", 8) = 8\n"
      "7  io_getevents(0x7f0000000000, 1, 1, [{data=1, obj=0x7ffe00000000, res=100, res2=0}], "
      "NULL) "
      "= 1\n");
  EXPECT_TRUE(report.AllLegal()) << Describe(report);
  EXPECT_THAT(report.assumed_descriptors,
              testing::UnorderedElementsAre(testing::Pair(6, 2), testing::Pair(3, 2)));
}

TEST(Replay, TheEndsOfAPipeNeedNotBeNeighbours) {
  const ReplayReport report = ReplayText("t.strace",
                                         "7  pipe2([3, 5], O_NONBLOCK) = 0\n"
                                         "7  write(5, \"ab\", 2) = 2\n"
                                         "7  read(3, \"ab\", 3) = 2\n"
                                         "7  fcntl(5, F_SETPIPE_SZ, 4096) = 4096\n"
                                         "7  fcntl(5, F_GETPIPE_SZ) = 4096\n"
                                         "7  close(4) = 0\n");
  EXPECT_TRUE(report.AllLegal()) << Describe(report);
  EXPECT_TRUE(report.as_recorded.empty());
}

TEST(Replay, ACallThatNeverReturnsInTheModelIsTold) {
  const ReplayReport report =
      Replay("t.strace", "7  pipe2([3, 4], 0) = 0\n7  read(3, \"x\", 1) = 1\n7  getpid() = 7\n");
  ASSERT_EQ(report.illegal.size(), 1u);
  EXPECT_EQ(report.illegal[0].simulated, "has not returned");
  EXPECT_THAT(report.illegal[0].reason, HasSubstr("pipe_read"));
}

// ---- Signals ----

ReplayReport ReplayLines(const std::string& lines) { return Replay("t.strace", lines); }

// An rt_sigaction of a handler at 0x401136.
std::string Catch(const std::string& signal, const std::string& flags) {
  return absl::StrCat(
      "7  rt_sigaction(", signal, ", {sa_handler=0x401136, sa_mask=[], sa_flags=", flags,
      ", sa_restorer=0x7f8a44a38050}, {sa_handler=SIG_DFL, sa_mask=[], ", "sa_flags=0}, 8) = 0\n");
}

TEST(Signals, AnAlarmOfTheModelInterruptsAPause) {
  const ReplayReport report =
      ReplayLines(absl::StrCat(Catch("SIGALRM", "SA_RESTORER"),
                               "7  alarm(1) = 0\n"
                               "7  pause() = ? ERESTARTNOHAND (To be restarted if no handler)\n"
                               "7  --- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---\n"
                               "7  getpid() = 7\n"
                               "7  rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call)\n"
                               "7  exit_group(0) = ?\n"
                               "7  +++ exited with 0 +++\n"));
  EXPECT_TRUE(report.AllLegal()) << Describe(report);
  EXPECT_EQ(report.legal, 6u);
  EXPECT_TRUE(report.as_recorded.empty());
}

TEST(Signals, OneFromOutsideInterruptsAReadThatIsMadeAgain) {
  const ReplayReport report = ReplayLines(absl::StrCat(
      Catch("SIGUSR1", "SA_RESTORER|SA_RESTART"),
      "7  pipe2([3, 4], 0) = 0\n"
      "7  read(3, 0x7ffe00001000, 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)\n"
      "7  --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=99, si_uid=0} ---\n"
      "7  write(4, \"y\", 1) = 1\n"
      "7  rt_sigreturn({mask=[]}) = 0\n"
      "7  read(3, \"y\", 1) = 1\n"
      "7  exit_group(0) = ?\n"
      "7  +++ exited with 0 +++\n"));
  EXPECT_TRUE(report.AllLegal()) << Describe(report);
  EXPECT_EQ(report.legal, 7u);
}

TEST(Signals, OneThatTheProcessSendsItselfRunsItsHandlerThere) {
  const ReplayReport report = ReplayLines(
      absl::StrCat(Catch("SIGUSR1", "SA_RESTORER"),
                   "7  rt_sigprocmask(SIG_BLOCK, [USR1], [HUP], 8) = 0\n"
                   "7  kill(7, SIGUSR1) = 0\n"
                   "7  rt_sigpending([USR1], 8) = 0\n"
                   "7  rt_sigprocmask(SIG_SETMASK, [], NULL, 8) = 0\n"
                   "7  --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=7, si_uid=0} ---\n"
                   "7  rt_sigprocmask(SIG_BLOCK, NULL, [USR1], 8) = 0\n"
                   "7  rt_sigreturn({mask=[]}) = 0\n"
                   "7  rt_sigprocmask(SIG_BLOCK, NULL, [], 8) = 0\n"));
  EXPECT_TRUE(report.AllLegal()) << Describe(report);
  EXPECT_EQ(report.legal, 8u);
}

TEST(Signals, DeadlyOnesEndTheProcess) {
  const ReplayReport outside = ReplayLines(
      "7  nanosleep({tv_sec=5, tv_nsec=0}, 0x7ffe00001000) = ? ERESTART_RESTARTBLOCK (Interrupted "
      "by signal)\n"
      "7  --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=99, si_uid=0} ---\n"
      "7  +++ killed by SIGTERM +++\n");
  EXPECT_TRUE(outside.AllLegal()) << Describe(outside);
  const ReplayReport own = ReplayLines(
      "7  pipe2([3, 4], 0) = 0\n"
      "7  close(3) = 0\n"
      "7  write(4, \"x\", 1) = -1 EPIPE (Broken pipe)\n"
      "7  --- SIGPIPE {si_signo=SIGPIPE, si_code=SI_USER, si_pid=7, si_uid=0} ---\n"
      "7  +++ killed by SIGPIPE +++\n");
  EXPECT_TRUE(own.AllLegal()) << Describe(own);
}

TEST(Signals, CallsOfAProcessThatIsDeadInTheModelAreTold) {
  const ReplayReport report = ReplayLines(
      "7  pipe2([3, 4], 0) = 0\n"
      "7  close(3) = 0\n"
      "7  write(4, \"x\", 1) = -1 EPIPE (Broken pipe)\n"
      "7  getpid() = 7\n");
  ASSERT_EQ(report.illegal.size(), 1u);
  EXPECT_EQ(report.illegal[0].simulated, "not made");
  EXPECT_EQ(report.illegal[0].reason, "the process has ended with status 13");
}

TEST(Signals, AnotherOldActionOrMaskOrLimitIsNoticed) {
  const ReplayReport report = ReplayLines(absl::StrCat(
      Catch("SIGUSR1", "SA_RESTORER"),
      "7  rt_sigaction(SIGUSR1, NULL, {sa_handler=0x402000, sa_mask=[], sa_flags=SA_RESTORER, "
      "sa_restorer=0x7f8a44a38050}, 8) = 0\n",
      "7  rt_sigprocmask(SIG_SETMASK, [USR1], NULL, 8) = 0\n"
      "7  rt_sigprocmask(SIG_SETMASK, [], [USR2], 8) = 0\n"
      "7  prlimit64(0, RLIMIT_NOFILE, NULL, {rlim_cur=20, rlim_max=30}) = 0\n"
      "7  prlimit64(0, RLIMIT_NOFILE, NULL, {rlim_cur=20, rlim_max=31}) = 0\n"));
  ASSERT_EQ(report.illegal.size(), 3u) << Describe(report);
  EXPECT_THAT(report.illegal[0].reason,
              HasSubstr("sa_handler is 0x402000 in the recording, 0x401136"));
  EXPECT_THAT(report.illegal[1].reason, HasSubstr("the set is 0x800 in the recording, 0x200"));
  EXPECT_THAT(report.illegal[2].reason, HasSubstr("rlim_max is 0x1f in the recording, 0x1e"));
}

TEST(Replay, BadArgumentsAreRefusedBeforeAnythingRuns) {
  EXPECT_THAT(Refusal("t.strace", "7  close(3) = 0\n7  lseek(3, 0, SEEK_FOO) = 0\n"),
              HasSubstr("t.strace:2:"));
}

}  // namespace
}  // namespace kpath
