// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/eventfd.h"

#include <gtest/gtest.h>

#include "sim/kernel/test_limits.h"
#include "sim/kernel/timer.h"
#include "sim/machine/test_chooser.h"
#include "sim/vfs/open.h"
#include "sim/vfs/test_vfs.h"

namespace kpath {

long __x64_sys_eventfd(const pt_regs* regs);
long __x64_sys_eventfd2(const pt_regs* regs);
long __x64_sys_read(const pt_regs* regs);
long __x64_sys_write(const pt_regs* regs);
long __x64_sys_close(const pt_regs* regs);
long __x64_sys_pread64(const pt_regs* regs);

namespace {

class Eventfd : public ::testing::TestWithParam<int> {
 protected:
  Eventfd() : vfs(GetParam()) {}

  // A process with an eventfd under descriptor 0.
  void WithEventfd(unsigned count, unsigned flags, std::function<void()> body) {
    vfs.Process("a", [this, count, flags, body] {
      ASSERT_EQ(vfs.Call(__x64_sys_eventfd2, count, flags), 0);
      body();
    });
    EXPECT_EQ(vfs.Run(), "");
  }
  long Add(uint64_t n) {
    const user_ptr<char> buf = vfs.Buffer(8);
    vfs.user.Write(buf.cast<uint64_t>(), n);
    return vfs.Call(__x64_sys_write, 0, buf, 8);
  }
  // What was read, or the errno.
  int64_t Take() {
    const user_ptr<char> buf = vfs.Buffer(8);
    const long n = vfs.Call(__x64_sys_read, 0, buf, 8);
    return n == 8 ? vfs.user.Read(buf.cast<int64_t>()) : n;
  }
  __poll_t Poll() { return vfs_poll(fdget(0).file, nullptr); }

