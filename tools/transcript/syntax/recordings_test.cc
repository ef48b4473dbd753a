// SPDX-License-Identifier: Apache-2.0
//
// The recordings of real programs: all of each is understood, and printed back byte for byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tools/transcript/syntax/constants.h"
#include "tools/transcript/syntax/evaluate.h"
#include "tools/transcript/syntax/print.h"
#include "tools/transcript/syntax/test_util.h"

namespace kpath::strace {
namespace {

// Counted with grep, for $f the file:
//   lines       wc -l $f
//   calls       grep -cE '^[0-9]+ +[a-z_0-9]+\(' $f
//   resumed     grep -c 'resumed>' $f
//   unfinished  grep -c '<unfinished ...>$' $f
//   signals     grep -cE '^[0-9]+ +--- SIG' $f
//   exits       grep -cE '^[0-9]+ +\+\+\+ ' $f
//   errors      grep -cE '= (-1|\?) E' $f
struct Recording {
  const char* name;
  size_t lines;
  size_t calls;
  size_t resumed;
  size_t unfinished;
  size_t signals;
  size_t exits;
  size_t errors;
};

void PrintTo(const Recording& recording, std::ostream* out) { *out << recording.name; }

constexpr Recording kRecordings[] = {
    {"fio-randrw-qd16", 1154, 1145, 4, 4, 0, 5, 27},
    {"libaio-harness-12", 34, 31, 1, 1, 0, 2, 1},
    {"libaio-harness-16", 34, 33, 0, 0, 0, 1, 0},
    {"libaio-harness-2", 38, 37, 0, 0, 0, 1, 7},
    {"libaio-harness-3", 37, 36, 0, 0, 0, 1, 6},
    {"libaio-harness-5", 57, 56, 0, 0, 0, 1, 0},
    {"libaio-harness-7", 48, 46, 0, 0, 1, 1, 0},
    {"ltp-io_getevents02", 629, 578, 35, 35, 10, 6, 8},
    {"ltp-io_setup02", 631, 582, 33, 33, 10, 6, 12},
    {"ltp-io_submit03", 703, 619, 62, 62, 16, 6, 29},
};

class RecordingTest : public testing::TestWithParam<Recording> {
 protected:
  RecordingTest()
      : text_(ReadSource(absl::StrCat("tests/transcripts/", GetParam().name, ".strace"))),
        transcript_(MustParse(text_)) {}

  size_t CountLines(LineKind kind) const {
    return std::count_if(transcript_.lines.begin(), transcript_.lines.end(),
                         [kind](const Line& line) { return line.kind == kind; });
  }

  const std::string text_;
  const Transcript transcript_;
};

TEST_P(RecordingTest, IsCompletelyUnderstood) {
  EXPECT_EQ(transcript_.lines.size(), GetParam().lines);
  EXPECT_EQ(transcript_.calls.size(), GetParam().calls);
  EXPECT_EQ(CountLines(LineKind::kResumed), GetParam().resumed);
  EXPECT_EQ(CountLines(LineKind::kUnfinished), GetParam().unfinished);
  EXPECT_EQ(CountLines(LineKind::kCall), GetParam().calls - GetParam().unfinished);
  EXPECT_EQ(CountLines(LineKind::kSignal), GetParam().signals);
  EXPECT_EQ(CountLines(LineKind::kExited), GetParam().exits);
  const size_t errors = std::count_if(transcript_.calls.begin(), transcript_.calls.end(),
                                      [](const Call& call) { return !call.result.error.empty(); });
  EXPECT_EQ(errors, GetParam().errors);
}

TEST_P(RecordingTest, IsPrintedBackByteForByte) {
  for (const Line& line : transcript_.lines) EXPECT_EQ(PrintLine(transcript_, line), line.text);
  EXPECT_EQ(PrintTranscript(transcript_), text_);
}

TEST_P(RecordingTest, ErrorTextsAreThoseOfTheTable) {
  for (const Call& call : transcript_.calls) {
    if (call.result.error.empty()) continue;
    const auto number = ErrorNumber(call.result.error);
    ASSERT_TRUE(number.has_value()) << call.result.error;
    EXPECT_EQ(ErrorName(*number), call.result.error);
    EXPECT_EQ(ErrorMessage(*number), call.result.message);
  }
}

// Calls `visit` with `value` and all values in it.
template <typename Visitor>
void ForEach(const Value& value, Visitor visit) {
  visit(value);
  for (const Value& child : value.children) ForEach(child, visit);
}

TEST_P(RecordingTest, StringsAreEscapedAsStraceDoes) {
  for (const Call& call : transcript_.calls) {
    for (const Value& arg : call.args) {
      ForEach(arg, [](const Value& value) {
        if (value.kind != ValueKind::kString) return;
        EXPECT_EQ(QuoteBytes(Bytes(value)), absl::StrCat("\"", value.text, "\""));
      });
    }
  }
}

// Every number and name outside of sets and conditions has a value.
TEST_P(RecordingTest, NamesAreKnown) {
  for (const Call& call : transcript_.calls) {
    for (const Value& arg : call.args) {
      ForEach(arg, [](const Value& value) {
        if (value.kind != ValueKind::kFlags) return;
        EXPECT_EQ(Evaluate(value).status(), absl::OkStatus());
      });
      if (arg.kind != ValueKind::kSymbol) continue;
      EXPECT_EQ(Evaluate(arg).status(), absl::OkStatus());
    }
  }
}

// Positions lead back to the text they were read from.
TEST_P(RecordingTest, PositionsAreRight) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text_, '\n');
  for (const Call& call : transcript_.calls) {
    EXPECT_TRUE(absl::StartsWith(lines[call.begin.line - 1].substr(call.begin.column - 1),
                                 absl::StrCat(call.name, "(")));
    const char at_end = lines[call.end.line - 1][call.end.column - 1];
    EXPECT_EQ(call.returned, at_end == '=') << call.end.line;
    for (const Value& arg : call.args) {
      ForEach(arg, [&lines](const Value& value) {
        if (value.text.empty() || value.kind == ValueKind::kOperation) return;
        const absl::string_view rest =
            lines[value.position.line - 1].substr(value.position.column - 1);
        const std::string name = value.name.empty() ? std::string() : absl::StrCat(value.name, "=");
        const char* quote = value.kind == ValueKind::kString ? "\"" : "";
        EXPECT_TRUE(absl::StartsWith(rest, absl::StrCat(name, quote, value.text))) << rest;
      });
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, RecordingTest, testing::ValuesIn(kRecordings), [](const auto& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(RecordingDetailTest, IocbsOfHarness3) {
  const Transcript transcript = MustParse(ReadSource("tests/transcripts/libaio-harness-3.strace"));
  const auto call = std::find_if(transcript.calls.begin(), transcript.calls.end(),
                                 [](const Call& one) { return one.begin.line == 30; });
  ASSERT_NE(call, transcript.calls.end());
  EXPECT_EQ(call->name, "io_submit");
  EXPECT_EQ(call->result.error, "EFAULT");
  ASSERT_EQ(call->args[2].children.size(), 2);
  EXPECT_EQ(call->args[2].children[0].kind, ValueKind::kNull);
  const Value& iocb = call->args[2].children[1];
  EXPECT_EQ(*Evaluate(*FindField(iocb, "aio_lio_opcode")), 0);
  EXPECT_EQ(FindField(iocb, "aio_flags")->number, 0xad1921d4);
  EXPECT_EQ(FindField(iocb, "aio_flags")->decoration->comment, " IOCB_FLAG_??? ");
}

}  // namespace
}  // namespace kpath::strace
