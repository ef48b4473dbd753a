// SPDX-License-Identifier: Apache-2.0
//
// Each matcher: that it matches, that it does not, and what it says of itself and of a failure.
#include <fcntl.h>

#include "gtest/gtest-spi.h"
#include "sim/process/signal.h"
#include "sim/trace/graph_reader_file.h"
#include "syscall_table/numbers_64.h"
#include "testing/kpath.h"

namespace kpath::testing {
namespace {

template <typename M, typename T>
std::string Explain(const M& matcher, const T& value) {
  ::testing::StringMatchResultListener listener;
  ::testing::SafeMatcherCast<const T&>(matcher).MatchAndExplain(value, &listener);
  return listener.str();
}

template <typename T, typename M>
bool Matches(const M& matcher, const T& value) {
  return ::testing::SafeMatcherCast<const T&>(matcher).Matches(value);
}

template <typename T, typename M>
std::string Describe(const M& matcher) {
  std::ostringstream text;
  ::testing::SafeMatcherCast<const T&>(matcher).DescribeTo(&text);
  return text.str();
}

template <typename T, typename M>
std::string DescribeNegation(const M& matcher) {
  std::ostringstream text;
  ::testing::SafeMatcherCast<const T&>(matcher).DescribeNegationTo(&text);
  return text.str();
}

// What `code` makes of a call in a program of its own.
RecordedCall CallOf(const std::function<int64_t()>& code) {
  RecordedCall call;
  Machine machine;
  machine.Run([&] { call = Call(code); });
  EXPECT_THAT(machine, LeavesNothingBehind());
  return call;
}

RecordedCall BadClose() {
  return CallOf([] { return user::close(9999); });
}
RecordedCall Getpid() { return CallOf(user::getpid); }

std::string FailureText(const std::function<void()>& expectation) {
  ::testing::TestPartResultArray failures;
  {
    ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
    expectation();
  }
  std::string text;
  for (int i = 0; i < failures.size(); ++i) text += failures.GetTestPartResult(i).message();
  return text;
}

// ---- Returns ----

TEST(Returns, ComparesWhatTheCallReturned) {
  const RecordedCall call = Getpid();
  EXPECT_THAT(call, Returns(1));
  EXPECT_THAT(call, Returns(Ge(1)));
  EXPECT_THAT(call, Not(Returns(2)));
  EXPECT_THAT(BadClose(), Returns(-EBADF));
}

TEST(Returns, TellsWhyItFailed) {
  EXPECT_EQ(Explain(Returns(3), BadClose()), "which returned -EBADF: fd 9999 is not open");
  EXPECT_EQ(Describe<RecordedCall>(Returns(3)), "returns a value that is equal to 3");
  EXPECT_EQ(DescribeNegation<RecordedCall>(Returns(3)), "returns a value that isn't equal to 3");
}

// ---- FailsWith ----

TEST(FailsWith, ComparesErrnoAndReason) {
  const RecordedCall call = BadClose();
  EXPECT_THAT(call, FailsWith(EBADF));
  EXPECT_THAT(call, FailsWith(EBADF, HasSubstr("fd 9999")));
  EXPECT_THAT(call, FailsWith(EBADF, "fd 9999 is not open"));
  EXPECT_THAT(call, Not(FailsWith(EINVAL)));
  EXPECT_THAT(call, Not(FailsWith(EBADF, HasSubstr("fd 9998"))));
  EXPECT_THAT(Getpid(), Not(FailsWith(EBADF)));
}

TEST(FailsWith, TellsTheErrnoByNameAndTheReason) {
  const RecordedCall call = BadClose();
  EXPECT_EQ(Explain(FailsWith(EINVAL), call), "which failed with EBADF: fd 9999 is not open");
  EXPECT_EQ(Explain(FailsWith(EBADF, HasSubstr("x")), call),
            "which failed with EBADF, but the reason is \"fd 9999 is not open\"");
  EXPECT_EQ(Explain(FailsWith(EBADF), Getpid()), "which did not fail but returned 1");
  const auto matcher = FailsWith(EBADF, HasSubstr("x"));
  EXPECT_EQ(Describe<RecordedCall>(matcher),
            "fails with EBADF for a reason that has substring \"x\"");
  EXPECT_EQ(DescribeNegation<RecordedCall>(matcher),
            "does not fail with EBADF for a reason that has substring \"x\"");
}

// A reason that was given before is not this call's.
TEST(FailsWith, DoesNotTakeAnOlderReason) {
  const RecordedCall call = CallOf([]() -> int64_t {
    user::close(9999);
    return -EINVAL;  // of nobody
  });
  EXPECT_EQ(call.reason, "");
}

// ---- PassesThrough ----

TEST(PassesThrough, WantsTheOrder) {
  const RecordedCall call = BadClose();
  EXPECT_THAT(call, PassesThrough("entry_SYSCALL_64", "do_syscall_64", "__x64_sys_close",
                                  "__close_fd", "prepare_exit_to_usermode"));
  EXPECT_THAT(call, Not(PassesThrough("__x64_sys_close", "do_syscall_64")));
  EXPECT_THAT(call, Not(PassesThrough("filp_close")));
  EXPECT_THAT(call, PassesThrough());
}

TEST(PassesThrough, TellsHowFarItCameAndWhereItWent) {
  const RecordedCall call = BadClose();
  const std::string text =
      Explain(PassesThrough("do_syscall_64", "__x64_sys_close", "filp_close"), call);
  EXPECT_THAT(
      text, ::testing::ContainsRegex("^which came to \"__x64_sys_close\" \\(#[0-9]+\\) and not to "
                                     "\"filp_close\" from there; it went through\n    "));
  EXPECT_THAT(text, HasSubstr("\n      __se_sys_close\n        __do_sys_close\n          "
                              "__close_fd"));
  EXPECT_THAT(text, HasSubstr("\n    syscall_return_slowpath"));
  EXPECT_THAT(Explain(PassesThrough("nowhere"), call),
              ::testing::StartsWith("which never came to \"nowhere\"; it went through\n"
                                    "    entry_SYSCALL_64\n    do_syscall_64\n"));
  EXPECT_THAT(Explain(PassesThrough("__close_fd", "do_syscall_64"), call),
              HasSubstr("not to \"do_syscall_64\" from there (it was there before, at #"));
}

TEST(PassesThrough, DescribesItself) {
  const auto matcher = PassesThrough("a", "b");
  EXPECT_EQ(Describe<RecordedCall>(matcher), "passes through \"a\", then \"b\"");
  EXPECT_EQ(DescribeNegation<RecordedCall>(matcher), "does not pass through \"a\", then \"b\"");
}

// ---- DispatchesTo ----

TEST(DispatchesTo, OfACall) {
  const RecordedCall call = BadClose();
  EXPECT_THAT(call, DispatchesTo(NR_close, "close"));
  EXPECT_THAT(call, DispatchesTo(NR_close, "__x64_sys_close"));
  EXPECT_THAT(call, Not(DispatchesTo(NR_close, "open")));
  EXPECT_THAT(call, Not(DispatchesTo(NR_open, "close")));
  EXPECT_THAT(CallOf([] { return user::Syscall(400); }), DispatchesTo(400, "sys_ni_syscall"));
  EXPECT_EQ(Explain(DispatchesTo(NR_close, "open"), call),
            "which made the system call 3 and was dispatched to __x64_sys_close by the slot close");
  EXPECT_EQ(Explain(DispatchesTo(NR_open, "close"), call),
            "which did not make the system call 2 but 3 close");
  EXPECT_EQ(Explain(DispatchesTo(9999, "close"), CallOf([] { return user::Syscall(9999); })),
            "which made the system call 9999 and was dispatched to nothing: there is no such slot");
}

TEST(DispatchesTo, OfA32BitCall) {
  const RecordedCall call = CallOf([] { return user::Int80(6, {9999}); });
  EXPECT_THAT(call, AllOf(DispatchesTo(6, "close"), FailsWith(EBADF),
                          PassesThrough("entry_INT80_compat", "do_int80_syscall_32")));
  EXPECT_EQ(call.syscalls[0].arguments[0], 9999);
}

TEST(DispatchesTo, OfAMachine) {
  Machine machine;
  EXPECT_THAT(machine, DispatchesTo(NR_io_submit, "io_submit"));
  EXPECT_THAT(machine, Not(DispatchesTo(NR_io_submit, "io_setup")));
  EXPECT_EQ(Explain(DispatchesTo(NR_io_submit, "io_setup"), machine),
            "whose slot 209 is io_submit");
  EXPECT_EQ(Explain(DispatchesTo(1000, "io_setup"), machine), "whose sys_call_table ends at 548");
  EXPECT_EQ(Describe<Machine>(DispatchesTo(209, "x")), "dispatches system call 209 to x");
  EXPECT_EQ(DescribeNegation<Machine>(DispatchesTo(209, "x")),
            "does not dispatch system call 209 to x");
}

// ---- CompletesWith ----

TEST(CompletesWith, ComparesDataAndResult) {
  const user::io_event event = {.data = 7, .obj = 0x100, .res = 512};
  EXPECT_THAT(event, CompletesWith(7, 512));
  EXPECT_THAT(event, CompletesWith(_, Ge(1)));
  EXPECT_THAT(event, Not(CompletesWith(8, 512)));
  EXPECT_EQ(Explain(CompletesWith(8, 512), event), "whose data is 7");
  const user::io_event error = {.data = 7, .obj = 0x100, .res = -EIO};
  EXPECT_EQ(Explain(CompletesWith(7, 512), error), "whose res is -EIO");
  const user::io_event second = {.data = 7, .res = 512, .res2 = 1};
  EXPECT_EQ(Explain(CompletesWith(7, 512), second), "whose res2 is 1");
  EXPECT_EQ(Describe<user::io_event>(CompletesWith(7, 512)),
            "is a completion whose data is equal to 7, and whose res is equal to 512");
  EXPECT_EQ(DescribeNegation<user::io_event>(CompletesWith(7, 512)),
            "is not a completion whose data is equal to 7, and whose res is equal to 512");
}

// ---- LeavesNothingBehind ----

TEST(LeavesNothingBehind, FindsWhatHangs) {
  Machine machine;
  machine.Start("sleeper", [] { user::pause(); });
  EXPECT_THAT(machine, Not(LeavesNothingBehind()));
  EXPECT_THAT(Explain(LeavesNothingBehind(), machine),
              AllOf(::testing::StartsWith("about which its kernel says at the end:\n"),
                    HasSubstr("sleeper")));
  EXPECT_EQ(Describe<Machine>(LeavesNothingBehind()), "leaves nothing behind");
  EXPECT_EQ(DescribeNegation<Machine>(LeavesNothingBehind()), "leaves something behind");
}

TEST(LeavesNothingBehind, FindsAnObjectThatIsLeft) {
  Machine machine;
  machine.Run([] { kmem_cache_alloc(*sigqueue_cachep, GFP_ATOMIC); });
  EXPECT_THAT(Explain(LeavesNothingBehind(), machine), HasSubstr("BUG sigqueue: object 0xffff"));
}

// ---- As gtest shows it ----

TEST(FailureText, OfAnExpectation) {
  const RecordedCall call = BadClose();
  EXPECT_EQ(FailureText([&] { EXPECT_THAT(call, Returns(0)); }),
            "Value of: call\n"
            "Expected: returns a value that is equal to 0\n"
            "  Actual: close(0x270f) = -EBADF (of type kpath::testing::RecordedCall), which "
            "returned -EBADF: fd 9999 is not open");
}

TEST(FailureText, ShowsWhatWasReturnedWhereThatIsNotTheLastResult) {
  const RecordedCall call = CallOf([]() -> int64_t {
    user::getpid();
    user::close(9999);
    return 5;
  });
  EXPECT_EQ(::testing::PrintToString(call), "getpid() = 1; close(0x270f) = -EBADF; returned 5");
}

// The failure that docs/use-in-your-project.md shows.
TEST(FailureText, OfThePage) {
  const absl::StatusOr<std::string> page = ReadTextFile("docs/use-in-your-project.md");
  ASSERT_TRUE(page.ok()) << page.status();
  std::string text;
  Machine machine;
  machine.Run([&] {
    text = FailureText([] {
      EXPECT_THAT(Call([] { return user::close(9); }), FailsWith(EBADF, HasSubstr("fd 9999")));
    });
  });
  EXPECT_THAT(*page, HasSubstr(text + "\n```\n"));
  EXPECT_THAT(text, HasSubstr("fd 9 is not open"));
}

}  // namespace
}  // namespace kpath::testing
