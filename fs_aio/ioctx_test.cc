// SPDX-License-Identifier: Apache-2.0
//
// io_setup, io_destroy and the end of a process.
#include <sys/mman.h>

#include "fs_aio/aio_test_program.h"
#include "sim/machine/test_chooser.h"
#include "sim/mm/mm_types.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;

TEST(IoSetup, TheHandleIsTheRingsAddress) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(p.ctx % 4096, 0u);
    EXPECT_EQ(user::Load<uint32_t>(p.ctx), 0u);  // place 0 of the table
    EXPECT_EQ(aio->aio_nr, 8u);
  });
}

TEST(IoSetup, TheErrnosOfEachSize) {
  // With aio-max-nr at 65536: see SPEC of io_setup; from 2^31 on doubling wraps around.
  const struct {
    uint32_t nr_events;
    int64_t result;
  } kCases[] = {
      {0, -EINVAL},          {65537, -EAGAIN},       {4194304, -EAGAIN},    {4194305, -EINVAL},
      {0x7fffffff, -EINVAL}, {0x80000000, -EAGAIN},  {0x80400000, -EAGAIN}, {0x80400001, -EINVAL},
      {0xffffffff, -EINVAL}, {4294966296u, -EINVAL},
  };
  RunAio({}, [&](AioProgram& p) {
    for (const auto& c : kCases) {
      EXPECT_EQ(p.Setup(c.nr_events), c.result) << c.nr_events;
      EXPECT_EQ(p.ctx, 0u);
    }
    EXPECT_EQ(aio->aio_nr, 0u);
  });
}

TEST(IoSetup, AllOfAioMaxNrCanBeHadAndNoMore) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(65536), 0);
    EXPECT_EQ(aio->aio_nr, 65536u);
    const auto other = p.arena.New<user::io_context_t>();
    EXPECT_EQ(user::io_setup(1, other), -EAGAIN);
    EXPECT_EQ(p.Reason(), "EAGAIN: aio-nr=65536 + 1 asked for is more than aio-max-nr=65536");
    EXPECT_EQ(user::io_destroy(p.ctx), 0);
    EXPECT_EQ(user::io_setup(1, other), 0);
  });
}

TEST(IoSetup, TheWordMustBeZeroAndComesBeforeTheSize) {
  RunAio({}, [](AioProgram& p) {
    p.ctxp.Store(1);
    EXPECT_EQ(p.Setup(8), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("*ctxp=0x1, nr_events=8"));
    EXPECT_EQ(user::Syscall(NR_io_setup, 0, 8), -EFAULT);
    EXPECT_THAT(p.Reason(), HasSubstr("the word at ctxp=0x8 cannot be read"));
  });
}

TEST(IoSetup, AHandleThatCannotBeStoredUndoesEverything) {
  RunAio({}, [](AioProgram& p) {
    const int64_t page = user::mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_GT(page, 0);
    EXPECT_EQ(user::Syscall(NR_io_setup, 8, page), -EFAULT);
    EXPECT_THAT(p.Reason(), HasSubstr("the handle cannot be written"));
    EXPECT_EQ(aio->aio_nr, 0u);
  });
}

TEST(IoSetup, TheTableGrowsByFour) {
  RunAio({}, [](AioProgram& p) {
    const auto words = p.arena.New<user::io_context_t>(20);
    for (int i = 0; i < 20; ++i) ASSERT_EQ(user::io_setup(1, words + i), 0);
    EXPECT_EQ(current->mm->ioctx_table->table.size(), 64u);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(user::Load<uint32_t>((words + i).Load()), i);
    // The lowest place that became free is used again.
    ASSERT_EQ(user::io_destroy((words + 7).Load()), 0);
    (words + 7).Store(0);
    ASSERT_EQ(user::io_setup(1, words + 7), 0);
    EXPECT_EQ(user::Load<uint32_t>((words + 7).Load()), 7u);
  });
}

TEST(IoSetup, EachAllocationThatFailsLeavesNothingBehind) {
  // One after the other, until the call gets through without reaching the one that would fail.
  int failures = 0;
  RunAio({}, [&](AioProgram& p) {
    p.ctxp.Store(0);
    for (int n = 0; n < 100; ++n) {
      int countdown = n;
      current->machine->SetChooser(std::make_unique<FailOneAllocation>(&countdown));
      const int64_t result = p.Setup(8);
      current->machine->SetChooser(nullptr);
      if (result == 0) break;
      ++failures;
      EXPECT_EQ(result, -ENOMEM) << n;
      EXPECT_EQ(aio->aio_nr, 0u) << n;
      EXPECT_EQ(p.ctx, 0u) << n;
    }
  });
  EXPECT_GE(failures, 8);  // context, three per-CPU areas, inode, dentry, file, page, area, table
}

TEST(IoDestroy, TheHandleIsGoneAtOnce) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(user::io_destroy(p.ctx), 0);
    EXPECT_EQ(aio->aio_nr, 0u);
    EXPECT_EQ(user::io_destroy(p.ctx), -EINVAL);
    EXPECT_EQ(p.Submit({}), -EINVAL);
  });
}

TEST(IoDestroy, UnreadEventsAreLost) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit(p.Reads(5)), 5);
    EXPECT_EQ(user::io_destroy(p.ctx), 0);
  });
}

TEST(IoDestroy, AContextLeftAtExitIsFreed) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit(p.Reads(5)), 5);
  });
}

TEST(IoDestroy, AChildHasTheMappingButNoContext) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int64_t child = user::fork(user::Program([&p] {
      EXPECT_EQ(user::Load<uint32_t>(p.ctx + offsetof(aio_ring, magic)), AIO_RING_MAGIC);
      EXPECT_EQ(user::io_destroy(p.ctx), -EINVAL);
      user::exit_group(0);
    }));
    ASSERT_GT(child, 0);
    int status = -1;
    EXPECT_EQ(user::waitpid(static_cast<int>(child), &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(user::io_destroy(p.ctx), 0);
  });
}

TEST(IoDestroy, AWaiterIsWokenWithAnError) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int64_t thread = user::clone(
        CLONE_VM | CLONE_FILES, 0, 0, 0,
        user::Program([&p] { EXPECT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, {}), -EINVAL); }));
    ASSERT_GT(thread, 0);
    user::nanosleep(1'000'000);
    EXPECT_EQ(user::io_destroy(p.ctx), 0);
    user::wait4(static_cast<int>(thread), 0, __WALL);
  });
}

}  // namespace
}  // namespace kpath
