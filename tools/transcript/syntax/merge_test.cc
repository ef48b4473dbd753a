// SPDX-License-Identifier: Apache-2.0
//
// Calls that stand on several lines.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tools/transcript/syntax/print.h"
#include "tools/transcript/syntax/test_util.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath::strace {
namespace {

// A call's arguments as trees.
std::string ArgsOf(const Call& call) {
  std::string trees;
  for (const Value& arg : call.args) absl::StrAppend(&trees, trees.empty() ? "" : " ", Tree(arg));
  return trees;
}

TEST(MergeTest, TwoPiecesAreOneCall) {
  const std::string text =
      "1660  wait4(1661,  <unfinished ...>\n"
      "1661  exit_group(0)                     = ?\n"
      "1660  <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 1661\n";
  const Transcript transcript = MustParse(text);
  ASSERT_EQ(transcript.calls.size(), 2);
  const Call& call = transcript.calls[0];
  EXPECT_EQ(call.name, "wait4");
  EXPECT_EQ(call.pid, 1660);
  ASSERT_EQ(call.args.size(), 4);
  EXPECT_EQ(call.args[0].number, 1661);
  EXPECT_TRUE(call.returned);
  EXPECT_EQ(call.result.value.number, 1661);
  EXPECT_EQ(call.begin, (Position{1, 7}));
  EXPECT_EQ(call.end, (Position{3, 76}));
  EXPECT_EQ(call.first_line, 0);
  EXPECT_EQ(call.last_line, 2);
  EXPECT_EQ(call.args[0].position, (Position{1, 13}));
  EXPECT_EQ(call.args[1].position, (Position{3, 26}));
  EXPECT_EQ(transcript.lines[0].kind, LineKind::kUnfinished);
  EXPECT_EQ(transcript.lines[2].kind, LineKind::kResumed);
  EXPECT_EQ(transcript.lines[0].call, 0);
  EXPECT_EQ(transcript.lines[2].call, 0);
  EXPECT_EQ(transcript.lines[2].piece, 1);
  EXPECT_EQ(PrintTranscript(transcript), text);
}

struct Cut {
  const char* what;
  const char* head;
  const char* tail;
  const char* args;
};

class CutTest : public testing::TestWithParam<Cut> {};

// Where a call may be cut: its arguments are found, and both lines are printed as they were.
TEST_P(CutTest, IsJoined) {
  const std::string text = absl::StrCat(
      "7     ", GetParam().head, " <unfinished ...>\n7     <... f resumed>", GetParam().tail, "\n");
  const Transcript transcript = MustParse(text);
  ASSERT_EQ(transcript.calls.size(), 1);
  EXPECT_EQ(ArgsOf(transcript.calls[0]), GetParam().args);
  EXPECT_EQ(PrintTranscript(transcript), text);
}

constexpr Cut kCuts[] = {
    {"BeforeEverything", "f(", "[3, 4], O_CLOEXEC) = 0", "array(int:3 int:4) sym:O_CLOEXEC"},
    {"BehindEverything", "f(3", ")                  = 0 <0.000012>", "int:3"},
    {"BehindComma", "f(3, ", "\"abc\", 3)          = 3", "int:3 \"abc\" int:3"},
    {"BeforeComma", "f(1, TCGETS", ", {c_line=0})      = 0",
     "int:1 sym:TCGETS struct(c_line=int:0)"},
    {"BeforeArrow", "f({flags=0}", " => {tid=[9]}, 88) = 9",
     "pair(struct(flags=int:0) struct(tid=array(int:9))) int:88"},
    {"BeforeComment", "f(1, 2 ", "/* two */)         = 5", "int:1 int:2/* two */"},
    {"InsideStruct", "f(4, {flags=0, n=[1, ", "2]}, 5)            = 5",
     "int:4 struct(flags=int:0 n=array(int:1 int:2)) int:5"},
    {"InsideStructBeforeComma", "f(4, {flags=0, n=0", ", m=1})            = 5",
     "int:4 struct(flags=int:0 n=int:0 m=int:1)"},
    {"BehindName", "f({a=", "1})                = 5", "struct(a=int:1)"},
    {"NeverReturned", "f(CLOCK_REALTIME, ", " <unfinished ...>) = ?", "sym:CLOCK_REALTIME omitted"},
    {"NeverReturnedNorPrinted", "f(", " <unfinished ...>) = ?", ""},
    {"Error", "f(9", ")                  = -1 EBADF (Bad file descriptor)", "int:9"},
};

INSTANTIATE_TEST_SUITE_P(Cuts, CutTest, testing::ValuesIn(kCuts),
                         [](const auto& info) { return std::string(info.param.what); });

TEST(MergeTest, OlderStracesPrintABlank) {
  const std::string text =
      "7     read(3,  <unfinished ...>\n"
      "7     <... read resumed> \"a\", 1)        = 1\n"
      "7     open(\"x\", O_RDONLY <unfinished ...>\n"
      "7     <... open resumed> )              = 3\n";
  const Transcript transcript = MustParse(text);
  EXPECT_EQ(transcript.lines[1].begin, PieceBegin::kResumedBlank);
  EXPECT_EQ(ArgsOf(transcript.calls[0]), "int:3 \"a\" int:1");
  EXPECT_EQ(PrintTranscript(transcript), text);
}

TEST(MergeTest, NeverResumed) {
  const std::string text =
      "7     read(3,  <unfinished ...>\n"
      "8     f({a=1, b=[ <unfinished ...>\n"
      "7     +++ killed by SIGKILL +++\n";
  const Transcript transcript = MustParse(text);
  EXPECT_FALSE(transcript.calls[0].returned);
  EXPECT_EQ(ArgsOf(transcript.calls[0]), "int:3 omitted");
  EXPECT_EQ(transcript.calls[0].end, (Position{1, 12}));
  EXPECT_EQ(ArgsOf(transcript.calls[1]), "struct(a=int:1 b=array(open) open)");
  EXPECT_EQ(PrintTranscript(transcript), text);
}

TEST(MergeTest, NeverReturnedOnOneLine) {
  const std::string text = "7     pause( <unfinished ...>)          = ?\n";
  const Transcript transcript = MustParse(text);
  EXPECT_TRUE(transcript.calls[0].args_unfinished);
  EXPECT_TRUE(transcript.calls[0].returned);
  EXPECT_FALSE(transcript.calls[0].result.known);
  EXPECT_EQ(PrintTranscript(transcript), text);
}

TEST(MergeTest, Detached) {
  const std::string text =
      "7     read(3,  <detached ...>\n7     close(3)                          = 0\n";
  const Transcript transcript = MustParse(text);
  EXPECT_EQ(transcript.lines[0].end, PieceEnd::kDetached);
  EXPECT_FALSE(transcript.calls[0].returned);
  EXPECT_EQ(PrintTranscript(transcript), text);
}

TEST(MergeTest, ProcessesDoNotMix) {
  const Transcript transcript = MustParse(
      "1 read(3,  <unfinished ...>\n"
      "2 read(4,  <unfinished ...>\n"
      "1 <... read resumed>\"a\", 1) = 1\n"
      "2 <... read resumed>\"b\", 1) = 1\n");
  ASSERT_EQ(transcript.calls.size(), 2);
  EXPECT_EQ(ArgsOf(transcript.calls[0]), "int:3 \"a\" int:1");
  EXPECT_EQ(ArgsOf(transcript.calls[1]), "int:4 \"b\" int:1");
}

TEST(MergeTest, SignalsBetweenThePieces) {
  const Transcript transcript = MustParse(
      "1 read(3,  <unfinished ...>\n"
      "1 --- SIGSTOP {si_signo=SIGSTOP} ---\n"
      "1 --- stopped by SIGSTOP ---\n"
      "1 <... read resumed>\"a\", 1) = 1\n");
  EXPECT_TRUE(transcript.calls[0].returned);
}

// What strace -f prints without -o when a process is born: its words stand inside the parent's
// line, which goes on without a leader.
TEST(MergeTest, WordsOfStraceInsideACall) {
  const std::string text =
      "clone(child_stack=NULL, flags=SIGCHLDstrace: Process 9501 attached\n"
      ", child_tidptr=0x7ff5dad7fa10) = 9501\n"
      "vfork(strace: Process 9502 attached\n"
      ")                                 = 9502\n";
  const Transcript transcript = MustParse(text);
  ASSERT_EQ(transcript.calls.size(), 2);
  EXPECT_EQ(ArgsOf(transcript.calls[0]),
            "child_stack=null flags=sym:SIGCHLD child_tidptr=int:140693915302416h");
  EXPECT_EQ(transcript.lines[0].attached, 9501);
  EXPECT_EQ(transcript.lines[1].begin, PieceBegin::kContinued);
  EXPECT_EQ(PrintTranscript(transcript), text);
}

TEST(MergeTest, WordsOfStraceAndThenAnotherProcess) {
  const std::string text =
      "[pid    11] clone(flags=SIGCHLDstrace: Process 12 attached\n"
      " <unfinished ...>\n"
      "[pid    12] close(3)                    = 0\n"
      "[pid    11] <... clone resumed>, child_tidptr=NULL) = 12\n";
  const Transcript transcript = MustParse(text);
  ASSERT_EQ(transcript.calls.size(), 2);
  EXPECT_EQ(ArgsOf(transcript.calls[0]), "flags=sym:SIGCHLD child_tidptr=null");
  EXPECT_EQ(transcript.calls[0].last_line, 3);
  EXPECT_EQ(transcript.lines[3].piece, 2);
  EXPECT_EQ(PrintTranscript(transcript), text);
}

// Without -o the pid is left out while there is only one process.
TEST(MergeTest, PidAppears) {
  const Transcript transcript = MustParse(
      "clone(flags=SIGCHLD <unfinished ...>\n"
      "[pid 12] close(3)                       = 0\n"
      "[pid 11] <... clone resumed>)           = 12\n");
  EXPECT_EQ(transcript.calls[0].pid, 11);
  EXPECT_TRUE(transcript.calls[0].returned);
}

TEST(MergeTest, PidDisappears) {
  const Transcript transcript = MustParse(
      "[pid 11] wait4(-1,  <unfinished ...>\n"
      "[pid 12] pause( <unfinished ...>\n"
      "[pid 12] +++ killed by SIGKILL +++\n"
      "<... wait4 resumed>NULL, 0, NULL) = 12\n");
  EXPECT_EQ(transcript.calls[0].pid, 11);
  EXPECT_TRUE(transcript.calls[0].returned);
  EXPECT_FALSE(transcript.calls[1].returned);
}

TEST(MergeTest, ExecveOfAThreadGoesOnUnderThePidOfTheProcess) {
  const Transcript transcript = MustParse(
      "10 futex(NULL,  <unfinished ...>\n"
      "11 execve(\"/bin/true\", [], NULL <unfinished ...>\n"
      "10 <... futex resumed> <unfinished ...>) = ?\n"
      "10 +++ superseded by execve in pid 11 +++\n"
      "10 <... execve resumed>) = 0\n"
      "10 close(3) = 0\n");
  ASSERT_EQ(transcript.calls.size(), 3);
  EXPECT_EQ(transcript.calls[1].pid, 11) << "the thread that began it";
  EXPECT_EQ(transcript.calls[1].last_line, 4);
}

TEST(MergeTest, ANewProcessMayHaveThePidOfADeadOne) {
  const Transcript transcript = MustParse(
      "7 pause( <unfinished ...>\n"
      "7 +++ killed by SIGKILL +++\n"
      "7 close(3) = 0\n");
  EXPECT_FALSE(transcript.calls[0].returned);
  EXPECT_TRUE(transcript.calls[1].returned);
}

}  // namespace
}  // namespace kpath::strace
