// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/generator.h"

#include <set>

#include "gtest/gtest.h"
#include "tools/diff_host/layout.h"
#include "tools/diff_host/random.h"
#include "tools/diff_host/trace.h"

namespace kpath::diff_host {
namespace {

constexpr uint64_t kPrograms = 4000;

Program Nth(uint64_t seed, uint64_t index) {
  SeededDecisions decide(seed, index);
  return Generate(decide);
}

// Calls `each` for every entry of every io_submit of a series.
template <typename Each>
void ForEachEntry(Each each) {
  for (uint64_t i = 0; i < kPrograms; ++i) {
    const Program program = Nth(1, i);
    for (const Op& op : program.ops) {
      for (const Entry& entry : op.entries) each(op, entry);
    }
  }
}

uint64_t DigestOfSeries(uint64_t seed) {
  uint64_t digest = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    for (const Op& op : Nth(seed, i).ops) {
      std::vector<uint64_t> words = {digest, uint64_t(op.kind), uint64_t(op.context.slot)};
      words.insert(words.end(), op.args.begin(), op.args.end());
      for (const Entry& entry : op.entries) words.push_back(entry.iocb.aio_buf);
      digest = Digest(absl::MakeSpan(reinterpret_cast<const uint8_t*>(words.data()),
                                     words.size() * sizeof(uint64_t)));
    }
  }
  return digest;
}

TEST(Generator, TheSameSeedGivesTheSamePrograms) {
  for (uint64_t i = 0; i < 50; ++i) EXPECT_TRUE(Same(Nth(7, i), Nth(7, i))) << i;
  EXPECT_EQ(DigestOfSeries(1), DigestOfSeries(1));
  EXPECT_NE(DigestOfSeries(1), DigestOfSeries(2));
}

TEST(Generator, ProgramsOfASeriesDiffer) {
  int same = 0;
  for (uint64_t i = 0; i < 200; ++i) same += Same(Nth(1, i), Nth(1, i + 1)) ? 1 : 0;
  EXPECT_EQ(same, 0);
}

TEST(Generator, MakesEveryKindOfOperation) {
  std::set<OpKind> kinds;
  for (uint64_t i = 0; i < kPrograms; ++i) {
    for (const Op& op : Nth(1, i).ops) kinds.insert(op.kind);
  }
  EXPECT_EQ(kinds.size(), size_t{kOpKinds});
}

TEST(Generator, ForkedChildrenDoWhatLeavesNoTraceInTheirParent) {
  int children = 0;
  for (uint64_t i = 0; i < kPrograms; ++i) {
    for (const Op& op : Nth(1, i).ops) {
      if (!op.in_child) continue;
      ++children;
      EXPECT_NE(op.kind, OpKind::kSetup);
      EXPECT_NE(op.kind, OpKind::kMoveRing);
      EXPECT_NE(op.kind, OpKind::kClose);
    }
  }
  EXPECT_GT(children, 20);
}

TEST(Generator, MakesEveryOpcodeAndUnknownOnes) {
  std::set<int> opcodes;
  ForEachEntry([&](const Op&, const Entry& entry) { opcodes.insert(entry.iocb.aio_lio_opcode); });
  for (int opcode = 0; opcode <= 9; ++opcode) EXPECT_EQ(opcodes.count(opcode), 1u) << opcode;
}

TEST(Generator, MakesGoodAndBadArguments) {
  std::set<uint64_t> buffers, sizes;
  std::set<int64_t> offsets;
  std::set<uint32_t> fds, flags, rw_flags;
  ForEachEntry([&](const Op&, const Entry& entry) {
    buffers.insert(entry.iocb.aio_buf);
    sizes.insert(entry.iocb.aio_nbytes);
    offsets.insert(entry.iocb.aio_offset);
    fds.insert(entry.iocb.aio_fildes);
    flags.insert(entry.iocb.aio_flags);
    rw_flags.insert(static_cast<uint32_t>(entry.iocb.aio_rw_flags));
  });
  for (const uint64_t buffer : {uint64_t{0}, kHole, kNoAccess, ~uint64_t{0}, kBuffers}) {
    EXPECT_EQ(buffers.count(buffer), 1u) << buffer;
  }
  EXPECT_EQ(sizes.count(~uint64_t{0}), 1u);
  EXPECT_EQ(offsets.count(INT64_MIN), 1u);
  for (uint32_t fd = 0; fd < kDescriptors; ++fd) EXPECT_EQ(fds.count(fd), 1u) << fd;
  EXPECT_EQ(fds.count(~0u), 1u);
  for (const uint32_t flag : {user::IOCB_FLAG_RESFD, user::IOCB_FLAG_IOPRIO}) {
    EXPECT_EQ(flags.count(flag), 1u) << flag;
  }
  for (uint32_t bit = 1; bit <= 16; bit *= 2) EXPECT_EQ(rw_flags.count(bit), 1u) << bit;
}

// ---- What is left out ----

TEST(Generator, NothingThatCompletesAtOnceComesBehindWhatCompletesLater) {
  for (uint64_t i = 0; i < kPrograms; ++i) {
    for (const Op& op : Nth(1, i).ops) {
      bool later = false;
      for (const Entry& entry : op.entries) {
        EXPECT_TRUE(!later || CompletesLater(entry.iocb)) << i;
        later = later || CompletesLater(entry.iocb);
      }
    }
  }
}

TEST(Generator, NoEventfdIsSignalledByWhatItWakes) {
  ForEachEntry([&](const Op&, const Entry& entry) {
    if (entry.iocb.aio_lio_opcode != user::IOCB_CMD_POLL) return;
    if ((entry.iocb.aio_flags & user::IOCB_FLAG_RESFD) == 0) return;
    EXPECT_NE(entry.iocb.aio_fildes, uint32_t{kEventfd});
    EXPECT_NE(entry.iocb.aio_resfd, uint32_t{kEventfd2});
  });
}

TEST(Generator, WaitsAreShortOrForEver) {
  for (uint64_t i = 0; i < kPrograms; ++i) {
    for (const Op& op : Nth(1, i).ops) {
      if (op.kind != OpKind::kGetevents || op.args[4] == 0) continue;
      EXPECT_TRUE(static_cast<int64_t>(op.args[4]) < 0 || op.args[4] == INT64_MAX) << i;
    }
  }
}

// ---- Decisions ----

TEST(Decisions, BytesThatHaveRunOutAreZero) {
  const uint8_t bytes[] = {1, 2, 3};
  ByteDecisions decide(bytes, sizeof(bytes));
  EXPECT_EQ(decide.Below(1 << 20), 0x0102u);
  EXPECT_EQ(decide.Below(1 << 20), 0x03u);
  EXPECT_TRUE(decide.empty());
  EXPECT_EQ(decide.Below(1 << 20), 0u);
}

TEST(Decisions, AnyBytesMakeAProgram) {
  ByteDecisions none(nullptr, 0);
  EXPECT_FALSE(Generate(none).ops.empty());
}

}  // namespace
}  // namespace kpath::diff_host
