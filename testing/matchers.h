// SPDX-License-Identifier: Apache-2.0
//
// Matchers whose failures tell what happened. They are used as gmock's own, with them, and negated
// by Not(). Each may be called in ring 3 and from outside.
//
//   RecordedCall call = Call([&] { return user::io_submit(ctx, 1, iocbs); });
//   EXPECT_THAT(call, Returns(1));
//   EXPECT_THAT(call, PassesThrough("do_syscall_64", "__x64_sys_io_submit", "io_submit_one"));
//   EXPECT_THAT(call, DispatchesTo(209, "io_submit"));
//   EXPECT_THAT(call, CallGraphIs("testing/testdata/submit.graph"));
//   EXPECT_THAT(Call([] { return user::close(9999); }), FailsWith(EBADF, HasSubstr("fd 9999")));
//   EXPECT_THAT(events.Load(), CompletesWith(7, 512));
//   EXPECT_THAT(machine, LeavesNothingBehind());
//
// Part of testing/kpath.h.
#pragma once

#include <cerrno>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "sim/user/libaio.h"
#include "testing/golden.h"
#include "testing/machine.h"
#include "testing/trace.h"

namespace kpath::testing {

// ---- A path: of a RecordedCall, or of a Trace ----

class PassesThroughMatcher {
 public:
  using is_gtest_matcher = void;
  explicit PassesThroughMatcher(std::vector<std::string> names) : names_(std::move(names)) {}
  bool MatchAndExplain(const Trace& trace, std::ostream* os) const;
  void DescribeTo(std::ostream* os) const;
  void DescribeNegationTo(std::ostream* os) const;

 private:
  const std::vector<std::string> names_;
};

// It comes to these symbols of the entry code and kernel functions in this order, others in
// between. The failure tells how far it came, and where it went from there:
//
//   Expected: passes through "do_syscall_64", then "io_submit_one"
//     Actual: io_submit(0x1000, 0x1) = -EINVAL (of type …), which came to "do_syscall_64" (#2225)
//   and not to "io_submit_one" from there; it went through
//       enter_from_user_mode
//       __x64_sys_io_submit
//         …
template <typename... Names>
PassesThroughMatcher PassesThrough(const Names&... names) {
  return PassesThroughMatcher({std::string(names)...});
}

class DispatchesToMatcher {
 public:
  using is_gtest_matcher = void;
  DispatchesToMatcher(uint64_t number, std::string name)
      : number_(number), name_(std::move(name)) {}
  bool MatchAndExplain(const Trace& trace, std::ostream* os) const;
  bool MatchAndExplain(const Machine& machine, std::ostream* os) const;
  void DescribeTo(std::ostream* os) const;
  void DescribeNegationTo(std::ostream* os) const;

 private:
  const uint64_t number_;
  const std::string name_;
};

// Of a RecordedCall or Trace: a system call with this number was made, and the table led it to this
// name: that of the slot ("io_submit") or of the function that ran ("__x64_sys_io_submit",
// "sys_ni_syscall"). Of a Machine: its sys_call_table, of 64-bit calls, has a slot of this name
// ("io_submit") at the number. v4.19 arch/x86/entry/common.c: do_syscall_64
//
//   "which made the system call 335 and was dispatched to sys_ni_syscall by the slot mine"
//   "whose slot 209 is io_submit"
inline DispatchesToMatcher DispatchesTo(uint64_t number, std::string name) {
  return {number, std::move(name)};
}

// ---- A result: of a RecordedCall ----

class ReturnsMatcher {
 public:
  using is_gtest_matcher = void;
  explicit ReturnsMatcher(::testing::Matcher<int64_t> result) : result_(std::move(result)) {}
  bool MatchAndExplain(const RecordedCall& call, std::ostream* os) const;
  void DescribeTo(std::ostream* os) const;
  void DescribeNegationTo(std::ostream* os) const;

 private:
  const ::testing::Matcher<int64_t> result_;
};

// What the recorded code returned. A number, or a matcher of one: Returns(3), Returns(Ge(1)).
//
//   "which returned -EAGAIN: no free slot: reqs_available=0, 12 in flight"
inline ReturnsMatcher Returns(::testing::Matcher<int64_t> result) {
  return ReturnsMatcher(std::move(result));
}

class FailsWithMatcher {
 public:
  using is_gtest_matcher = void;
  FailsWithMatcher(int number, ::testing::Matcher<std::string> reason)
      : number_(number), reason_(std::move(reason)) {}
  bool MatchAndExplain(const RecordedCall& call, std::ostream* os) const;
  void DescribeTo(std::ostream* os) const;
  void DescribeNegationTo(std::ostream* os) const;

 private:
  const int number_;
  const ::testing::Matcher<std::string> reason_;
};

// It returned -`number` (EBADF, positive), for a reason that matches: RecordedCall::reason.
//
//   "which failed with EBADF, but the reason is "fd 9 is not open""
FailsWithMatcher FailsWith(int number);
inline FailsWithMatcher FailsWith(int number, ::testing::Matcher<std::string> reason) {
  return {number, std::move(reason)};
}

// ---- A completion: of a user::io_event ----

class CompletesWithMatcher {
 public:
  using is_gtest_matcher = void;
  CompletesWithMatcher(::testing::Matcher<uint64_t> data, ::testing::Matcher<int64_t> res)
      : data_(std::move(data)), res_(std::move(res)) {}
  bool MatchAndExplain(const user::io_event& event, std::ostream* os) const;
  void DescribeTo(std::ostream* os) const;
  void DescribeNegationTo(std::ostream* os) const;

 private:
  const ::testing::Matcher<uint64_t> data_;
  const ::testing::Matcher<int64_t> res_;
};

// The event has the iocb's aio_data, and this result: bytes, or a negative errno; its res2 is 0.
// v4.19 fs/aio.c: aio_complete
//
//   "whose res is -EIO"
inline CompletesWithMatcher CompletesWith(::testing::Matcher<uint64_t> data,
                                          ::testing::Matcher<int64_t> res) {
  return {std::move(data), std::move(res)};
}

// ---- A machine ----

class LeavesNothingBehindMatcher {
 public:
  using is_gtest_matcher = void;
  bool MatchAndExplain(const Machine& machine, std::ostream* os) const;
  void DescribeTo(std::ostream* os) const;
  void DescribeNegationTo(std::ostream* os) const;
};

// When the machine is run to its end (Machine::Finish, which this does): the kernel makes no report
// on itself, no task waits for ever, and no object of a slab, page or lock is left that was not
// there after the boot.
//
//   "BUG: task test:100 blocked …"
inline LeavesNothingBehindMatcher LeavesNothingBehind() { return {}; }

}  // namespace kpath::testing

namespace kpath::user {

// For gtest's messages: `{data=7, obj=0x100000000100, res=512, res2=0}`.
void PrintTo(const io_event& event, std::ostream* os);

}  // namespace kpath::user
