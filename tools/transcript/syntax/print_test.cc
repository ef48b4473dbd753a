// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/syntax/print.h"

#include <gtest/gtest.h>

#include <string>

#include "tools/transcript/syntax/test_util.h"

namespace kpath::strace {
namespace {

// Prints the only call of `text`.
std::string Printed(absl::string_view text) { return PrintCall(MustParse(text).calls[0]); }

Value Integer(uint64_t number, Radix radix = Radix::kDecimal) {
  Value value;
  value.kind = ValueKind::kInteger;
  value.number = number;
  value.radix = radix;
  return value;
}

TEST(PrintTest, PadsAShortCallToColumn40) {
  EXPECT_EQ(Printed("close(3) = 0"), "close(3)                                = 0");
  EXPECT_EQ(Printed("close(3) = 0").find('='), 40);
}

TEST(PrintTest, PutsOneBlankBehindALongCall) {
  EXPECT_EQ(Printed("munmap(0x7f9c4d329000, 50359, 1234567)   = 0"),
            "munmap(0x7f9c4d329000, 50359, 1234567)  = 0");
  EXPECT_EQ(Printed("munmap(0x7f9c4d329000, 50359, 12345678) = 0"),
            "munmap(0x7f9c4d329000, 50359, 12345678) = 0");
  EXPECT_EQ(Printed("munmap(0x7f9c4d329000, 50359, 123456789)   = 0"),
            "munmap(0x7f9c4d329000, 50359, 123456789) = 0");
}

TEST(PrintTest, CountsTheLeaderToTheColumn) {
  const Transcript transcript = MustParse("1630 close(3) = 0");
  EXPECT_EQ(PrintLine(transcript, transcript.lines[0]),
            "1630  close(3)                          = 0");
}

TEST(PrintTest, TakesTheColumnFromItsOptions) {
  const Transcript transcript = MustParse("close(3) = 0");
  EXPECT_EQ(PrintLine(transcript, transcript.lines[0], {.result_column = 12}), "close(3)    = 0");
  EXPECT_EQ(PrintCall(transcript.calls[0], {.result_column = 0}), "close(3) = 0");
}

TEST(PrintTest, JoinsThePiecesOfACall) {
  EXPECT_EQ(Printed("7 read(3,  <unfinished ...>\n7 <... read resumed>\"a\", 1) = 1\n"),
            "read(3, \"a\", 1)                         = 1");
}

TEST(PrintTest, CallThatDidNotReturn) {
  EXPECT_EQ(Printed("7 read(3,  <unfinished ...>\n"), "read(3,  <unfinished ...>");
}

TEST(PrintTest, UsualSpacing) {
  EXPECT_EQ(Printed("f( 1,2 ,{ a = [1,  2] , ... } ,A | B,[HUP   INT],  1=>2, x==1&&y ) =0"),
            "f(1, 2, {a=[1, 2], ...}, A | B, [HUP INT], 1 => 2, x == 1 && y) = 0");
}

TEST(PrintTest, Leaders) {
  for (const char* line : {
           "7     f()                               = 0",
           "12345678 f()                            = 0",
           "[pid     7] f()                         = 0",
           "[pid     7<sh>] f()                     = 0",
           "7<my sh> f()                            = 0",
           "10:20:30 f()                            = 0",
           "7     10:20:30.123456 f()               = 0",
           "1700000000.123456 f()                   = 0",
           "     0.000012 f()                       = 0",
           "123456.000012 f()                       = 0",
           "10:20:30 (+     0.000012) f()           = 0",
           "7     [  59] f()                        = 0",
           "[1024] [00007f115baa2ad7] f()           = 0",
       }) {
    const Transcript transcript = MustParse(line);
    EXPECT_EQ(PrintLine(transcript, transcript.lines[0]), line);
  }
}

TEST(PrintTest, Results) {
  for (const char* result : {
           "0x7f9c4d335000",
           "-1 EBADF (Bad file descriptor)",
           "?",
           "? <unavailable>",
           "? ERESTARTSYS (To be restarted if SA_RESTART is set)",
           "0 (Timeout)",
           "1 (in [3 4], left {tv_sec=1, tv_usec=2})",
           "3</etc/passwd>(deleted) <0.000012>",
           "-1 EPERM (Operation not permitted) (INJECTED) (DELAYED) <1.000000>",
       }) {
    const Transcript transcript = MustParse(std::string("f() = ") + result);
    EXPECT_EQ(PrintResult(transcript.calls[0].result), result);
  }
}

TEST(PrintTest, OtherLines) {
  const std::string text =
      "\n"
      "  \n"
      "# comment  \n"
      "# kpath: cpus=2\n"
      "strace: Process 9501 attached\n"
      "7     --- SIGCHLD {si_signo=SIGCHLD, si_status=0} ---\n"
      "7     --- SIGHUP ---\n"
      "7     --- stopped by SIGSTOP ---\n"
      "7     +++ exited with 0 +++\n"
      "7     +++ killed by SIGKILL +++\n"
      "7     +++ killed by SIGSEGV (core dumped) +++\n"
      "7     +++ superseded by execve in pid 8 +++\n";
  EXPECT_EQ(PrintTranscript(MustParse(text)), text);
}

TEST(PrintTest, EndsTheLastLine) {
  EXPECT_EQ(PrintTranscript(MustParse("# a\r\n# b")), "# a\n# b\n");
}

TEST(PrintTest, ValuesMadeByCode) {
  EXPECT_EQ(PrintValue(Integer(18446744073709551615u)), "18446744073709551615");
  EXPECT_EQ(PrintValue(Integer(0xff, Radix::kHex)), "0xff");
  EXPECT_EQ(PrintValue(Integer(0644, Radix::kOctal)), "0644");
  Value negative = Integer(-5);
  negative.negative = true;
  EXPECT_EQ(PrintValue(negative), "-5");
}

TEST(PrintTest, CallMadeByCode) {
  Value fields[] = {Integer(3), Integer(1, Radix::kHex)};
  fields[0].name = "fd";
  fields[1].name = "events";
  Value args[2];
  args[0].kind = ValueKind::kStruct;
  args[0].children = fields;
  args[1].kind = ValueKind::kNull;
  Call call;
  call.name = "f";
  call.args = args;
  call.returned = true;
  call.result.known = true;
  call.result.value = Integer(-1);
  call.result.value.negative = true;
  call.result.error = "EFAULT";
  call.result.message = "Bad address";
  EXPECT_EQ(PrintCall(call), "f({fd=3, events=0x1}, NULL)             = -1 EFAULT (Bad address)");
}

}  // namespace
}  // namespace kpath::strace
