// SPDX-License-Identifier: Apache-2.0
#include "testing/matchers.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sim/machine/value.h"
#include "syscall_table/sys_call_table.h"

namespace kpath::testing {
namespace {

// How many steps of a path a message shows, and how deep below where it begins.
constexpr int kShownSteps = 24;
constexpr int kShownDepth = 3;

void Say(std::ostream* os, const std::string& text) {
  if (os != nullptr) *os << text;
}

std::string Quoted(absl::string_view name) { return absl::StrCat("\"", name, "\""); }

// Where the path goes from step `begin` on, a line a step.
std::string PathText(const std::vector<PathStep>& path, size_t begin) {
  std::string text;
  int shown = 0, hidden = 0;
  const int depth = begin == 0 ? 0 : path[begin - 1].depth;
  for (size_t i = begin; i < path.size(); ++i) {
    const int below = std::max(0, path[i].depth - depth);
    if (below > kShownDepth || shown == kShownSteps) {
      ++hidden;
      continue;
    }
    ++shown;
    absl::StrAppend(&text, "\n    ", std::string(2 * below, ' '), path[i].name);
  }
  if (hidden != 0) absl::StrAppend(&text, "\n    and ", hidden, " more that are deeper or later");
  return text.empty() ? " nothing" : text;
}

// "EBADF".
std::string ErrnoText(int number) {
  const absl::string_view name = ErrnoName(number);
  return name.empty() ? absl::StrCat("errno ", number) : std::string(name);
}

}  // namespace

// ---- PassesThrough ----

bool PassesThroughMatcher::MatchAndExplain(const Trace& trace, std::ostream* os) const {
  const std::vector<PathStep>& path = trace.path;
  size_t next = 0, behind = 0;
  for (size_t i = 0; i < path.size() && next < names_.size(); ++i) {
    if (path[i].name != names_[next]) continue;
    ++next;
    behind = i + 1;
  }
  if (next == names_.size()) {
    if (behind != 0) {
      Say(os, absl::StrCat("which came to ", Quoted(names_.back()), " at ",
                           path[behind - 1].position.ToString()));
    }
    return true;
  }
  if (os == nullptr) return false;
  const std::string wanted = Quoted(names_[next]);
  if (next == 0) {
    *os << "which never came to " << wanted << "; it went through" << PathText(path, 0);
    return false;
  }
  *os << "which came to " << Quoted(names_[next - 1]) << " ("
      << path[behind - 1].position.ToString() << ") and not to " << wanted << " from there";
  const auto earlier = std::find_if(path.begin(), path.begin() + behind, [&](const PathStep& step) {
    return step.name == names_[next];
  });
  if (earlier != path.begin() + behind) {
    *os << " (it was there before, at " << earlier->position.ToString() << ")";
  }
  *os << "; it went through" << PathText(path, behind);
  return false;
}

void PassesThroughMatcher::DescribeTo(std::ostream* os) const {
  *os << "passes through "
      << absl::StrJoin(names_, ", then ",
                       [](std::string* out, const std::string& name) { *out += Quoted(name); });
}

void PassesThroughMatcher::DescribeNegationTo(std::ostream* os) const {
  *os << "does not pass through "
      << absl::StrJoin(names_, ", then ",
                       [](std::string* out, const std::string& name) { *out += Quoted(name); });
}

// ---- DispatchesTo ----

bool DispatchesToMatcher::MatchAndExplain(const Trace& trace, std::ostream* os) const {
  std::vector<std::string> others;
  for (const SyscallRecord& syscall : trace.syscalls) {
    if (syscall.number != number_) {
      others.push_back(absl::StrCat(syscall.number, syscall.name.empty() ? "" : " ", syscall.name));
      continue;
    }
    if (syscall.function.empty()) {
      Say(os, absl::StrCat("which made the system call ", number_,
                           " and was dispatched to nothing: there is no such slot"));
      return false;
    }
    Say(os, absl::StrCat("which made the system call ", number_, " and was dispatched to ",
                         syscall.function, " by the slot ", syscall.name));
    return syscall.name == name_ || syscall.function == name_;
  }
  Say(os, absl::StrCat("which did not make the system call ", number_, " but ",
                       others.empty() ? "none" : absl::StrJoin(others, ", ")));
  return false;
}

bool DispatchesToMatcher::MatchAndExplain(const Machine& machine, std::ostream* os) const {
  const SysCallTable& table = sys_call_table.Get(const_cast<Machine&>(machine).system().machine());
  if (number_ >= table.size()) {
    Say(os, absl::StrCat("whose sys_call_table ends at ", table.size()));
    return false;
  }
  const char* const name = table[number_].name;
  const std::string found = name == nullptr ? "sys_ni_syscall" : name;
  Say(os, absl::StrCat("whose slot ", number_, " is ", found));
  return found == name_;
}

void DispatchesToMatcher::DescribeTo(std::ostream* os) const {
  *os << "dispatches system call " << number_ << " to " << name_;
}

void DispatchesToMatcher::DescribeNegationTo(std::ostream* os) const {
  *os << "does not dispatch system call " << number_ << " to " << name_;
}

// ---- Returns, FailsWith ----

bool ReturnsMatcher::MatchAndExplain(const RecordedCall& call, std::ostream* os) const {
  Say(os, absl::StrCat("which returned ", ResultText(call)));
  return result_.Matches(call.result);
}

void ReturnsMatcher::DescribeTo(std::ostream* os) const {
  *os << "returns a value that ";
  result_.DescribeTo(os);
}

void ReturnsMatcher::DescribeNegationTo(std::ostream* os) const {
  *os << "returns a value that ";
  result_.DescribeNegationTo(os);
}

FailsWithMatcher FailsWith(int number) { return {number, ::testing::A<std::string>()}; }

bool FailsWithMatcher::MatchAndExplain(const RecordedCall& call, std::ostream* os) const {
  if (call.result >= 0) {
    Say(os, absl::StrCat("which did not fail but returned ", call.result));
    return false;
  }
  const std::string failed =
      absl::StrCat("which failed with ", ErrnoText(static_cast<int>(-call.result)));
  if (call.result != -number_) {
    Say(os, absl::StrCat(failed, call.reason.empty() ? "" : ": ", call.reason));
    return false;
  }
  const bool matches = reason_.Matches(call.reason);
  Say(os, absl::StrCat(failed, matches ? "; the reason is " : ", but the reason is ",
                       Quoted(call.reason)));
  return matches;
}

void FailsWithMatcher::DescribeTo(std::ostream* os) const {
  *os << "fails with " << ErrnoText(number_) << " for a reason that ";
  reason_.DescribeTo(os);
}

void FailsWithMatcher::DescribeNegationTo(std::ostream* os) const {
  *os << "does not fail with " << ErrnoText(number_) << " for a reason that ";
  reason_.DescribeTo(os);
}

// ---- CompletesWith ----

bool CompletesWithMatcher::MatchAndExplain(const user::io_event& event, std::ostream* os) const {
  if (!data_.Matches(event.data)) {
    Say(os, absl::StrCat("whose data is ", event.data));
    return false;
  }
  if (event.res2 != 0) {
    Say(os, absl::StrCat("whose res2 is ", event.res2));
    return false;
  }
  Say(os, absl::StrCat("whose res is ", Value::Result(event.res).ToString()));
  return res_.Matches(event.res);
}

void CompletesWithMatcher::DescribeTo(std::ostream* os) const {
  *os << "is a completion whose data ";
  data_.DescribeTo(os);
  *os << ", and whose res ";
  res_.DescribeTo(os);
}

void CompletesWithMatcher::DescribeNegationTo(std::ostream* os) const {
  *os << "is not a completion whose data ";
  data_.DescribeTo(os);
  *os << ", and whose res ";
  res_.DescribeTo(os);
}

// ---- LeavesNothingBehind ----

bool LeavesNothingBehindMatcher::MatchAndExplain(const Machine& machine, std::ostream* os) const {
  const std::string& remains = machine.Finish();
  if (!remains.empty()) Say(os, absl::StrCat("about which its kernel says at the end:\n", remains));
  return remains.empty();
}

void LeavesNothingBehindMatcher::DescribeTo(std::ostream* os) const {
  *os << "leaves nothing behind";
}

void LeavesNothingBehindMatcher::DescribeNegationTo(std::ostream* os) const {
  *os << "leaves something behind";
}

}  // namespace kpath::testing

namespace kpath::user {

void PrintTo(const io_event& event, std::ostream* os) {
  *os << "{data=" << event.data << ", obj=0x" << std::hex << event.obj << std::dec
      << ", res=" << event.res << ", res2=" << event.res2 << "}";
}

}  // namespace kpath::user
