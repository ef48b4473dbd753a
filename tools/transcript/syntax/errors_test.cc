// SPDX-License-Identifier: Apache-2.0
//
// Every message for bad input, with its exact text.
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/transcript/syntax/test_util.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath::strace {
namespace {

struct Bad {
  const char* what;
  absl::string_view text;
  const char* error;  // behind "t.strace:"
};

void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.text; }

class ErrorsTest : public testing::TestWithParam<Bad> {};

TEST_P(ErrorsTest, Message) {
  EXPECT_EQ(ErrorOf(GetParam().text), absl::StrCat("t.strace:", GetParam().error));
}

constexpr Bad kLines[] = {
    {"NoCall", "hello world",
     "1:6: no '(' behind \"hello\", expected a system call such as close(3) = 0"},
    {"OnlyPid", "1630  ",
     "1:7: unexpected end of line, expected a system call, '---', '+++', '<...' or '#'"},
    {"Junk", "\n % time",
     "2:2: unexpected \"%\", expected a system call, '---', '+++', '<...' or '#'"},
    {"PidZero", "0 f() = 0", "1:1: bad process id, expected a number from 1 to 2147483647"},
    {"PidTooLarge", "99999999999 f() = 0",
     "1:1: bad process id, expected a number from 1 to 2147483647"},
    {"PidMissing", "[pid ] f() = 0", "1:6: bad process id, expected a number from 1 to 2147483647"},
    {"PidNotClosed", "[pid 7 f() = 0", "1:7: bad process column, expected ']'"},
    {"CommandNotClosed", "7<sh f() = 0", "1:2: bad process column, expected '>'"},
    {"NoBlankBehindPid", "[pid 7]f() = 0",
     "1:8: unexpected character, expected a blank behind the column"},
    {"BadTime", "7 25:00:00 f() = 0",
     "1:3: bad time, expected 10:20:30, 10:20:30.123456 or 12.345678"},
    {"BadMinutes", "7 10:60:00 f() = 0",
     "1:3: bad time, expected 10:20:30, 10:20:30.123456 or 12.345678"},
    {"BadSecondsOfDay", "7 10:00:61 f() = 0",
     "1:3: bad time, expected 10:20:30, 10:20:30.123456 or 12.345678"},
    {"SignInTime", "7 10:+5:00 f() = 0",
     "1:3: bad time, expected 10:20:30, 10:20:30.123456 or 12.345678"},
    {"BadSeconds", "7 0.12x f() = 0",
     "1:3: bad time, expected 10:20:30, 10:20:30.123456 or 12.345678"},
    {"BadRelative", "7 10:20:30 (+ x) f() = 0", "1:15: bad relative time, expected (+ 0.123456)"},
    {"BadColumn", "7 [x] f() = 0",
     "1:3: bad column, expected a number [  59] or an address [00007f115baa2ad7]"},
    {"ColumnNotClosed", "7 [59 f() = 0", "1:3: bad column, expected ']'"},
    {"SignalNotClosed", "7 --- SIGHUP", "1:13: event \"SIGHUP\" does not end, expected \" ---\""},
    {"NotASignal", "7 --- HUP ---", "1:7: unknown event, expected the name of a signal"},
    {"NotASiginfo", "7 --- SIGHUP 3 ---",
     "1:14: unexpected \"3\", expected '{' and the signal's siginfo"},
    {"BadSiginfo", "7 --- SIGHUP {a=} ---", "1:17: unexpected \"}\", expected a value"},
    {"MoreBehindSiginfo", "7 --- SIGHUP {} 3 ---", "1:17: unexpected \"3\", expected \" ---\""},
    {"MoreBehindStopped", "--- stopped by SIGSTOP x ---",
     "1:24: unexpected \"x\", expected the end of the event"},
    {"UnknownEvent", "7 +++ vanished +++",
     "1:7: unknown event, expected \"exited with\", \"killed by\" or \"superseded by\""},
    {"BadStatus", "7 +++ exited with 256 +++", "1:19: bad number, expected 0 to 255"},
    {"MoreBehindStatus", "7 +++ exited with 25x +++",
     "1:21: unexpected \"x\", expected the end of the event"},
    {"KilledByNothing", "7 +++ killed by x +++",
     "1:17: unknown event, expected the name of a signal"},
    {"SupersededByNothing", "7 +++ superseded by execve in pid x +++",
     "1:35: bad number, expected 1 to 2147483647"},
};

constexpr Bad kResults[] = {
    {"NoResult", "close(3)", "1:9: unexpected end of line, expected '=' and the result"},
    {"EmptyResult", "close(3) = ", "1:12: unexpected end of line, expected a number or '?'"},
    {"BadResult", "close(3) = {a=1}", "1:12: unexpected \"{\", expected a number or '?'"},
    {"ErrorWithoutText", "close(3) = -1 EBADF",
     "1:20: unexpected end of line, expected the error's text in parentheses"},
    {"RemarkNotClosed", "f() = 0 (Timeout", "1:17: unexpected end of line, expected ',' or ')'"},
    {"UnfinishedInRemark", "f() = 0 (a <unfinished ...>)",
     "1:12: unexpected \"<unfinished ...>\", expected ')'"},
    {"BadDuration", "f() = 0 <0.1.2>", "1:9: bad duration, expected <0.000012>"},
    {"MoreBehindResult", "f() = 0 <0.1> 5", "1:15: unexpected \"5\", expected the end of the line"},
};

constexpr Bad kValues[] = {
    {"NoValue", "f(1, ) = 0", "1:6: unexpected \")\", expected a value"},
    {"ValueAtEnd", "f(1, ", "1:6: unexpected end of line, expected a value"},
    {"NotClosed", "f(1", "1:4: unexpected end of line, expected ',' or ')'"},
    {"NoComma", "f(1 2) = 0", "1:5: unexpected \"2\", expected ',' or ')'"},
    {"NoCommaBeforeName", "f(1 A) = 0", "1:5: unexpected \"A\", expected ',' or ')'"},
    {"NoCommaBeforeString", "f(1 \"ab\") = 0",
     "1:5: unexpected string \"ab\", expected ',' or ')'"},
    {"NoCommaBeforeField", "f({a=1 b=2}) = 0", "1:8: unexpected \"b\", expected ',' or '}'"},
    {"WrongBracket", "f([1, 2}) = 0", "1:8: unexpected \"}\", expected ',' or ']'"},
    {"MoreBehindDots", "f({a=1, ..., b=2}) = 0", "1:12: unexpected \",\", expected '}'"},
    {"DotsAsArgument", "f(...) = 0", "1:3: unexpected \"...\", expected a value"},
    {"MoreBehindUnfinished", "f(1 <unfinished ...>, 2) = ?",
     "1:21: unexpected \",\", expected ')'"},
    {"LonelyOperator", "f(|A) = 0", "1:3: unexpected \"|\", expected a value"},
    {"OperatorAtEnd", "f(A|) = 0", "1:5: unexpected \")\", expected a value"},
    {"ParenthesesAsValue", "f((1)) = 0", "1:3: unexpected \"(\", expected a value"},
    {"TwoComments", "f(1 /* a */ /* b */) = 0", "1:13: unexpected comment, expected ',' or ')'"},
    {"LonelyDescriptor", "f(\"a\"</x>) = 0",
     "1:6: unexpected \"<\", expected a value or a separator"},
    {"NotASet", "f(~3) = 0", "1:4: unexpected \"3\", expected '[' behind '~'"},
    {"CommasInSet", "f(~[A, B]) = 0", "1:3: bad set ~[...], expected names with blanks between"},
    {"BadNumber", "f(12ab) = 0",
     "1:3: bad number \"12ab\", expected decimal, octal (0...) or hexadecimal (0x...) digits"},
    {"BadOctal", "f(089) = 0",
     "1:3: bad number \"089\", expected decimal, octal (0...) or hexadecimal (0x...) digits"},
    {"BadHex", "f(0x) = 0",
     "1:3: bad number \"0x\", expected decimal, octal (0...) or hexadecimal (0x...) digits"},
    {"StringNotClosed", "f(\"abc) = 0", "1:3: string does not end on this line, expected '\"'"},
    {"StringEndsInBackslash", "f(\"abc\\", "1:3: string does not end on this line, expected '\"'"},
    {"BadEscape", "f(\"a\\qb\") = 0",
     "1:5: unknown escape \"\\\\q\", expected \\n, \\t, \\\", \\\\, \\177, \\x7f or such"},
    {"CommentNotClosed", "f(3 /* x) = 0",
     "1:5: comment does not end on this line, expected \"*/\""},
    {"DescriptorNotClosed", "f(3</x) = 0",
     "1:4: description of a descriptor does not end on this line, expected \">\""},
    {"Nul", absl::string_view("f(\0) = 0", 8),
     "1:3: unexpected character \"\\x00\", expected a value or a separator"},
    {"NotUtf8", "f(\xff) = 0",
     "1:3: unexpected character \"\\xff\", expected a value or a separator"},
    {"LongTokenIsShortened", "f(1 \"0123456789012345678901234567890123456789\")",
     "1:5: unexpected string \"01234567890123456789012345678901...\", expected ',' or ')'"},
    {"LaterLine", "f() = 0\r\n\n8 f(]) = 0\n", "3:5: unexpected \"]\", expected a value"},
};

constexpr Bad kPieces[] = {
    {"ResumedWithoutName", "7 <... > = 0", "1:8: bad name, expected the name of a system call"},
    {"NotResumed", "7 <... read>", "1:12: unexpected character, expected \" resumed>\""},
    {"ResumedOnly", "7 <... read resumed>) = 0",
     "1:8: process 7 goes on with read, expected \"read(... <unfinished ...>\" of it on a line "
     "before"},
    {"ResumedWithoutPid", "<... read resumed>) = 0",
     "1:6: the process without a pid goes on with read, expected \"read(... <unfinished ...>\" of "
     "it on a line before"},
    {"ResumedAfterExit", "7 f( <unfinished ...>\n7 +++ exited with 0 +++\n7 <... f resumed>) = 0",
     "3:8: process 7 goes on with f, expected \"f(... <unfinished ...>\" of it on a line before"},
    {"OtherName", "7 read( <unfinished ...>\n7 <... write resumed>) = 0",
     "2:8: process 7 goes on with write, expected read, which it began on line 1"},
    {"OtherProcess", "7 f( <unfinished ...>\n8 <... f resumed>) = 0",
     "2:8: process 8 goes on with f, expected \"f(... <unfinished ...>\" of it on a line before"},
    {"CallInsideCall", "7 f( <unfinished ...>\n7 g() = 0",
     "2:3: process 7 calls g inside its f of line 1, expected \"<... f resumed>\" first"},
    {"BadHead", "7 f(] <unfinished ...>\n", "1:5: unexpected \"]\", expected a value"},
    {"ClosedHead", "7 f(1) <unfinished ...>\n",
     "1:6: unexpected \")\", expected ',' or \"<unfinished ...>\""},
    {"BadTail", "7 f(1,  <unfinished ...>\n7 <... f resumed>2]) = 0",
     "2:19: unexpected \"]\", expected ',' or ')'"},
    {"StringAcrossTheCut", "7 f(\"a <unfinished ...>\n7 <... f resumed>b\") = 0",
     "1:5: string does not end on this line, expected '\"'"},
    {"UnfinishedTwice", "7 f(1 <unfinished ...> <unfinished ...>\n",
     "1:7: unexpected \"<unfinished ...>\", expected the end of the line"},
    {"NothingBehindAttached", "vfork(strace: Process 8 attached\n\n",
     "2:1: unexpected end of line, expected a value"},
    {"TooManyPieces",
     "7 f( <unfinished ...>\n7 <... f resumed> <unfinished ...>\n7 <... f resumed> <unfinished "
     "...>\n7 <... f resumed> <unfinished ...>\n7 <... f resumed>) = 0\n",
     "5:18: call is cut into too many pieces, expected at most 4"},
};

std::string NameOf(const testing::TestParamInfo<Bad>& info) { return info.param.what; }

INSTANTIATE_TEST_SUITE_P(Lines, ErrorsTest, testing::ValuesIn(kLines), NameOf);
INSTANTIATE_TEST_SUITE_P(Results, ErrorsTest, testing::ValuesIn(kResults), NameOf);
INSTANTIATE_TEST_SUITE_P(Values, ErrorsTest, testing::ValuesIn(kValues), NameOf);
INSTANTIATE_TEST_SUITE_P(Pieces, ErrorsTest, testing::ValuesIn(kPieces), NameOf);

std::string Nested(int depth) {
  return absl::StrCat("f(", std::string(depth, '['), std::string(depth, ']'), ") = 0");
}

TEST(NestingTest, DeepestIsFine) { EXPECT_EQ(ErrorOf(Nested(kMaxNesting)), ""); }

TEST(NestingTest, DeeperIsAnError) {
  EXPECT_EQ(ErrorOf(Nested(kMaxNesting + 1)),
            "t.strace:1:67: brackets nest too deep, expected at most 64 inside each other");
}

TEST(NestingTest, VeryDeepIsAnError) {
  EXPECT_EQ(ErrorOf("f(" + std::string(1000000, '{')),
            "t.strace:1:67: brackets nest too deep, expected at most 64 inside each other");
}

}  // namespace
}  // namespace kpath::strace
