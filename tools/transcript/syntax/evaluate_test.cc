// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/syntax/evaluate.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tools/transcript/syntax/test_util.h"

namespace kpath::strace {
namespace {

// What `evaluate` makes of the value `text`: the number in hexadecimal, or the error.
template <typename Function>
std::string Of(Function evaluate, absl::string_view text) {
  const Transcript transcript = MustParse(absl::StrCat("f(", text, ") = 0"));
  const auto number = evaluate(transcript.calls[0].args[0]);
  return number.ok() ? absl::StrCat("0x", absl::Hex(*number))
                     : std::string(number.status().message());
}

std::string Number(absl::string_view text) { return Of(Evaluate, text); }
std::string SignalSet(absl::string_view text) { return Of(EvaluateSignalSet, text); }
std::string WaitStatus(absl::string_view text) { return Of(EvaluateWaitStatus, text); }

TEST(EvaluateTest, Integers) {
  EXPECT_EQ(Number("255"), "0xff");
  EXPECT_EQ(Number("-1"), "0xffffffffffffffff");
  EXPECT_EQ(Number("0644"), "0x1a4");
  EXPECT_EQ(Number("3</etc/passwd> /* x */"), "0x3");
  EXPECT_EQ(Number("NULL"), "0x0");
}

TEST(EvaluateTest, Names) {
  EXPECT_EQ(Number("AT_FDCWD"), "0xffffffffffffff9c");
  EXPECT_EQ(Number("SIGCHLD"), "0x11");
  EXPECT_EQ(Number("O_RDWR|O_CREAT|0x80"), "0xc2");
  EXPECT_EQ(Number("S_IFREG|0644"), "0x81a4");
}

TEST(EvaluateTest, Operations) {
  EXPECT_EQ(Number("8192*1024"), "0x800000");
  EXPECT_EQ(Number("21<<MAP_HUGE_SHIFT|MAP_PRIVATE"), "0x54000002");
}

TEST(EvaluateTest, Calls) {
  EXPECT_EQ(Number("makedev(0x8, 0x1)"), absl::StrCat("0x", absl::Hex(makedev(8, 1))));
  EXPECT_EQ(Number("makedev(0x12345, 0x6789a)"),
            absl::StrCat("0x", absl::Hex(makedev(0x12345, 0x6789a))));
  EXPECT_EQ(Number("htons(80)"), "0x5000");
  EXPECT_EQ(Number("htonl(1)"), "0x1000000");
}

TEST(EvaluateTest, Errors) {
  EXPECT_EQ(Number("O_FOO"),
            "1:3: unknown name \"O_FOO\", expected a number or a name that kpath knows");
  EXPECT_EQ(Number("O_RDWR|O_FOO"),
            "1:10: unknown name \"O_FOO\", expected a number or a name that kpath knows");
  EXPECT_EQ(Number("makedev(8, X)"),
            "1:14: unknown name \"X\", expected a number or a name that kpath knows");
  EXPECT_EQ(Number("18446744073709551616"),
            "1:3: number \"18446744073709551616\" is too large, expected at most 64 bits");
  EXPECT_EQ(Number("1<<64"), "1:3: shift is too far, expected at most 63");
  EXPECT_EQ(Number("1 == 1"), "1:3: unexpected \"1 == 1\", expected a number or the name of one");
  EXPECT_EQ(Number("\"a\""), "1:3: unexpected \"\\\"a\\\"\", expected a number or the name of one");
  EXPECT_EQ(Number("{a=1}"), "1:3: unexpected \"{a=1}\", expected a number or the name of one");
  EXPECT_EQ(Number("makedev(8)"),
            "1:3: unexpected \"makedev(8)\", expected a number or the name of one");
  EXPECT_EQ(Number("open(8)"), "1:3: unexpected \"open(8)\", expected a number or the name of one");
}

TEST(EvaluateSignalSetTest, Sets) {
  EXPECT_EQ(SignalSet("[]"), "0x0");
  EXPECT_EQ(SignalSet("[HUP]"), "0x1");
  EXPECT_EQ(SignalSet("[HUP INT]"), "0x3");
  EXPECT_EQ(SignalSet("[RTMIN RT_32]"), "0x8000000080000000");
  EXPECT_EQ(SignalSet("~[]"), "0xffffffffffffffff");
  EXPECT_EQ(SignalSet("~[RTMIN RT_1]"), "0xfffffffe7fffffff");
}

TEST(EvaluateSignalSetTest, Errors) {
  EXPECT_EQ(SignalSet("3"), "1:3: unexpected \"3\", expected a set of signals such as [HUP INT]");
  EXPECT_EQ(SignalSet("[HUP SIGINT]"),
            "1:8: unexpected \"SIGINT\", expected the name of a signal without SIG");
  EXPECT_EQ(SignalSet("[HUP RT_33]"),
            "1:8: unexpected \"RT_33\", expected the name of a signal without SIG");
}

// Read the other way: what the C library makes of the status words.
TEST(EvaluateWaitStatusTest, Exited) {
  EXPECT_EQ(WaitStatus("[{WIFEXITED(s) && WEXITSTATUS(s) == 7}]"), "0x700");
  EXPECT_TRUE(WIFEXITED(0x700));
  EXPECT_EQ(WEXITSTATUS(0x700), 7);
}

TEST(EvaluateWaitStatusTest, Signaled) {
  EXPECT_EQ(WaitStatus("[{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}]"), "0x9");
  EXPECT_EQ(WaitStatus("{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}"), "0x8b");
  EXPECT_TRUE(WIFSIGNALED(0x8b) && WCOREDUMP(0x8b));
  EXPECT_EQ(WTERMSIG(0x8b), SIGSEGV);
}

TEST(EvaluateWaitStatusTest, Stopped) {
  EXPECT_EQ(WaitStatus("WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP"), "0x137f");
  EXPECT_TRUE(WIFSTOPPED(0x137f));
  EXPECT_EQ(WSTOPSIG(0x137f), SIGSTOP);
  EXPECT_EQ(WaitStatus("WIFSTOPPED(s) && WSTOPSIG(s) == SIGTRAP|0x80"), "0x857f");
}

TEST(EvaluateWaitStatusTest, Continued) {
  EXPECT_EQ(WaitStatus("[{WIFCONTINUED(s)}]"), "0xffff");
  EXPECT_TRUE(WIFCONTINUED(0xffff));
}

TEST(EvaluateWaitStatusTest, Errors) {
  for (const char* text : {"3", "[]", "WIFEXITED(s)", "WIFEXITED(s) && 3",
                           "WIFEXITED(s) && WTERMSIG(s) == 1", "WIFODD(s) && WTERMSIG(s) == 1"}) {
    EXPECT_EQ(WaitStatus(text), absl::StrCat("1:3: unexpected \"", text,
                                             "\", expected a status such as "
                                             "WIFEXITED(s) && WEXITSTATUS(s) == 0"));
  }
  EXPECT_EQ(WaitStatus("WIFEXITED(s) && WEXITSTATUS(s) == X"),
            "1:37: unknown name \"X\", expected a number or a name that kpath knows");
}

}  // namespace
}  // namespace kpath::strace
