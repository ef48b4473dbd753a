// SPDX-License-Identifier: Apache-2.0
//
// Kinds of lines, leaders and results.
#include "tools/transcript/syntax/transcript.h"

#include <gtest/gtest.h>

#include <utility>

#include "tools/transcript/syntax/test_util.h"

namespace kpath::strace {
namespace {

TEST(LineTest, CompleteCall) {
  const Transcript transcript = MustParse("1630  close(3)                          = 0\n");
  ASSERT_EQ(transcript.lines.size(), 1);
  EXPECT_EQ(transcript.lines[0].kind, LineKind::kCall);
  EXPECT_EQ(transcript.lines[0].call, 0);
  ASSERT_EQ(transcript.calls.size(), 1);
  const Call& call = transcript.calls[0];
  EXPECT_EQ(call.pid, 1630);
  EXPECT_EQ(call.name, "close");
  ASSERT_EQ(call.args.size(), 1);
  EXPECT_EQ(call.args[0].number, 3);
  EXPECT_TRUE(call.returned);
  EXPECT_TRUE(call.result.known);
  EXPECT_EQ(call.result.value.number, 0);
}

TEST(LineTest, CallWithoutArguments) {
  const Transcript transcript = MustParse("getpid() = 7");
  EXPECT_TRUE(transcript.calls[0].args.empty());
  EXPECT_EQ(transcript.calls[0].pid, 0);
}

TEST(LineTest, NamedArguments) {
  const Transcript transcript =
      MustParse("clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD) = 1631");
  const Call& call = transcript.calls[0];
  ASSERT_EQ(call.args.size(), 2);
  EXPECT_EQ(call.args[0].name, "child_stack");
  EXPECT_EQ(call.args[1].name, "flags");
  EXPECT_EQ(call.args[1].children.size(), 2);
}

TEST(LineTest, BlankAndComment) {
  const Transcript transcript = MustParse("\n  \t\n# a comment\n  #\n");
  ASSERT_EQ(transcript.lines.size(), 4);
  EXPECT_EQ(transcript.lines[0].kind, LineKind::kBlank);
  EXPECT_EQ(transcript.lines[1].kind, LineKind::kBlank);
  EXPECT_EQ(transcript.lines[2].kind, LineKind::kComment);
  EXPECT_EQ(transcript.lines[2].text, "# a comment");
  EXPECT_EQ(transcript.lines[3].kind, LineKind::kComment);
}

TEST(LineTest, Directive) {
  const Transcript transcript =
      MustParse("# kpath: file /data/x  size=1M\n#kpath:cpus=2\n# kpath:");
  const Line& line = transcript.lines[0];
  EXPECT_EQ(line.kind, LineKind::kDirective);
  ASSERT_EQ(line.words.size(), 3);
  EXPECT_EQ(line.words[0].text, "file");
  EXPECT_EQ(line.words[0].column, 10);
  EXPECT_EQ(line.words[2].text, "size=1M");
  EXPECT_EQ(line.words[2].column, 24);
  ASSERT_EQ(transcript.lines[1].words.size(), 1);
  EXPECT_EQ(transcript.lines[1].words[0].text, "cpus=2");
  EXPECT_EQ(transcript.lines[2].kind, LineKind::kDirective);
  EXPECT_TRUE(transcript.lines[2].words.empty());
}

TEST(LineTest, AnotherWordThanKpathIsAComment) {
  EXPECT_EQ(MustParse("# kpathology: x").lines[0].kind, LineKind::kComment);
}

TEST(LineTest, Notes) {
  const Transcript transcript = MustParse(
      "strace: Process 9501 attached\n"
      " > /usr/lib/libc.so.6(__connect+0x10) [0x10a7c0]\n"
      " | 00000  71                                                q                |\n"
      " * 1 bytes in buffer 0\n");
  for (const Line& line : transcript.lines) EXPECT_EQ(line.kind, LineKind::kNote) << line.text;
}

TEST(LineTest, Signal) {
  const Transcript transcript =
      MustParse("9 --- SIGCHLD {si_signo=SIGCHLD, si_pid=1631} ---\n9 --- SIGRT_1 ---\n");
  const Line& line = transcript.lines[0];
  EXPECT_EQ(line.kind, LineKind::kSignal);
  EXPECT_EQ(line.event->signal, "SIGCHLD");
  EXPECT_EQ(line.leader->pid, 9);
  ASSERT_NE(line.event->siginfo, nullptr);
  EXPECT_EQ(FindField(*line.event->siginfo, "si_pid")->number, 1631);
  EXPECT_EQ(FindField(*line.event->siginfo, "si_pid")->position, (Position{1, 34}));
  EXPECT_EQ(transcript.lines[1].event->signal, "SIGRT_1");
  EXPECT_EQ(transcript.lines[1].event->siginfo, nullptr);
}

TEST(LineTest, Stopped) {
  const Transcript transcript = MustParse("--- stopped by SIGSTOP ---");
  EXPECT_EQ(transcript.lines[0].kind, LineKind::kStopped);
  EXPECT_EQ(transcript.lines[0].event->signal, "SIGSTOP");
}

TEST(LineTest, Exits) {
  const Transcript transcript = MustParse(
      "1 +++ exited with 141 +++\n"
      "2 +++ killed by SIGKILL +++\n"
      "3 +++ killed by SIGSEGV (core dumped) +++\n"
      "4 +++ superseded by execve in pid 1234 +++\n");
  for (const Line& line : transcript.lines) EXPECT_EQ(line.kind, LineKind::kExited);
  EXPECT_EQ(transcript.lines[0].event->exit, ExitKind::kExited);
  EXPECT_EQ(transcript.lines[0].event->exit_status, 141);
  EXPECT_EQ(transcript.lines[1].event->exit, ExitKind::kKilled);
  EXPECT_EQ(transcript.lines[1].event->signal, "SIGKILL");
  EXPECT_FALSE(transcript.lines[1].event->core_dumped);
  EXPECT_EQ(transcript.lines[2].event->signal, "SIGSEGV");
  EXPECT_TRUE(transcript.lines[2].event->core_dumped);
  EXPECT_EQ(transcript.lines[3].event->exit, ExitKind::kSuperseded);
  EXPECT_EQ(transcript.lines[3].event->superseded_by, 1234);
}

TEST(LineTest, LineEnds) {
  const Transcript transcript = MustParse("close(3) = 0\r\n\r\n# last\r");
  ASSERT_EQ(transcript.lines.size(), 3);
  EXPECT_EQ(transcript.lines[0].text, "close(3) = 0");
  EXPECT_EQ(transcript.lines[1].kind, LineKind::kBlank);
  EXPECT_EQ(transcript.lines[2].text, "# last");
  EXPECT_EQ(transcript.lines[2].number, 3);
}

TEST(LineTest, AllCarriageReturnsBelongToTheLinesEnd) {
  EXPECT_EQ(MustParse("# a\r\r\n").lines[0].text, "# a");
}

TEST(LineTest, EmptyText) {
  EXPECT_TRUE(MustParse("").lines.empty());
  EXPECT_EQ(MustParse("\n").lines.size(), 1);
}

TEST(LineTest, StaysGoodWhenMoved) {
  Transcript first = MustParse("f(\"text\") = 0");
  const Transcript second = std::move(first);
  EXPECT_EQ(Bytes(second.calls[0].args[0]), "text");
}

TEST(LineTest, BorrowsNothingFromItsInput) {
  std::string text = "f(\"text\") = 0";
  const Transcript transcript = MustParse(text);
  text.assign(text.size(), '#');
  EXPECT_EQ(Bytes(transcript.calls[0].args[0]), "text");
}

// The leader of the only line.
Leader LeaderOf(absl::string_view text) { return *MustParse(text).lines[0].leader; }

TEST(LeaderTest, Pids) {
  EXPECT_EQ(LeaderOf("f() = 0").pid_style, PidStyle::kNone);
  EXPECT_EQ(LeaderOf("1630  f() = 0").pid_style, PidStyle::kColumn);
  EXPECT_EQ(LeaderOf("1630  f() = 0").pid, 1630);
  EXPECT_EQ(LeaderOf("[pid  1630] f() = 0").pid_style, PidStyle::kBracket);
  EXPECT_EQ(LeaderOf("[pid  1630] f() = 0").pid, 1630);
}

TEST(LeaderTest, Commands) {
  const Transcript transcript = MustParse("1630<my sh> f() = 0\n[pid 1630<ls>] f() = 0");
  EXPECT_EQ(transcript.lines[0].leader->command, "my sh");
  EXPECT_EQ(transcript.lines[1].leader->command, "ls");
}

TEST(LeaderTest, Times) {
  EXPECT_EQ(LeaderOf("f() = 0").time_style, TimeStyle::kNone);
  const Leader of_day = LeaderOf("7 10:20:30.123456 f() = 0");
  EXPECT_EQ(of_day.time_style, TimeStyle::kTimeOfDay);
  EXPECT_EQ(of_day.time_ns, 37230123456000);
  EXPECT_EQ(of_day.pid, 7);
  EXPECT_EQ(LeaderOf("00:00:01 f() = 0").time_ns, 1000000000);
  const Leader epoch = LeaderOf("1700000000.000001 f() = 0");
  EXPECT_EQ(epoch.time_style, TimeStyle::kSinceEpoch);
  EXPECT_EQ(epoch.time_ns, 1700000000000001000);
  const Leader relative = LeaderOf("     0.000012 f() = 0");
  EXPECT_EQ(relative.time_style, TimeStyle::kSinceLastLine);
  EXPECT_EQ(relative.time_ns, 12000);
}

TEST(LeaderTest, TimeOfTwoDigitsSecondsIsRelative) {
  EXPECT_EQ(LeaderOf("    10.000012 f() = 0").time_ns, 10000012000);
}

TEST(LeaderTest, BothTimes) {
  const Transcript transcript = MustParse("7  10:20:30 (+     0.000012) f() = 0");
  EXPECT_EQ(transcript.lines[0].leader->time, "10:20:30");
  EXPECT_EQ(transcript.lines[0].leader->since, "0.000012");
}

TEST(LeaderTest, NumberAndAddress) {
  const Transcript transcript =
      MustParse("7 [  59] [00007f115baa2ad7] f() = 0\n[????????????????] f() = 0");
  EXPECT_EQ(transcript.lines[0].leader->number, "59");
  EXPECT_EQ(transcript.lines[0].leader->address, "00007f115baa2ad7");
  EXPECT_EQ(transcript.lines[1].leader->address, "????????????????");
}

TEST(LeaderTest, PositionsCountIt) {
  EXPECT_EQ(MustParse("7 10:20:30 f() = 0").calls[0].begin, (Position{1, 12}));
}

// The only call's result; the transcript must outlive it.
const Result& ResultOf(const Transcript& transcript) { return transcript.calls[0].result; }

TEST(ResultTest, Number) {
  const Transcript transcript = MustParse("f() = 0x7f9c4d335000");
  EXPECT_TRUE(ResultOf(transcript).known);
  EXPECT_EQ(ResultOf(transcript).value.number, 0x7f9c4d335000);
  EXPECT_EQ(ResultOf(transcript).value.radix, Radix::kHex);
}

TEST(ResultTest, Error) {
  const Transcript transcript = MustParse("f() = -1 EBADF (Bad file descriptor)");
  EXPECT_EQ(static_cast<int64_t>(ResultOf(transcript).value.number), -1);
  EXPECT_EQ(ResultOf(transcript).error, "EBADF");
  EXPECT_EQ(ResultOf(transcript).message, "Bad file descriptor");
  EXPECT_TRUE(ResultOf(transcript).remarks.empty());
}

TEST(ResultTest, ErrorTextMayHoldAnything) {
  const Transcript transcript = MustParse("f() = -1 E (can't ('x') do [it) (INJECTED)");
  EXPECT_EQ(ResultOf(transcript).message, "can't ('x') do [it");
  ASSERT_EQ(ResultOf(transcript).remarks.size(), 1);
}

TEST(ResultTest, Unknown) {
  const Transcript transcript = MustParse("exit_group(0)                     = ?");
  EXPECT_TRUE(transcript.calls[0].returned);
  EXPECT_FALSE(ResultOf(transcript).known);
  EXPECT_EQ(ResultOf(transcript).error, "");
}

TEST(ResultTest, Restart) {
  const Transcript transcript =
      MustParse("pause() = ? ERESTARTSYS (To be restarted if SA_RESTART is set)");
  EXPECT_FALSE(ResultOf(transcript).known);
  EXPECT_EQ(ResultOf(transcript).error, "ERESTARTSYS");
  EXPECT_EQ(ResultOf(transcript).message, "To be restarted if SA_RESTART is set");
}

TEST(ResultTest, Unavailable) {
  EXPECT_TRUE(ResultOf(MustParse("f() = ? <unavailable>")).unavailable);
}

// The remarks of a result, as trees.
std::string RemarksOf(absl::string_view result) {
  const Transcript transcript = MustParse(std::string("f() = ") + std::string(result));
  std::string trees;
  for (const Value& remark : ResultOf(transcript).remarks) trees += Tree(remark) + ";";
  return trees;
}

TEST(ResultTest, Remarks) {
  EXPECT_EQ(RemarksOf("0 (Timeout)"), "call:(sym:Timeout);");
  EXPECT_EQ(RemarksOf("1 ([{fd=5, revents=POLLIN}])"),
            "call:(array(struct(fd=int:5 revents=sym:POLLIN)));");
  EXPECT_EQ(RemarksOf("1 (in [3 4], left {tv_sec=1, tv_usec=2})"),
            "call:(words(sym:in set(int:3 int:4)) words(sym:left struct(tv_sec=int:1 "
            "tv_usec=int:2)));");
  EXPECT_EQ(RemarksOf("0x8002 (flags O_RDWR|O_LARGEFILE)"),
            "call:(words(sym:flags flags(sym:O_RDWR sym:O_LARGEFILE)));");
  EXPECT_EQ(RemarksOf("-1 EPERM (Operation not permitted) (INJECTED) (DELAYED)"),
            "call:(sym:INJECTED);call:(sym:DELAYED);");
  EXPECT_EQ(RemarksOf("1795705066 (2026-11-26T14:57:46+0000)"),
            "call:(verbatim:2026-11-26T14:57:46+0000);");
}

TEST(ResultTest, DescriptorAndDuration) {
  const Transcript transcript = MustParse("open() = 3</etc/passwd> <0.000012>");
  EXPECT_EQ(Descriptor(ResultOf(transcript).value), "/etc/passwd");
  EXPECT_EQ(ResultOf(transcript).duration, "0.000012");
  EXPECT_EQ(ResultOf(transcript).duration_ns, 12000);
}

}  // namespace
}  // namespace kpath::strace
