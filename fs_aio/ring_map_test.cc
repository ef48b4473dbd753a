// SPDX-License-Identifier: Apache-2.0
//
// The ring as a mapping of the process: moved, unmapped, protected, inherited.
#include <sys/mman.h>

#include "fs_aio/aio_test_program.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kPage = 4096;

int64_t Mremap(uint64_t from, uint64_t old_size, uint64_t new_size, int flags, uint64_t to = 0) {
  return user::Syscall(NR_mremap, from, old_size, new_size, flags, to);
}

// Runs `code` in a forked child and returns its status as wait4 reports it.
int InChild(const user::Code& code) {
  const int64_t child = user::fork(user::Program([code] {
    code();
    user::exit_group(0);
  }));
  EXPECT_GT(child, 0);
  int status = -1;
  EXPECT_EQ(user::waitpid(static_cast<int>(child), &status, 0), child);
  return status;
}

TEST(RingMapping, AMovedRingHasAnotherHandle) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit(p.Reads(2)), 2);
    const uint64_t to = p.arena.Bytes(4 * kPage, kPage);
    ASSERT_EQ(Mremap(p.ctx, kPage, kPage, MREMAP_MAYMOVE | MREMAP_FIXED, to),
              static_cast<int64_t>(to));
    EXPECT_EQ(p.Reap(1, 8), -EINVAL);  // nothing is at the old place
    p.ctx = to;
    EXPECT_EQ(p.Kioctx()->user_id, to);
    EXPECT_EQ(p.Reap(1, 8), 2);
    EXPECT_EQ(p.Submit(p.Reads(1)), 1);
    EXPECT_EQ(user::io_destroy(p.ctx), 0);
  });
}

TEST(RingMapping, ItCannotGrowNorBeDuplicated) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(Mremap(p.ctx, kPage, 2 * kPage, MREMAP_MAYMOVE), -EFAULT);
    EXPECT_EQ(Mremap(p.ctx, 0, kPage, MREMAP_MAYMOVE), -EFAULT);
    EXPECT_EQ(p.Submit(p.Reads(1)), 1);
  });
}

TEST(RingMapping, AChildCannotMoveTheRingItInherited) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(InChild([&p] {
                // A context of its own, so that it has a table: see the next test.
                const auto own = p.arena.New<user::io_context_t>();
                EXPECT_EQ(user::io_setup(8, own), 0);
                const uint64_t to = p.arena.Bytes(4 * kPage, kPage);
                EXPECT_EQ(Mremap(p.ctx, kPage, kPage, MREMAP_MAYMOVE | MREMAP_FIXED, to), -EINVAL);
                EXPECT_THAT(p.Reason(), HasSubstr("belongs to no context of this process"));
                EXPECT_EQ(user::Load<uint32_t>(p.ctx + offsetof(aio_ring, magic)),
                          AIO_RING_MAGIC);  // the move was undone
              }),
              0);
    EXPECT_EQ(p.Submit(p.Reads(1)), 1);
  });
}

TEST(RingMapping, AChildWithoutATableThatMovesItOopses) {
  // v4.19 follows the null pointer: aio_ring_mremap takes for granted that there is a table.
  System system;
  system.Start("aio", [] {
    AioProgram p;
    ASSERT_EQ(p.Setup(8), 0);
    InChild([&p] {
      const uint64_t to = p.arena.Bytes(4 * kPage, kPage);
      Mremap(p.ctx, kPage, kPage, MREMAP_MAYMOVE | MREMAP_FIXED, to);
    });
  });
  const std::string report = system.RunUntilIdle();
  EXPECT_THAT(report, HasSubstr("NULL pointer dereference"));
  EXPECT_THAT(report, HasSubstr("aio_ring_mremap"));
}

TEST(RingMapping, WithoutTheMappingTheContextCannotBeFoundButStays) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(user::munmap(p.ctx, kPage), 0);
    EXPECT_EQ(p.Submit(p.Reads(1)), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("nothing can be read there"));
    EXPECT_EQ(user::io_destroy(p.ctx), -EINVAL);
    EXPECT_EQ(aio->aio_nr, 8u);
    EXPECT_FALSE(p.Kioctx()->dead);
  });
}

