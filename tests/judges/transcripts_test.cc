// SPDX-License-Identifier: Apache-2.0
//
// Recorded runs of real programs: every result must be legal. And a recorded result that no kernel
// could have returned must be noticed.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/trace/graph_reader_file.h"
#include "tools/transcript/replay/replayer.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;

std::string Read(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(path);
  EXPECT_TRUE(text.ok()) << text.status();
  return *text;
}

ReplayReport Replay(const std::string& name, const std::string& text) {
  const auto transcript = strace::ParseTranscript(name, text);
  EXPECT_TRUE(transcript.ok()) << transcript.status();
  auto replayer = Replayer::Create(*transcript, {});
  EXPECT_TRUE(replayer.ok()) << replayer.status();
  return (*replayer)->Run();
}

std::string Describe(const ReplayReport& report) {
  std::string text = report.kernel_report;
  for (const IllegalResult& i : report.illegal) {
    absl::StrAppend(&text, "\n", i.line, ": ", i.call, "\n  recorded ", i.recorded, ", simulated ",
                    i.simulated, ": ", i.reason);
  }
  return text;
}

class Transcript : public testing::TestWithParam<const char*> {};

TEST_P(Transcript, EveryResultIsLegal) {
  const std::string path = absl::StrCat("tests/transcripts/", GetParam(), ".strace");
  const ReplayReport report = Replay(path, Read(path));
  EXPECT_TRUE(report.AllLegal()) << Describe(report);
  EXPECT_GT(report.legal, 20u);
}

INSTANTIATE_TEST_SUITE_P(All, Transcript,
                         testing::Values("libaio-harness-2", "libaio-harness-3", "libaio-harness-5",
                                         "libaio-harness-7", "libaio-harness-12", "ltp-io_submit03",
                                         "ltp-io_setup02", "ltp-io_getevents02"),
                         [](const auto& info) {
                           return absl::StrReplaceAll(info.param, {{"-", "_"}});
                         });

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
  const auto transcript =
      strace::ParseTranscript("t.strace", "7  close(3) = 0\n7  lseek(3, 0, SEEK_FOO) = 0\n");
  ASSERT_TRUE(transcript.ok()) << transcript.status();
  const auto replayer = Replayer::Create(*transcript, {});
  EXPECT_THAT(std::string(replayer.status().message()), HasSubstr("t.strace:2:"));
}

}  // namespace
}  // namespace kpath
