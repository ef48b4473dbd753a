// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/shrink.h"

#include <algorithm>

#include "gtest/gtest.h"
#include "tools/diff_host/generator.h"
#include "tools/diff_host/random.h"
#include "tools/diff_host/test_programs.h"

namespace kpath::diff_host {
namespace {

bool HasOp(const Program& program, OpKind kind) {
  return std::any_of(program.ops.begin(), program.ops.end(),
                     [kind](const Op& op) { return op.kind == kind; });
}

// A program of a series for which `shows` is true.
Program FindProgram(const std::function<bool(const Program&)>& shows) {
  for (uint64_t i = 0;; ++i) {
    SeededDecisions decide(3, i);
    Program program = Generate(decide);
    if (shows(program)) return program;
  }
}

TEST(Shrink, OneOperationIsEnough) {
  const auto shows = [](const Program& program) { return HasOp(program, OpKind::kTruncate); };
  const Program small = Shrink(FindProgram(shows), shows);
  ASSERT_EQ(small.ops.size(), 1u);
  EXPECT_EQ(small.ops[0].kind, OpKind::kTruncate);
  EXPECT_EQ(small.ops[0].args[0], 0u);
}

TEST(Shrink, TwoThatNeedEachOther) {
  const auto shows = [](const Program& program) {
    return HasOp(program, OpKind::kClose) && HasOp(program, OpKind::kConsume);
  };
  EXPECT_EQ(Shrink(FindProgram(shows), shows).ops.size(), 2u);
}

TEST(Shrink, OneIocbOfMany) {
  const auto is_it = [](const Entry& entry) {
    return entry.iocb.aio_lio_opcode == user::IOCB_CMD_PWRITE && entry.iocb.aio_nbytes > 2000;
  };
  const auto shows = [&](const Program& program) {
    return std::any_of(program.ops.begin(), program.ops.end(), [&](const Op& op) {
      return std::any_of(op.entries.begin(), op.entries.end(), is_it);
    });
  };
  Program program = FindProgram([&](const Program& p) { return shows(p) && p.ops.size() > 5; });
  const Program small = Shrink(program, shows);
  ASSERT_EQ(small.ops.size(), 1u);
  ASSERT_EQ(small.ops[0].entries.size(), 1u);
  EXPECT_EQ(small.ops[0].entries[0].iocb.aio_offset, 0);
  EXPECT_EQ(small.ops[0].entries[0].iocb.aio_data, 0u);
  EXPECT_EQ(small.ops[0].entries[0].iocb.aio_fildes, uint32_t{kFile});
}

TEST(Shrink, TheNumberOfIocbsGoesWithThem) {
  Program program;
  program.ops = {SubmitOp({ReadIocb(), WriteIocb(), ReadIocb()})};
  const auto shows = [](const Program& p) {
    return p.ops.size() == 1 && p.ops[0].args[0] == p.ops[0].entries.size() &&
           p.ops[0].args[0] >= 1;
  };
  EXPECT_EQ(Shrink(program, shows).ops[0].entries.size(), 1u);
}

TEST(Shrink, ARingThatOverflowsKeepsAsMuchAsItTakes) {
  Program program;
  program.ops = {SetupOp(1), SubmitOp(std::vector<user::iocb>(200, ReadIocb()))};
  const auto shows = [](const Program& p) {
    return !p.ops.empty() && p.ops.back().entries.size() >= 121;
  };
  const Program small = Shrink(program, shows);
  ASSERT_EQ(small.ops.size(), 1u);
  EXPECT_EQ(small.ops[0].entries.size(), 121u);
}

TEST(Shrink, TriesNoMoreThanItMay) {
  int tries = 0;
  const Program program = FindProgram([](const Program& p) { return p.ops.size() > 8; });
  const auto shows = [&tries](const Program&) { return ++tries % 2 == 0; };
  Shrink(program, shows, 10);
  EXPECT_LE(tries, 10);
}

TEST(Shrink, WhatCannotBeSmallerStays) {
  Program program;
  program.ops = {SetupOp(), SubmitOp({ReadIocb()})};
  const auto shows = [&program](const Program& p) { return Same(p, program); };
  EXPECT_TRUE(Same(Shrink(program, shows), program));
}

}  // namespace
}  // namespace kpath::diff_host
