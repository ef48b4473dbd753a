// SPDX-License-Identifier: Apache-2.0
//
// The search itself, with judges whose answers are known: the model's own, and those of a liar.
#include "tools/diff_host/diff_host.h"

#include <deque>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/diff_host/test_programs.h"
#include "tools/diff_host/transcript.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath::diff_host {
namespace {

using ::testing::HasSubstr;

// Answers as the model does, and lies where it is told to.
class FakeJudge : public Judge {
 public:
  using Lie = std::function<void(const Program& program, int run, Observation* seen)>;
  explicit FakeJudge(Lie lie = {}) : lie_(std::move(lie)) {}

  void Start(const Program& program) override { started_.push_back(program); }
  Observation Finish(int) override {
    const Program program = started_.front();
    started_.pop_front();
    Observation seen = model_.Run(program);
    if (lie_) lie_(program, runs_++, &seen);
    return seen;
  }
  size_t running() const override { return started_.size(); }
  KernelVersion version() const override { return {4, 19, 13}; }

 private:
  Model model_{ModelOptions()};
  const Lie lie_;
  std::deque<Program> started_;
  int runs_ = 0;
};

// Truncating a file to 100 bytes, it says, is not permitted.
void LieAboutTruncate(const Program& program, int, Observation* seen) {
  for (Record& record : seen->records) {
    if (record.op >= program.ops.size() || record.what != What::kResult) continue;
    const Op& op = program.ops[record.op];
    if (op.kind == OpKind::kTruncate && op.args[1] == 100 && record.value == 0) {
      record.value = static_cast<uint64_t>(-EPERM);
    }
  }
}

TEST(DiffHost, AJudgeThatAnswersLikeTheModelAgrees) {
  FakeJudge judge;
  Model model{ModelOptions()};
  const DiffReport report = DiffHost(judge, model).Run({.seed = 5, .programs = 100});
  EXPECT_EQ(report.compared, 100u);
  EXPECT_EQ(report.agreed, 100u);
  EXPECT_FALSE(report.found.has_value());
}

TEST(DiffHost, APlantedDifferenceIsFoundAndShrunk) {
  FakeJudge judge(LieAboutTruncate);
  Model model{ModelOptions()};
  const DiffReport report = DiffHost(judge, model).Run({.seed = 5, .programs = 2000});
  ASSERT_TRUE(report.found.has_value());
  ASSERT_EQ(report.found->program.ops.size(), 1u);
  const Op& op = report.found->program.ops[0];
  EXPECT_EQ(op.kind, OpKind::kTruncate);
  EXPECT_EQ(op.args[1], 100u);
  const std::string fd = absl::StrCat(op.args[0]);
  EXPECT_THAT(report.found->transcript,
              HasSubstr(absl::StrCat("ftruncate(", fd,
                                     ", 100)                       = -1 EPERM "
                                     "(Operation not permitted)\n#   the model: 0\n")));
  EXPECT_EQ(ToText(report.found->program, report.found->difference),
            "ftruncate: the result: 0 on the model, EPERM on the host");
}

TEST(DiffHost, TheIndexNamesTheProgram) {
  FakeJudge judge(LieAboutTruncate);
  Model model{ModelOptions()};
  DiffHost diff(judge, model);
  const DiffReport report = diff.Run({.seed = 5, .programs = 2000});
  ASSERT_TRUE(report.found.has_value());
  const DiffReport again = diff.Run({.seed = 5, .first = report.found->index, .programs = 1});
  ASSERT_TRUE(again.found.has_value());
  EXPECT_EQ(again.found->index, report.found->index);
  EXPECT_EQ(again.found->transcript, report.found->transcript);
}

TEST(DiffHost, WhatIsNotSeenAgainIsNoDifference) {
  // Something else happened on the host during the third run.
  FakeJudge judge([](const Program&, int run, Observation* seen) {
    if (run == 3) seen->records.pop_back();
  });
  Model model{ModelOptions()};
  const DiffReport report = DiffHost(judge, model).Run({.seed = 5, .programs = 60});
  EXPECT_EQ(report.disturbed, 1u);
  EXPECT_FALSE(report.found.has_value());
  EXPECT_EQ(report.compared, 60u);
}

TEST(DiffHost, ACallThatDoesNotReturnIsADifference) {
  FakeJudge judge([](const Program& program, int, Observation* seen) {
    for (uint32_t i = 0; i < program.ops.size(); ++i) {
      if (program.ops[i].kind != OpKind::kDestroy) continue;
      seen->outcome = Outcome::kBlocked;
      seen->op = i;
      seen->records.erase(std::remove_if(seen->records.begin(), seen->records.end(),
                                         [i](const Record& r) { return r.op >= i; }),
                          seen->records.end());
      return;
    }
  });
  Model model{ModelOptions()};
  const DiffReport report = DiffHost(judge, model).Run({.seed = 5, .programs = 200});
  ASSERT_TRUE(report.found.has_value());
  EXPECT_EQ(report.found->program.ops.size(), 1u);
  EXPECT_THAT(report.found->transcript, HasSubstr("= ? (does not return)"));
}

// ---- Transcripts ----

TEST(Transcript, IsReadBackByTheParser) {
  FakeJudge judge;
  Model model{ModelOptions()};
  DiffHost diff(judge, model);
  Program program;
  program.ops = {SetupOp(),
                 SubmitOp({ReadIocb(), WriteIocb(kFileReadOnly)}),
                 GeteventsOp(),
                 {.kind = OpKind::kConsume, .context = Context(0), .args = {1}},
                 {.kind = OpKind::kCancel, .context = Context(0), .args = {0, 0}},
                 {.kind = OpKind::kDestroy, .context = Context(0)}};
  const std::string text = diff.Show(program);
  const auto transcript = strace::ParseTranscript("t.strace", text);
  ASSERT_TRUE(transcript.ok()) << transcript.status() << "\n" << text;
  ASSERT_EQ(transcript->calls.size(), 5u);
  EXPECT_EQ(transcript->calls[1].name, "io_submit");
  EXPECT_THAT(text, HasSubstr("# fd 4: file 1, O_RDONLY\n"));
  EXPECT_THAT(text, HasSubstr("#   reason: EBADF: fd 4 is not open for writing"));
  EXPECT_THAT(text, HasSubstr("res=64, res2=0}]"));
}

}  // namespace
}  // namespace kpath::diff_host
