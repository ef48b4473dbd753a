// SPDX-License-Identifier: Apache-2.0
//
// The entry points of programs with 32-bit pointers: the x32 rows of sys_call_table, and what
// ia32_sys_call_table refers to.
#include "sim/kernel/compat.h"

#include <sys/mman.h>

#include "fs_aio/aio_test_program.h"
#include "syscall_table/sys_call_table.h"

namespace kpath {

long __ia32_compat_sys_io_setup(const pt_regs* regs);
long __ia32_compat_sys_io_submit(const pt_regs* regs);
long __ia32_compat_sys_io_getevents(const pt_regs* regs);
long __ia32_compat_sys_io_pgetevents(const pt_regs* regs);

namespace {

using ::testing::HasSubstr;

constexpr uint64_t kX32 = 0x40000000;
constexpr uint64_t kIa32 = 400;  // numbers that 64-bit programs do not have

// Calls an i386 entry point as int $0x80 does: arguments in bx, cx, dx, si, di, bp, above the lower
// halves of which nothing counts.
template <long (*kEntry)(const pt_regs*)>
long AsIa32(const pt_regs* regs) {
  constexpr unsigned long kAbove = 0xdeadbeef00000000;
  current_thread_info()->status |= TS_COMPAT;
  pt_regs ia32 = *regs;
  ia32.bx = regs->di | kAbove;
  ia32.cx = regs->si | kAbove;
  ia32.dx = regs->dx | kAbove;
  ia32.si = regs->r10 | kAbove;
  ia32.di = regs->r8 | kAbove;
  ia32.bp = regs->r9 | kAbove;
  return kEntry(&ia32);
}

enum Ia32Call : uint64_t { kSetup, kSubmit, kGetevents, kPgetevents };

// The program of aio_test_program.h, with memory of its own below 4 GiB.
class CompatProgram : public AioProgram {
 public:
  CompatProgram() {
    const int64_t low = user::mmap(0, 1 << 16, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    EXPECT_GT(low, 0);
    base = static_cast<uint64_t>(low);
    buffer = base + 4096;
  }

  int64_t SetupX32(unsigned nr_events) {
    const int64_t result = user::Syscall(kX32 | 543, nr_events, base);
    ctx = user::Load<uint32_t>(base);
    return result;
  }
  // Puts the iocbs and a list of 32-bit pointers to them into low memory.
  uint64_t List(const std::vector<user::iocb>& list) {
    const uint64_t pointers_at = base + 256, iocbs_at = base + 512;
    for (size_t i = 0; i < list.size(); ++i) {
      user::Store<user::iocb>(iocbs_at + i * 64, list[i]);
      user::Store<uint32_t>(pointers_at + i * 4, static_cast<uint32_t>(iocbs_at + i * 64));
    }
    return pointers_at;
  }

  uint64_t base = 0;
};

void RunCompat(const std::function<void(CompatProgram&)>& body) {
  System system;
  {
    EnterMachine enter(system.machine());
    sys_call_table->Set(kIa32 + kSetup, {AsIa32<__ia32_compat_sys_io_setup>});
    sys_call_table->Set(kIa32 + kSubmit, {AsIa32<__ia32_compat_sys_io_submit>});
    sys_call_table->Set(kIa32 + kGetevents, {AsIa32<__ia32_compat_sys_io_getevents>});
    sys_call_table->Set(kIa32 + kPgetevents, {AsIa32<__ia32_compat_sys_io_pgetevents>});
  }
  bool ran_to_the_end = false;
  system.Start("aio", [&] {
    CompatProgram p;
    body(p);
    ran_to_the_end = true;
  });
  EXPECT_EQ(system.Run(), "");
  EXPECT_TRUE(ran_to_the_end);
}

TEST(Compat, X32ProgramsHaveTheirOwnSetupAndSubmit) {
  RunCompat([](CompatProgram& p) {
    user::Store<uint32_t>(p.base + 4, 0x77777777);  // no part of a 32-bit handle
    ASSERT_EQ(p.SetupX32(8), 0);
    EXPECT_EQ(user::Load<uint32_t>(p.base + 4), 0x77777777u);
    EXPECT_EQ(p.Kioctx()->user_id, p.ctx);  // the ring lies below 4 GiB
    const uint64_t list = p.List({p.Read(512), p.Read(256)});
    ASSERT_EQ(user::Syscall(kX32 | 544, p.ctx, 2, list), 2);
    // The other calls are those of 64-bit programs.
    ASSERT_EQ(user::Syscall(kX32 | 208, p.ctx, 2, 2, p.events.address(), 0), 2);
    EXPECT_EQ(p.Event(1).res, 256);
    EXPECT_EQ(p.Event(1).obj, p.base + 512 + 64);
    EXPECT_EQ(user::Syscall(kX32 | 210, p.ctx, p.base + 512, 0), -EINVAL);
    EXPECT_EQ(user::Syscall(kX32 | 207, p.ctx), 0);
  });
}

TEST(Compat, TheWordMustBeZeroAndWritable) {
  RunCompat([](CompatProgram& p) {
    user::Store<uint32_t>(p.base, 5);
    EXPECT_EQ(p.SetupX32(8), -EINVAL);
    EXPECT_EQ(user::Syscall(kX32 | 543, 8, 8), -EFAULT);
    EXPECT_THAT(p.Reason(), HasSubstr("the word at ctxp=0x8 cannot be read"));
    user::Store<uint32_t>(p.base, 0);
    ASSERT_EQ(user::mprotect(p.base, 4096, PROT_READ), 0);
    EXPECT_EQ(p.SetupX32(8), -EFAULT);
    EXPECT_EQ(aio->aio_nr, 0u);
  });
}

TEST(Compat, NrIsA32BitNumberAndPointersAre32BitWide) {
  RunCompat([](CompatProgram& p) {
    ASSERT_EQ(p.SetupX32(8), 0);
    const uint64_t list = p.List({p.Read(512)});
    EXPECT_EQ(user::Syscall(kX32 | 544, p.ctx, 0xffffffff, list), -EINVAL);
    EXPECT_EQ(p.Reason(), "EINVAL: nr=-1 is negative");
    EXPECT_EQ(user::Syscall(kX32 | 544, p.ctx, uint64_t{1} << 32 | 1, list), 1);
    EXPECT_EQ(user::Syscall(kX32 | 544, 0x1234, 1, list), -EINVAL);
    EXPECT_EQ(user::Syscall(kX32 | 544, p.ctx, 1, 8), -EFAULT);
    EXPECT_THAT(p.Reason(), HasSubstr("iocbpp[0] at 0x8 cannot be read"));
  });
}

TEST(Compat, SegmentsAreOfTheCompatKind) {
  RunCompat([](CompatProgram& p) {
    ASSERT_EQ(p.SetupX32(8), 0);
    const uint64_t segments = p.base + 2048;
    user::WriteString(p.buffer, "onetwo");
    const auto put = [&](uint64_t index, uint64_t base, uint32_t length) {
      user::Store<uint32_t>(segments + 8 * index, static_cast<uint32_t>(base));
      user::Store<uint32_t>(segments + 8 * index + 4, length);
    };
    put(0, p.buffer + 3, 3);
    put(1, p.buffer, 3);
    ASSERT_EQ(
        user::Syscall(kX32 | 544, p.ctx, 1, p.List({user::PwritevIocb(p.fd, segments, 2, 0)})), 1);
    user::iocb read = p.Read(6);
    read.aio_buf = p.buffer + 100;
    ASSERT_EQ(user::Syscall(kX32 | 544, p.ctx, 1, p.List({read})), 1);
    EXPECT_EQ(user::ReadText(p.buffer + 100, 6), "twoone");

    const auto submit = [&](uint64_t nr_segs, uint64_t at) {
      return user::Syscall(kX32 | 544, p.ctx, 1, p.List({user::PreadvIocb(p.fd, at, nr_segs, 0)}));
    };
    put(1, p.buffer, 0x80000000);  // negative as a 32-bit number
    EXPECT_EQ(submit(2, segments), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("segment 1 has the length -2147483648"));
    EXPECT_EQ(submit(1025, segments), -EINVAL);
    EXPECT_EQ(submit(2, 0x10000), -EFAULT);
    EXPECT_EQ(submit(2, 0xffffffff81000000), -EFAULT);
    EXPECT_EQ(submit(0, 0), 1);
    EXPECT_EQ(submit(9, segments + 16), 1);  // zeros: nine empty segments
    // What is wrong with the first is told before the second is read.
    const uint64_t end = p.base + (1 << 16);
    user::Store<uint32_t>(end - 4, 0x80000000);
    EXPECT_EQ(submit(2, end - 8), -EINVAL);
    user::Store<uint32_t>(end - 4, 1);
    EXPECT_EQ(submit(2, end - 8), -EFAULT);
    p.ExpectSlotsBalance();
  });
}

TEST(Compat, I386ProgramsHaveTheirOwnSetupSubmitAndGetevents) {
  RunCompat([](CompatProgram& p) {
    ASSERT_EQ(user::Syscall(kIa32 + kSetup, 8, p.base), 0);
    p.ctx = user::Load<uint32_t>(p.base);
    EXPECT_EQ(p.Kioctx()->user_id, p.ctx);
    ASSERT_EQ(user::Syscall(kIa32 + kSubmit, p.ctx, 1, p.List({p.Read(512)})), 1);
    const uint64_t events = p.base + 3072, timeout = p.base + 3000;
    ASSERT_EQ(user::Syscall(kIa32 + kGetevents, p.ctx, 1, 1, events, 0), 1);
    EXPECT_EQ(user::Load<io_event>(events).res, 512);

    // A timeout of 3 ms in the layout of 32-bit programs, whose counts are signed 32-bit numbers.
    user::Store<uint32_t>(timeout, 0);
    user::Store<uint32_t>(timeout + 4, 3'000'000);
    const int64_t before = current->machine->now_ns();
    EXPECT_EQ(user::Syscall(kIa32 + kGetevents, p.ctx, 1, 1, events, timeout), 0);
    EXPECT_GE(current->machine->now_ns() - before, 3'000'000);
    EXPECT_LT(current->machine->now_ns() - before, 4'000'000);
    EXPECT_EQ(user::Syscall(kIa32 + kGetevents, p.ctx, 0xffffffff, 1, events, timeout), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("min_nr=-1"));
    EXPECT_EQ(user::Syscall(kIa32 + kGetevents, p.ctx, 0, 1, events, 8), -EFAULT);
    EXPECT_THAT(p.Reason(), HasSubstr("the timeout at 0x8 cannot be read"));
  });
}

TEST(Compat, TheMaskOfI386ProgramsIsMisread) {
  RunCompat([](CompatProgram& p) {
    ASSERT_EQ(user::Syscall(kIa32 + kSetup, 8, p.base), 0);
    p.ctx = user::Load<uint32_t>(p.base);
    const uint64_t events = p.base + 3072, usig = p.base + 3000, mask = p.base + 2900;
    const auto call = [&] {
      return user::Syscall(kIa32 + kPgetevents, p.ctx, 0, 1, events, 0, usig);
    };
    EXPECT_EQ(call(), 0);  // zeros: no mask
    // What an i386 program passes: a pointer and a size of 32 bits each. The kernel takes both for
    // the pointer, and what stands behind for the size.
    user::Store<uint32_t>(usig, static_cast<uint32_t>(mask));
    user::Store<uint32_t>(usig + 4, 8);
    EXPECT_EQ(call(), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("sigsetsize=0"));
    // What it expects.
    user::Store<uint64_t>(usig, mask);
    user::Store<uint32_t>(usig + 8, 8);
    EXPECT_EQ(call(), 0);
    user::Store<uint64_t>(usig, 8);
    EXPECT_EQ(call(), -EFAULT);
    EXPECT_THAT(p.Reason(), HasSubstr("the mask of signals at 0x8"));
    EXPECT_EQ(user::Syscall(kIa32 + kPgetevents, p.ctx, 0, 1, events, 0, 8), -EFAULT);
    EXPECT_EQ(user::Syscall(kIa32 + kPgetevents, p.ctx, 0, 1, events, 8, usig), -EFAULT);
  });
}

TEST(Compat, SecondsBelowZeroAreNoShortTime) {
  RunCompat([](CompatProgram& p) {
    ASSERT_EQ(user::Syscall(kIa32 + kSetup, 8, p.base), 0);
    p.ctx = user::Load<uint32_t>(p.base);
    ASSERT_EQ(user::Syscall(kIa32 + kSubmit, p.ctx, 1, p.List({user::FsyncIocb(p.fd)})), 1);
    user::Store<uint32_t>(p.base + 3000, 0xffffffff);
    user::Store<uint32_t>(p.base + 3004, 0);
    EXPECT_EQ(user::Syscall(kIa32 + kGetevents, p.ctx, 1, 1, p.base + 3072, p.base + 3000), 1);
  });
}

}  // namespace
}  // namespace kpath