  TestVfs vfs;
};

INSTANTIATE_TEST_SUITE_P(OnCpus, Eventfd, ::testing::Values(1, 2));

TEST_P(Eventfd, ReadTakesAllThatWasAdded) {
  WithEventfd(3, 0, [&] {
    EXPECT_EQ(Add(4), 8);
    EXPECT_EQ(Add(0), 8);
    EXPECT_EQ(Take(), 7);
    EXPECT_EQ(d_path(fdget(0).file->f_path), "anon_inode:[eventfd]");
  });
}

TEST_P(Eventfd, ASemaphoreIsTakenOneByOne) {
  WithEventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK, [&] {
    EXPECT_EQ(Take(), 1);
    EXPECT_EQ(Take(), 1);
    EXPECT_EQ(Take(), -EAGAIN);
    EXPECT_EQ(Why(), "EAGAIN: the counter is 0 and O_NONBLOCK is set");
  });
}

TEST_P(Eventfd, TheCallChecksItsFlags) {
  vfs.Process("a", [&] {
    EXPECT_EQ(vfs.Call(__x64_sys_eventfd2, 0, 2), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: flags 2 has bits that eventfd does not know");
    EXPECT_EQ(vfs.Call(__x64_sys_eventfd, 0), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_eventfd2, 0, EFD_CLOEXEC), 1);
    EXPECT_TRUE(get_close_on_exec(1));
    const TestLimit limit(RLIMIT_NOFILE, 2);
    EXPECT_EQ(vfs.Call(__x64_sys_eventfd, 0), -EMFILE);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST_P(Eventfd, EveryAllocationMayFailAndNothingLeaks) {
  vfs.Process("a", [&] {
    for (int n = 0; n < 3; ++n) {
      current->machine->SetChooser(std::make_unique<FailOneAllocation>(n));
      EXPECT_EQ(vfs.Call(__x64_sys_eventfd, 0), -ENOMEM) << n;
    }
    current->machine->SetChooser(std::make_unique<FailOneAllocation>(3));
    EXPECT_EQ(vfs.Call(__x64_sys_eventfd, 0), 0);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST_P(Eventfd, BadBuffers) {
  WithEventfd(5, 0, [&] {
    const user_ptr<char> buf = vfs.Buffer(8);
    EXPECT_EQ(vfs.Call(__x64_sys_read, 0, buf, 7), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: 7 bytes are too few for the counter's 8");
    EXPECT_EQ(vfs.Call(__x64_sys_write, 0, buf, 7), -EINVAL);
    EXPECT_EQ(vfs.Call(__x64_sys_write, 0, 0xdead0000, 8), -EFAULT);
    EXPECT_EQ(Add(UINT64_MAX), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: 2^64-1 cannot be added");
    // The counter is taken before the buffer turns out to be bad.
    EXPECT_EQ(vfs.Call(__x64_sys_read, 0, 0xdead0000, 8), -EFAULT);
    EXPECT_EQ(std::any_cast<kptr<eventfd_ctx>>(fdget(0).file->private_data)->count, 0u);
  });
}

TEST_P(Eventfd, NoRoom) {
  WithEventfd(1, EFD_NONBLOCK, [&] {
    EXPECT_EQ(Add(UINT64_MAX - 1), -EAGAIN);
    EXPECT_EQ(Why(), "EAGAIN: the counter, 1, has no room for it and O_NONBLOCK is set");
    EXPECT_EQ(Add(UINT64_MAX - 2), 8);
    EXPECT_EQ(Poll(), EPOLLIN);
    EXPECT_EQ(Add(1), -EAGAIN);
  });
}

TEST_P(Eventfd, AReaderSleepsUntilSomethingIsAdded) {
  std::string order;
  WithEventfd(0, 0, [&] {
    vfs.Process(
        "reader",
        [&] {
          order += "reading ";
          EXPECT_EQ(Take(), 2);
          order += "read ";
        },
        dup_fd(current->files));
    schedule_timeout_uninterruptible(2);
    order += "adding ";
    EXPECT_EQ(Add(2), 8);
  });
  EXPECT_EQ(order, "reading adding read ");
}

TEST_P(Eventfd, AWriterSleepsUntilThereIsRoom) {
  std::string order;
  WithEventfd(10, 0, [&] {
    vfs.Process(
        "writer",
        [&] {
          order += "adding ";
          EXPECT_EQ(Add(UINT64_MAX - 5), 8);
          order += "added ";
        },
        dup_fd(current->files));
    schedule_timeout_uninterruptible(2);
    order += "reading ";
    EXPECT_EQ(Take(), 10);
  });
  EXPECT_EQ(order, "adding reading added ");
}

TEST_P(Eventfd, ASignalEndsTheWait) {
  WithEventfd(0, 0, [&] {
    set_tsk_thread_flag(current, TIF_SIGPENDING);
    EXPECT_EQ(Take(), -ERESTARTSYS);
    EXPECT_EQ(Why(), "ERESTARTSYS: a signal came while waiting for the counter, 0");
    clear_tsk_thread_flag(current, TIF_SIGPENDING);
    EXPECT_EQ(current->state, TASK_RUNNING);
  });
}

TEST_P(Eventfd, SignallingNeverWaits) {
  WithEventfd(0, 0, [&] {
    kptr<eventfd_ctx> ctx = eventfd_ctx_fdget(0);
    EXPECT_EQ(ctx->refs, 2);
    EXPECT_EQ(eventfd_signal(ctx, 3), 3u);
    EXPECT_EQ(eventfd_signal(ctx, UINT64_MAX), UINT64_MAX - 3);
    EXPECT_EQ(Poll(), EPOLLIN | EPOLLERR);
    EXPECT_EQ(eventfd_signal(ctx, 1), 0u);
    EXPECT_EQ(Take(), -1);  // 2^64 - 1
    EXPECT_EQ(Poll(), EPOLLOUT);
    eventfd_ctx_put(ctx);
  });
}

TEST_P(Eventfd, TheContextOutlivesItsFile) {
  WithEventfd(0, 0, [&] {
    kptr<eventfd_ctx> ctx = eventfd_ctx_fdget(0);
    vfs.Call(__x64_sys_close, 0);
    TestVfs::ReturnToUserMode();
    EXPECT_EQ(eventfd_signal(ctx, 1), 1u);
    eventfd_ctx_put(ctx);
    EXPECT_FALSE(ctx.alive());
  });
}

TEST_P(Eventfd, OtherDescriptors) {
  WithEventfd(0, 0, [&] {
    EXPECT_EQ(eventfd_ctx_fdget(9).error(), EBADF);
    EXPECT_EQ(Why(), "EBADF: fd 9 is not open");
    fd_install(static_cast<unsigned>(get_unused_fd_flags(0)), filp_open("/", O_RDONLY, 0));
    EXPECT_EQ(eventfd_ctx_fdget(1).error(), EINVAL);
    EXPECT_EQ(Why(), "EINVAL: the file is not an eventfd");
  });
}

TEST_P(Eventfd, ItHasPositionsButNoUseForThem) {
  WithEventfd(6, 0, [&] {
    const user_ptr<char> buf = vfs.Buffer(8);
    EXPECT_EQ(vfs.Call(__x64_sys_pread64, 0, buf, 8, 0), -ESPIPE);
  });
}

// The recordings io_submit_tmpfs_pread_512_resfd.
TEST_P(Eventfd, TheCallsAreThoseOfARealKernel) {
  CallRecorder gets(vfs.kernel.machine, "eventfd_ctx_fdget");
  CallRecorder signals(vfs.kernel.machine, "eventfd_signal");
  CallRecorder puts(vfs.kernel.machine, "eventfd_ctx_put");
  WithEventfd(0, 0, [&] {
    kptr<eventfd_ctx> ctx = eventfd_ctx_fdget(0);
    eventfd_signal(ctx, 1);
    eventfd_ctx_put(ctx);
    EXPECT_EQ(gets.Take(),
              "eventfd_ctx_fdget\n  __fdget\n    __fget_light\n  eventfd_ctx_fileget\n");
    EXPECT_EQ(signals.Take(),
              "eventfd_signal\n  _raw_spin_lock_irqsave\n  _raw_spin_unlock_irqrestore\n");
    EXPECT_EQ(puts.Take(), "eventfd_ctx_put\n");
  });
}

}  // namespace
}  // namespace kpath
