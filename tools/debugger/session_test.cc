// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/session.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/debugger/changes.h"
#include "tools/debugger/test_runs.h"

namespace kpath::debugger {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SessionTest : public testing::Test {
 protected:
  // What a command shows.
  std::string Do(const std::string& command) {
    out_.clear();
    const absl::Status status = session_->Execute(command);
    EXPECT_TRUE(status.ok()) << command << ": " << status;
    return out_;
  }
  std::string ErrorOf(const std::string& command) {
    const absl::Status status = session_->Execute(command);
    EXPECT_FALSE(status.ok()) << command;
    return std::string(status.message());
  }

  const strace::Transcript transcript_ = Read("examples/first-read.strace");
  std::unique_ptr<Timeline> timeline_ = *Timeline::Start(transcript_);
  std::string out_;
  std::unique_ptr<Session> session_ = std::make_unique<Session>(
      *timeline_,
      SessionOptions{.out = [this](absl::string_view text) { absl::StrAppend(&out_, text); },
                     .sources = "."});
};

TEST_F(SessionTest, NamesMayBeCutShortAsInGdb) {
  const std::pair<const char*, const char*> kMeant[] = {{"s", "step"},
                                                        {"n", "next"},
                                                        {"c", "continue"},
                                                        {"b", "break"},
                                                        {"p", "print"},
                                                        {"i", "info"},
                                                        {"l", "list"},
                                                        {"bt", "backtrace"},
                                                        {"si", "stepi"},
                                                        {"ni", "nexti"},
                                                        {"fin", "finish"},
                                                        {"u", "until"},
                                                        {"rc", "reverse-continue"},
                                                        {"rs", "reverse-step"},
                                                        {"d", "delete"},
                                                        {"q", "quit"},
                                                        {"h", "help"},
                                                        {"tb", "tbreak"},
                                                        {"f", "frame"},
                                                        {"unt", "until"},
                                                        {"disp", "display"},
                                                        {"r", "run"},
                                                        {"wa", "watch"},
                                                        {"x", "x"}};
  for (const auto& [word, name] : kMeant) {
    const absl::StatusOr<const Command*> command = FindCommand(word);
    ASSERT_TRUE(command.ok()) << word << ": " << command.status();
    EXPECT_STREQ((*command)->name, name) << word;
  }
  EXPECT_THAT(std::string(FindCommand("re").status().message()),
              HasSubstr("'re' may be reverse-continue, "));
}

TEST_F(SessionTest, CompletesCommandsPlacesTopicsAndBookmarks) {
  EXPECT_THAT(Complete(*session_, "tbr"), ElementsAre("tbreak"));
  EXPECT_THAT(Complete(*session_, "break io_submit_o"), ElementsAre("io_submit_one"));
  EXPECT_THAT(Complete(*session_, "b entry_SYSCALL_6"), ElementsAre("entry_SYSCALL_64"));
  EXPECT_THAT(Complete(*session_, "until \"tail m"), ElementsAre("\"tail moved\""));
  EXPECT_THAT(Complete(*session_, "info re"), ElementsAre("registers", "requests"));
  EXPECT_THAT(Complete(*session_, "help reverse-f"), ElementsAre("reverse-finish"));
  Do("bookmark middle");
  EXPECT_THAT(Complete(*session_, "goto "), ElementsAre("end", "start", "middle"));
  EXPECT_THAT(Complete(*session_, "frob "), IsEmpty());
}

TEST_F(SessionTest, CompletesNamesAndFieldsOfExpressions) {
  Do("tbreak io_submit_one");
  Do("continue");
  EXPECT_THAT(Complete(*session_, "print user_i"), ElementsAre("user_iocb"));
  EXPECT_THAT(Complete(*session_, "p ctx->reqs"), ElementsAre("ctx->reqs", "ctx->reqs_available"));
  EXPECT_THAT(Complete(*session_, "watch 1 + ctx->ring->ta"), ElementsAre("1 + ctx->ring->tail"));
  EXPECT_THAT(Complete(*session_, "print frob->"), IsEmpty());
}

TEST_F(SessionTest, AWatchedObjectStaysTheOneThatWasNamed) {
  Do("tbreak io_submit_one");
  Do("continue");
  Do("watch ctx->completed_events");
  // In aio_complete nothing is called ctx; in free_ioctx something else might be.
  EXPECT_THAT(Do("continue"), HasSubstr("Old value = 0\nNew value = 1\n"));
  EXPECT_THAT(Do("bt"), HasSubstr("aio_complete ("));
}

TEST_F(SessionTest, ValuesAreNumberedAndUsedAgain) {
  Do("tbreak io_submit_one");
  Do("continue");
  EXPECT_EQ(Do("print ctx->nr_events"), "$1 = 127\n");
  EXPECT_EQ(Do("print $1 + 1"), "$2 = 128\n");
  EXPECT_EQ(Do("print $ * 2"), "$3 = 256\n");
  EXPECT_EQ(Do("p/x $3"), "$4 = 0x100\n");
  const std::string pointer = Do("p ctx");
  EXPECT_THAT(pointer, HasSubstr("(struct kioctx *) 0xffff8881"));
  Do("goto end");
  EXPECT_EQ(Do("print $1"), "$6 = 127\n");  // a number stays what it was
  EXPECT_THAT(ErrorOf("print $5->nr_events"), HasSubstr("there is no struct kioctx at 0x"));
}

TEST_F(SessionTest, AStepIsAsFineAsItsGrain) {
  Do("tbreak get_reqs_available");
  Do("continue");
  Do("bookmark entry");
  EXPECT_THAT(Do("step"), HasSubstr("\"a batch comes from the global counter\""));
  Do("goto entry");
  Do("set grain function");
  EXPECT_THAT(Do("step"), HasSubstr("get_reqs_available returns true"));
}

TEST_F(SessionTest, ABreakpointStopsAStepToo) {
  Do("tbreak __do_sys_io_submit");
  Do("continue");
  Do("break aio_get_req");
  EXPECT_THAT(Do("finish"), HasSubstr("Breakpoint 2, aio_get_req"));
}

TEST_F(SessionTest, AFailedCommandChangesNothing) {
  Do("tbreak io_submit_one");
  Do("continue");
  const std::string here = Do("stop");
  ErrorOf("break io_submit_one if (");
  ErrorOf("watch ctx->no_such_field");
  ErrorOf("frame 40");
  ErrorOf("goto nowhere");
  EXPECT_EQ(Do("info breakpoints"), "No breakpoints or watchpoints.\n");
  EXPECT_EQ(Do("stop"), here);
  EXPECT_THAT(Do("frame"), HasSubstr("#0  io_submit_one"));
}

TEST_F(SessionTest, AnErrorIsShownWithItsReason) {
  Do("break aio_prep_rw");
  Do("continue 2");
  EXPECT_THAT(Do("finish"), HasSubstr("aio_prep_rw returns -EBADF: fd 9 is not open\n"));
}

TEST(DescribeChanges, TellsWhatBothHaveWithOtherValues) {
  EXPECT_EQ(DescribeChanges("a\t1\nbb\t2\nc\t3\n", "a\t1\nbb\t4\nd\t5\n"), "  bb  2 -> 4\n");
  EXPECT_EQ(DescribeChanges("a\t1\n", "a\t1\n"), "");
  // Another task's registers are no changes.
  EXPECT_EQ(DescribeChanges("current->pid\t1\n$rax\t2\nx\t3\n", "current->pid\t2\n$rax\t9\nx\t4\n"),
            "  current->pid  1 -> 2\n  x             3 -> 4\n");
}

}  // namespace
}  // namespace kpath::debugger