TEST(RingMapping, WhateverLiesThereIsUnmappedWithTheContext) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(user::munmap(p.ctx, kPage), 0);
    // Memory of the program at the same place, with the index of the context in its first word.
    ASSERT_EQ(user::mmap(p.ctx, kPage, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
              static_cast<int64_t>(p.ctx));
    EXPECT_EQ(user::io_destroy(p.ctx), 0);  // it is found, and takes the memory with it
    EXPECT_EQ(user::write(p.fd, p.ctx, 1), -EFAULT);
  });
}

TEST(RingMapping, ProtectionDoesNotKeepTheKernelOut) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(user::mprotect(p.ctx, kPage, PROT_READ), 0);
    EXPECT_EQ(p.Submit(p.Reads(2)), 2);
    EXPECT_EQ(p.Reap(2, 2), 2);
    ASSERT_EQ(user::mprotect(p.ctx, kPage, PROT_NONE), 0);
    EXPECT_EQ(p.Submit(p.Reads(1)), -EINVAL);  // not -EFAULT
    ASSERT_EQ(user::mprotect(p.ctx, kPage, PROT_READ | PROT_WRITE), 0);
    EXPECT_EQ(p.Submit(p.Reads(1)), 1);
  });
}

TEST(RingMapping, AChildSharesTheRingAndHasNoContext) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit(p.Reads(3)), 3);
    EXPECT_EQ(InChild([&p] {
                EXPECT_EQ(p.Submit(p.Reads(1)), -EINVAL);
                EXPECT_EQ(p.Reap(0, 1), -EINVAL);
                EXPECT_EQ(user::io_destroy(p.ctx), -EINVAL);
                // Its stores reach the parent.
                EXPECT_EQ(user::ReapRing(p.ctx, 2, p.events), 2);
              }),
              0);
    EXPECT_EQ(user::Load<uint32_t>(p.ctx + offsetof(aio_ring, head)), 2u);
    EXPECT_EQ(p.Reap(1, 8), 1);
    p.ExpectSlotsBalance();
  });
}

TEST(RingMapping, AfterTheContextIsFreedTheChildsAccessIsASigbus) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int64_t child = user::fork(user::Program([&p] {
      user::nanosleep(50'000'000);
      user::Load<uint32_t>(p.ctx);
      ADD_FAILURE() << "the access came back";
    }));
    EXPECT_EQ(user::io_destroy(p.ctx), 0);
    int status = 0;
    EXPECT_EQ(user::waitpid(static_cast<int>(child), &status, 0), child);
    EXPECT_EQ(status & 0x7f, SIGBUS);
  });
}

TEST(RingMapping, ThreadsShareTheContexts) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int64_t thread = user::clone(CLONE_VM | CLONE_FILES, 0, 0, 0,
                                       user::Program([&p] { EXPECT_EQ(p.Submit(p.Reads(2)), 2); }));
    EXPECT_EQ(user::wait4(static_cast<int>(thread), 0, __WALL), thread);
    EXPECT_EQ(p.Reap(2, 2), 2);
  });
}

// ---- Forged heads and tails ----

TEST(ForgedRing, AForgedTailMakesOldSlotsCome) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit(p.Reads(1)), 1);
    user::Store<uint32_t>(p.ctx + offsetof(aio_ring, tail), 3);
    ASSERT_EQ(p.Reap(0, 8), 3);  // two of them zeros
    EXPECT_EQ(p.Event(2).obj, 0u);
    // The kernel's own tail was never in doubt: the next event is the second.
    ASSERT_EQ(p.Submit(p.Reads(1)), 1);
    EXPECT_EQ(user::Load<uint32_t>(p.ctx + offsetof(aio_ring, tail)), 2u);
    p.ExpectSlotsBalance();
  });
}

TEST(ForgedRing, AForgedHeadFreesSlotsAndUnreadEventsAreOverwritten) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(1), 0);
    ASSERT_EQ(p.Submit(p.Reads(200)), 124);
    ASSERT_EQ(p.Submit(p.Reads(1)), -EAGAIN);
    user::Store<uint32_t>(p.ctx + offsetof(aio_ring, head), 124);
    EXPECT_EQ(p.Submit(p.Reads(200)), 124);
    p.ExpectSlotsBalance();
  });
}

TEST(ForgedRing, AHeadBeyondTheTailCountsAsAFullRing) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit(p.Reads(2)), 2);
    user::Store<uint32_t>(p.ctx + offsetof(aio_ring, head), 5);
    // From 5 to the end, and from the beginning to 2.
    EXPECT_EQ(p.Reap(0, 200), 127 - 5 + 2);
    p.ExpectSlotsBalance();
  });
}

}  // namespace
}  // namespace kpath
