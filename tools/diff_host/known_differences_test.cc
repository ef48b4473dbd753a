// SPDX-License-Identifier: Apache-2.0
//
// Each known difference in a program that shows it: on the host, if its kernel is new enough; and,
// on any computer, against a run of the model in which one result is what the newer kernel gives.
#include "tools/diff_host/known_differences.h"

#include <poll.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "tools/diff_host/diff_host.h"
#include "tools/diff_host/test_programs.h"
#include "tools/diff_host/transcript.h"

namespace kpath::diff_host {
namespace {

struct Case {
  const char* name;
  Program (*program)();
  // What a newer kernel shows: the first record of `what` in operation `op` has another value.
  uint32_t op;
  What what;
  int64_t newer;
  // A value that neither kernel gives, of the same record or of the first one of `wrong_what`: no
  // known difference.
  int64_t wrong;
  absl::optional<What> wrong_what = {};
};

Program SetupAnd(std::vector<Op> ops) {
  Program program;
  program.ops = std::move(ops);
  program.ops.insert(program.ops.begin(), SetupOp());
  return program;
}

user::iocb With(user::iocb cb, void (*change)(user::iocb&)) {
  change(cb);
  return cb;
}

std::vector<Case> CasesOfKernels5To5_9() {
  return {
      {"descriptor-first",
       [] {
         return SetupAnd({SubmitOp({With(ReadIocb(kNeverOpen), [](user::iocb& cb) {
           cb.aio_lio_opcode = user::IOCB_CMD_NOOP;
         })})});
       },
       1, What::kResult, -EBADF, -EPERM},
      {"poll-ready-file", [] { return SetupAnd({SubmitOp({PollIocb(kFile, POLLIN)})}); }, 1,
       What::kResult, 1, -EPERM},
      {"pipe-close-mask",
       [] {
         return SetupAnd({SubmitOp({PollIocb(kPipeRead, POLLPRI)}),
                          {.kind = OpKind::kClose, .args = {kPipeWrite}}});
       },
       2, What::kNewRes, POLLHUP, POLLNVAL},
      {"pipe-one-queue",
       [] {
         return SetupAnd({SubmitOp({PollIocb(kPipeWrite, POLLIN)}),
                          {.kind = OpKind::kWrite, .args = {kPipeWrite, kBuffers, 8}}});
       },
       2, What::kTail, 0, -EPERM, What::kResult},
      {"eventfd-read-in-part",
       [] {
         Program program;
         program.ops = {{.kind = OpKind::kRead, .args = {kEventfd2, kHole - 1, 8}}};
         return program;
       },
       0, What::kReadDigest, 1, -EPERM, What::kResult},
      {"eventfd-read", [] { return SetupAnd({SubmitOp({ReadIocb(kEventfd2, 8)})}); }, 1,
       What::kResult, 1, -EINVAL},
  };
}

std::vector<Case> CasesOfKernels5_10To6_4() {
  return {
      {"vector-check-order",
       [] {
         Op op = SubmitOp({{.aio_lio_opcode = user::IOCB_CMD_PREADV,
                            .aio_fildes = kFile,
                            .aio_buf = kVectors,
                            .aio_nbytes = 2}});
         op.entries[0].vectors = {{~uint64_t{0} - 100, 8}, {kBuffers, ~uint64_t{0}}};
         return SetupAnd({op});
       },
       1, What::kResult, -EINVAL, -EPERM},
      {"write-up-to-fault",
       [] {
         return SetupAnd({SubmitOp(
             {With(WriteIocb(kFile, 100), [](user::iocb& cb) { cb.aio_buf = kHole - 10; })})});
       },
       1, What::kNewRes, 10, -EPERM},
      {"rwf-nowait",
       [] {
         return SetupAnd({SubmitOp(
             {With(ReadIocb(kPipeRead), [](user::iocb& cb) { cb.aio_rw_flags = 0x8; })})});
       },
       1, What::kResult, 1, -EOPNOTSUPP},
      {"vector-of-one",
       [] {
         Op op = SubmitOp({{.aio_lio_opcode = user::IOCB_CMD_PREADV,
                            .aio_fildes = kFile,
                            .aio_buf = kVectors,
                            .aio_nbytes = 1}});
         op.entries[0].vectors = {{kBuffers, uint64_t{1} << 62}};
         return SetupAnd({op});
       },
       1, What::kResult, 1, -EFAULT},
  };
}

std::vector<Case> CasesOfKernels6_5AndLater() {
  return {
      {"priority-hints",
       [] {
         return SetupAnd({SubmitOp({With(ReadIocb(), [](user::iocb& cb) {
           cb.aio_flags = user::IOCB_FLAG_IOPRIO;
           cb.aio_reqprio = 2 << 13 | 8;
         })})});
       },
       1, What::kResult, 1, -EINVAL},
      {"eventfd-write-size",
       [] {
         Program program;
         program.ops = {{.kind = OpKind::kWrite, .args = {kEventfd, kBuffers, 9}}};
         return program;
       },
       0, What::kResult, -EINVAL, -EFAULT},
      {"rwf-noappend",
       [] {
         return SetupAnd({SubmitOp(
             {With(WriteIocb(kFileAppend), [](user::iocb& cb) { cb.aio_rw_flags = 0x20; })})});
       },
       1, What::kResult, 1, -EOPNOTSUPP},
      {"faulted-write-extends",
       [] {
         return SetupAnd({SubmitOp({With(WriteIocb(kOtherFile, 100), [](user::iocb& cb) {
           cb.aio_buf = kHole;
           cb.aio_offset = 3000;
         })})});
       },
       1, What::kFileSize, 3000, 4000},
      {"rwf-nosignal",
       [] {
         return SetupAnd(
             {SubmitOp({With(ReadIocb(), [](user::iocb& cb) { cb.aio_rw_flags = 0x100; })})});
       },
       1, What::kResult, 1, -EOPNOTSUPP},
  };
}

std::vector<Case> Cases() {
  std::vector<Case> all;
  for (const auto& some :
       {CasesOfKernels5To5_9(), CasesOfKernels5_10To6_4(), CasesOfKernels6_5AndLater()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

const KnownDifference& Named(const std::string& name) {
  for (const KnownDifference& known : KnownDifferences()) {
    if (known.name == name) return known;
  }
  ADD_FAILURE() << "no known difference " << name;
  return KnownDifferences()[0];
}

// `seen` with the record that the case is about changed; nothing is known of what follows.
Observation Changed(Observation seen, const Case& c, What what, int64_t value) {
  for (size_t i = 0; i < seen.records.size(); ++i) {
    Record& record = seen.records[i];
    // Of the two files the one that can differ.
    const bool other_file = record.what == What::kFileSize && record.index == 0;
    if (record.op != c.op || record.what != what || other_file) continue;
    record.value = static_cast<uint64_t>(value);
    seen.records.resize(i + 1);
    return seen;
  }
  ADD_FAILURE() << c.name << ": the model's run does not have the record";
  return seen;
}

class Known : public testing::TestWithParam<Case> {
 protected:
  Model model_{ModelOptions()};
};

TEST_P(Known, ExplainsWhatANewerKernelShows) {
  const Case& c = GetParam();
  const Program program = c.program();
  const Observation model = model_.Run(program);
  ASSERT_EQ(model.outcome, Outcome::kFinished) << model.report;
  const Observation newer = Changed(model, c, c.what, c.newer);
  const KernelVersion since = Named(c.name).since;
  const Verdict verdict = Compare(program, model, newer, since);
  ASSERT_NE(verdict.known, nullptr) << ToText(program, *verdict.difference);
  EXPECT_STREQ(verdict.known->name, c.name);
  // Not on an older kernel.
  EXPECT_TRUE(Compare(program, model, newer, {since.major, since.minor - 1, 0}).unexplained());
  EXPECT_TRUE(Compare(program, model, newer, {4, 19, 13}).unexplained());
}

TEST_P(Known, DoesNotExplainSomethingElse) {
  const Case& c = GetParam();
  const Program program = c.program();
  const Observation model = model_.Run(program);
  const Verdict verdict = Compare(
      program, model, Changed(model, c, c.wrong_what.value_or(c.what), c.wrong), {99, 0, 0});
  EXPECT_EQ(verdict.known, nullptr) << verdict.known->name;
}

TEST_P(Known, TheHostShowsItOrAgrees) {
  const Case& c = GetParam();
  const auto host = Host::Open();
  if (!host.ok()) GTEST_SKIP() << "skipped: " << host.status().message();
  Model model({.cpus = (*host)->cpus(), .aio_max_nr = (*host)->aio_max_nr()});
  DiffHost diff(**host, model);
  const Program program = c.program();
  const Verdict verdict = diff.Check(program);
  if (!HasIt((*host)->version(), Named(c.name))) {
    EXPECT_FALSE(verdict.difference.has_value()) << diff.Show(program);
    return;
  }
  ASSERT_TRUE(verdict.difference.has_value()) << diff.Show(program);
  ASSERT_NE(verdict.known, nullptr) << diff.Show(program) << ToText(program, *verdict.difference);
  EXPECT_STREQ(verdict.known->name, c.name);
}

INSTANTIATE_TEST_SUITE_P(All, Known, testing::ValuesIn(Cases()), [](const auto& info) {
  return absl::StrReplaceAll(info.param.name, {{"-", "_"}});
});

TEST(KnownDifferences, StableReleasesTakeThemOver) {
  const KnownDifference& known = Named("descriptor-first");
  EXPECT_FALSE(HasIt({4, 19, 37}, known));
  EXPECT_TRUE(HasIt({4, 19, 38}, known));
  EXPECT_FALSE(HasIt({5, 0, 0}, known));
  EXPECT_TRUE(HasIt({5, 1, 0}, known));
  EXPECT_FALSE(HasIt({4, 19, 200}, Named("eventfd-read")));
}

TEST(KnownDifferences, EachHasACaseHere) {
  for (const KnownDifference& known : KnownDifferences()) {
    const std::vector<Case> cases = Cases();
    const bool has = std::any_of(cases.begin(), cases.end(),
                                 [&](const Case& c) { return std::string(c.name) == known.name; });
    EXPECT_TRUE(has) << known.name;
  }
}

TEST(KnownDifferences, AreInTheOrderOfTheKernelsThatBeganThem) {
  EXPECT_TRUE(std::is_sorted(
      KnownDifferences().begin(), KnownDifferences().end(),
      [](const KnownDifference& a, const KnownDifference& b) { return a.since < b.since; }));
}

std::string SinceText(const KnownDifference& known) {
  std::string text = absl::StrCat(known.since.major, ".", known.since.minor);
  if (known.stable.major != 0) {
    absl::StrAppend(&text, " (", known.stable.major, ".", known.stable.minor, ".",
                    known.stable.patch, ")");
  }
  return text;
}

TEST(KnownDifferences, EachIsListedInTheDocument) {
  std::ifstream file("docs/fidelity.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const KnownDifference& known : KnownDifferences()) {
    const std::string row =
        absl::StrCat("| ", SinceText(known), " | `", known.name, "` | ", known.summary, " |");
    EXPECT_TRUE(absl::StrContains(text, row)) << row;
  }
}

}  // namespace
}  // namespace kpath::diff_host
