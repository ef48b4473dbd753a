// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/compare.h"

#include "gtest/gtest.h"
#include "tools/diff_host/test_programs.h"

namespace kpath::diff_host {
namespace {

Observation Seen(std::vector<Record> records, Outcome outcome = Outcome::kFinished,
                 uint32_t op = 2) {
  Observation seen;
  seen.records = std::move(records);
  seen.outcome = outcome;
  seen.op = op;
  return seen;
}

Record Result(uint32_t op, int64_t value) {
  return {.op = op, .what = What::kResult, .value = static_cast<uint64_t>(value)};
}

TEST(FirstDifference, NoneInTheSameRecords) {
  EXPECT_EQ(FirstDifference(Seen({Result(0, 1)}), Seen({Result(0, 1)})), absl::nullopt);
}

TEST(FirstDifference, TheFirstOfSeveral) {
  const auto difference = FirstDifference(Seen({Result(0, 1), Result(1, 5), Result(2, 7)}),
                                          Seen({Result(0, 1), Result(1, 6), Result(2, 8)}));
  ASSERT_TRUE(difference.has_value());
  EXPECT_EQ(difference->op, 1u);
  EXPECT_EQ(difference->model->value, 5u);
  EXPECT_EQ(difference->host->value, 6u);
}

TEST(FirstDifference, OneSideSawMore) {
  const auto difference = FirstDifference(Seen({Result(0, 1)}), Seen({Result(0, 1), Result(1, 6)}));
  ASSERT_TRUE(difference.has_value());
  EXPECT_EQ(difference->op, 1u);
  EXPECT_FALSE(difference->model.has_value());
}

TEST(FirstDifference, HandlesMayDiffer) {
  const Record model = {.op = 0, .what = What::kHandle, .value = 0x7f0000001000};
  const Record host = {.op = 0, .what = What::kHandle, .value = 0x7f1111111000};
  EXPECT_EQ(FirstDifference(Seen({model}), Seen({host})), absl::nullopt);
}

TEST(FirstDifference, OneDoesNotReturn) {
  const auto difference =
      FirstDifference(Seen({Result(0, 1)}), Seen({Result(0, 1)}, Outcome::kBlocked, 1));
  ASSERT_TRUE(difference.has_value());
  EXPECT_EQ(difference->op, 1u);
  EXPECT_EQ(difference->host_outcome, Outcome::kBlocked);
}

TEST(FirstDifference, BothDoNotReturnFromTheSameCall) {
  EXPECT_EQ(FirstDifference(Seen({}, Outcome::kBlocked, 1), Seen({}, Outcome::kBlocked, 1)),
            absl::nullopt);
  EXPECT_NE(FirstDifference(Seen({}, Outcome::kBlocked, 1), Seen({}, Outcome::kBlocked, 0)),
            absl::nullopt);
}

TEST(FirstDifference, SignalsAreCompared) {
  Observation model = Seen({}, Outcome::kKilled), host = Seen({}, Outcome::kKilled);
  model.signal = host.signal = 11;
  EXPECT_EQ(FirstDifference(model, host), absl::nullopt);
  host.signal = 13;
  EXPECT_NE(FirstDifference(model, host), absl::nullopt);
}

TEST(FirstDifference, ABugThatTheModelReportsIsAlwaysOne) {
  EXPECT_NE(FirstDifference(Seen({}, Outcome::kBroken), Seen({}, Outcome::kBroken)), absl::nullopt);
}

// ---- What an iocb was when it was submitted ----

TEST(IocbAt, TheLastStoreCounts) {
  Program program;
  program.ops = {SubmitOp({ReadIocb(kFile, 1)}), SubmitOp({ReadIocb(kFile, 2)})};
  EXPECT_EQ(IocbAt(program, 0, IocbAddress(0)).aio_nbytes, 1u);
  EXPECT_EQ(IocbAt(program, 1, IocbAddress(0)).aio_nbytes, 2u);
}

TEST(IocbAt, WhatIsSubmittedAgainIsWhatWasThere) {
  Program program;
  program.ops = {SubmitOp({ReadIocb(kFile, 1)}), SubmitOp({ReadIocb(kFile, 2)})};
  program.ops[1].entries[0].store = false;
  EXPECT_EQ(IocbAt(program, 1, IocbAddress(0)).aio_nbytes, 1u);
}

TEST(IocbAt, WhatAForkedChildStoresIsNotInItsParent) {
  Program program;
  program.ops = {SubmitOp({ReadIocb(kFile, 1)}), SubmitOp({ReadIocb(kFile, 2)}),
                 SubmitOp({ReadIocb(kFile, 3)})};
  program.ops[1].in_child = true;
  program.ops[2].entries[0].store = false;
  EXPECT_EQ(IocbAt(program, 1, IocbAddress(0)).aio_nbytes, 2u);
  EXPECT_EQ(IocbAt(program, 2, IocbAddress(0)).aio_nbytes, 1u);
}

TEST(IocbAt, TheOneThatCannotBeWrittenIsThereFromTheStart) {
  Program program;
  program.ops = {SubmitOp({WriteIocb(kOtherFile)})};
  program.ops[0].entries[0].address = kReadOnlyIocb;
  EXPECT_EQ(IocbAt(program, 0, kReadOnlyIocb).aio_fildes, uint32_t{kFile});
}

TEST(IocbAt, StoresOfSingleWordsCount) {
  Program program;
  program.ops = {SubmitOp({ReadIocb()}),
                 {.kind = OpKind::kStore, .context = {-1, IocbAddress(0) + 16}, .args = {5}}};
  EXPECT_EQ(IocbAt(program, 1, IocbAddress(0)).aio_lio_opcode, user::IOCB_CMD_POLL);
  EXPECT_EQ(IocbAt(program, 0, IocbAddress(0)).aio_lio_opcode, user::IOCB_CMD_PREAD);
}

}  // namespace
}  // namespace kpath::diff_host
