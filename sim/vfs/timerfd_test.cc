// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <ctime>

#include "sim/kernel/time.h"
#include "sim/kernel/timekeeping.h"
#include "sim/kernel/timer.h"
#include "sim/vfs/test_vfs.h"

namespace kpath {

long __x64_sys_timerfd_create(const pt_regs* regs);
long __x64_sys_timerfd_settime(const pt_regs* regs);
long __x64_sys_timerfd_gettime(const pt_regs* regs);
long __x64_sys_eventfd2(const pt_regs* regs);
long __x64_sys_read(const pt_regs* regs);
long __x64_sys_write(const pt_regs* regs);
long __x64_sys_close(const pt_regs* regs);
long __x64_sys_poll(const pt_regs* regs);

namespace {

constexpr int kAbsolute = 1;

class Timerfd : public ::testing::TestWithParam<int> {
 protected:
  Timerfd() : vfs(GetParam()) {}

  // A process with a timerfd under descriptor 0.
  void WithTimerfd(int clockid, int flags, std::function<void()> body) {
    vfs.Process("a", [this, clockid, flags, body] {
      ASSERT_EQ(vfs.Call(__x64_sys_timerfd_create, clockid, flags), 0);
      body();
    });
    EXPECT_EQ(vfs.Run(), "");
  }
  // What was set before is left in `old`.
  long Set(ktime_t value, ktime_t interval, int flags = 0) {
    vfs.user.Write(setting,
                   itimerspec64{ktime_to_timespec64(interval), ktime_to_timespec64(value)});
    return vfs.Call(__x64_sys_timerfd_settime, 0, flags, setting, old);
  }
  ktime_t OldValue() { return timespec64_to_ktime(vfs.user.Read(old).it_value); }
  ktime_t OldInterval() { return timespec64_to_ktime(vfs.user.Read(old).it_interval); }
  long Get() { return vfs.Call(__x64_sys_timerfd_gettime, 0, old); }
  // How often it has expired, or the errno.
  int64_t Take() {
    const long n = vfs.Call(__x64_sys_read, 0, buffer, 8);
    return n == 8 ? vfs.user.Read(buffer.cast<int64_t>()) : n;
  }
  __poll_t Poll() { return vfs_poll(fdget(0).file, nullptr); }

  TestVfs vfs;
  user_ptr<itimerspec64> setting = vfs.Buffer(32).cast<itimerspec64>();
  user_ptr<itimerspec64> old = vfs.Buffer(32).cast<itimerspec64>();
  user_ptr<char> buffer = vfs.Buffer(8);
};

INSTANTIATE_TEST_SUITE_P(OnCpus, Timerfd, ::testing::Values(1, 2));

TEST_P(Timerfd, ExpiresOnce) {
  WithTimerfd(CLOCK_MONOTONIC, 0, [&] {
    EXPECT_EQ(d_path(fdget(0).file->f_path), "anon_inode:[timerfd]");
    const ktime_t start = ktime_get();
    EXPECT_EQ(Set(5 * NSEC_PER_MSEC, 0), 0);
    EXPECT_EQ(Poll(), 0u);
    EXPECT_EQ(Take(), 1);  // waits
    EXPECT_GE(ktime_get() - start, 5 * NSEC_PER_MSEC);
    EXPECT_LT(ktime_get() - start, 6 * NSEC_PER_MSEC);
    EXPECT_EQ(Get(), 0);
    EXPECT_EQ(OldValue(), 0);
  });
}

TEST_P(Timerfd, PeriodsThatPassAreCounted) {
  WithTimerfd(CLOCK_MONOTONIC, O_NONBLOCK, [&] {
    EXPECT_EQ(Take(), -EAGAIN);
    EXPECT_EQ(Set(5 * NSEC_PER_MSEC, 2 * NSEC_PER_MSEC), 0);
    EXPECT_EQ(Take(), -EAGAIN);
    EXPECT_EQ(Get(), 0);
    EXPECT_EQ(OldInterval(), 2 * NSEC_PER_MSEC);
    const ktime_t first = ktime_get() + OldValue();
    msleep(28);
    EXPECT_EQ(Poll(), EPOLLIN);
    const int64_t expected = (ktime_get() - first) / (2 * NSEC_PER_MSEC) + 1;
    EXPECT_EQ(Take(), expected);
    EXPECT_EQ(Take(), -EAGAIN);
    EXPECT_EQ(Poll(), 0u);
    msleep(4);
    EXPECT_GE(Take(), 2);  // it was started again
  });
}

TEST_P(Timerfd, LookingAtItStartsItAgain) {
  WithTimerfd(CLOCK_MONOTONIC, O_NONBLOCK, [&] {
    EXPECT_EQ(Set(2 * NSEC_PER_MSEC, 4 * NSEC_PER_MSEC), 0);
    msleep(12);
    EXPECT_EQ(Get(), 0);
    EXPECT_GT(OldValue(), 0);
    EXPECT_LE(OldValue(), 4 * NSEC_PER_MSEC);
    EXPECT_GE(Take(), 3);
  });
}

TEST_P(Timerfd, SettingItAnewForgetsWhatHasExpired) {
  WithTimerfd(CLOCK_MONOTONIC, O_NONBLOCK, [&] {
    EXPECT_EQ(Set(2 * NSEC_PER_MSEC, 8 * NSEC_PER_MSEC), 0);
    msleep(4);
    EXPECT_EQ(Set(NSEC_PER_SEC, 0), 0);
    EXPECT_EQ(OldInterval(), 8 * NSEC_PER_MSEC);
    EXPECT_GT(OldValue(), 0);  // when it would have expired next
    EXPECT_LE(OldValue(), 8 * NSEC_PER_MSEC);
    EXPECT_EQ(Take(), -EAGAIN);
    EXPECT_EQ(Set(0, NSEC_PER_SEC), 0);  // stops it
    EXPECT_GT(OldValue(), 990 * NSEC_PER_MSEC);
    msleep(2000);
    EXPECT_EQ(Take(), -EAGAIN);
    EXPECT_EQ(Why(), "EAGAIN: the timer has not expired, 0 ns are left, and O_NONBLOCK is set");
  });
}

TEST_P(Timerfd, AbsoluteTimesOfBothClocks) {
  WithTimerfd(CLOCK_REALTIME, 0, [&] {
    EXPECT_EQ(Set(ktime_get_real() + 6 * NSEC_PER_MSEC, 0, kAbsolute), 0);
    EXPECT_EQ(Get(), 0);
    EXPECT_GT(OldValue(), 5 * NSEC_PER_MSEC);
    EXPECT_EQ(Take(), 1);
    EXPECT_GE(ktime_get(), 6 * NSEC_PER_MSEC);
    EXPECT_LT(ktime_get(), 7 * NSEC_PER_MSEC);
    // A time that is past: at once. A periodic one has missed many periods.
    EXPECT_EQ(Set(kWallClockStart * NSEC_PER_SEC, NSEC_PER_MSEC, kAbsolute), 0);
    EXPECT_GE(Take(), 6);
    EXPECT_LE(Take(), 2);
  });
  vfs.Process("b", [&] {
    ASSERT_EQ(vfs.Call(__x64_sys_timerfd_create, CLOCK_BOOTTIME, 0), 0);
    const ktime_t then = ktime_get() + 3 * NSEC_PER_MSEC;
    EXPECT_EQ(Set(then, 0, kAbsolute), 0);
    EXPECT_EQ(Take(), 1);
    EXPECT_GE(ktime_get(), then);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST_P(Timerfd, TheCallsCheckTheirArguments) {
  WithTimerfd(CLOCK_MONOTONIC, 0, [&] {
    EXPECT_EQ(vfs.Call(__x64_sys_timerfd_create, CLOCK_MONOTONIC, O_APPEND), -EINVAL);
    EXPECT_EQ(vfs.Call(__x64_sys_timerfd_create, CLOCK_MONOTONIC_RAW, 0), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: clock 4 has no timerfds");
    ASSERT_EQ(vfs.Call(__x64_sys_timerfd_create, CLOCK_REALTIME_ALARM, O_CLOEXEC), 1);
    EXPECT_TRUE(get_close_on_exec(1));
    EXPECT_EQ(Set(1, 0, 4), -EINVAL);
    EXPECT_EQ(Set(1, 0, 2), 0);
    EXPECT_EQ(Take(), 1);
    vfs.user.Write(setting, itimerspec64{{0, NSEC_PER_SEC}, {0, 1}});
    EXPECT_EQ(vfs.Call(__x64_sys_timerfd_settime, 0, 0, setting, 0), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: that is no length of time");
    const user_ptr<char> nowhere(0x9000);
    EXPECT_EQ(vfs.Call(__x64_sys_timerfd_settime, 0, 0, nowhere, 0), -EFAULT);
    vfs.user.Write(setting, itimerspec64{{}, {0, 1}});
    EXPECT_EQ(vfs.Call(__x64_sys_timerfd_settime, 0, 0, setting, nowhere), -EFAULT);
    EXPECT_EQ(vfs.Call(__x64_sys_timerfd_gettime, 0, nowhere), -EFAULT);
    EXPECT_EQ(vfs.Call(__x64_sys_read, 0, buffer, 7), -EINVAL);
    EXPECT_EQ(vfs.Call(__x64_sys_read, 0, nowhere, 8), -EFAULT);
    EXPECT_EQ(vfs.Call(__x64_sys_write, 0, buffer, 8), -EINVAL);
    ASSERT_EQ(vfs.Call(__x64_sys_eventfd2, 0, 0), 2);
    EXPECT_EQ(vfs.Call(__x64_sys_timerfd_gettime, 2, old), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: fd 2 is not a timerfd");
    EXPECT_EQ(vfs.Call(__x64_sys_timerfd_gettime, 9, old), -EBADF);
    EXPECT_EQ(vfs.Call(__x64_sys_timerfd_settime, 9, 0, setting, 0), -EBADF);
  });
}

TEST_P(Timerfd, ASignalEndsTheWait) {
  WithTimerfd(CLOCK_MONOTONIC, 0, [&] {
    set_tsk_thread_flag(current, TIF_SIGPENDING);
    EXPECT_EQ(Take(), -ERESTARTSYS);
    EXPECT_EQ(Set(100, 0), 0);
    clear_tsk_thread_flag(current, TIF_SIGPENDING);
    EXPECT_EQ(Take(), 1);
  });
}

TEST_P(Timerfd, PollWaitsForIt) {
  WithTimerfd(CLOCK_MONOTONIC, 0, [&] {
    EXPECT_EQ(Set(3 * NSEC_PER_MSEC, 0), 0);
    const user_ptr<char> pollfd = vfs.Buffer(8);
    vfs.Put(pollfd, std::string("\0\0\0\0\1\0\0\0", 8));
    EXPECT_EQ(vfs.Call(__x64_sys_poll, pollfd, 1, -1), 1);
    EXPECT_GE(ktime_get(), 3 * NSEC_PER_MSEC);
    EXPECT_EQ(Take(), 1);
  });
}

TEST_P(Timerfd, ClosingStopsIt) {
  WithTimerfd(CLOCK_MONOTONIC, 0, [&] {
    EXPECT_EQ(Set(3 * NSEC_PER_MSEC, NSEC_PER_MSEC), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_close, 0), 0);
    TestVfs::ReturnToUserMode();
    msleep(20);  // it would have used its freed memory
  });
}

TEST_P(Timerfd, EveryAllocationMayFailAndNothingLeaks) {
  class FailOne : public Chooser {
   public:
    explicit FailOne(int n) : left_(n) {}
    int Choose(uint64_t, ChoiceKind kind, int) override {
      return kind == ChoiceKind::kFailAlloc && left_-- == 0 ? 1 : 0;
    }

   private:
    int left_;
  };
  vfs.Process("a", [&] {
    for (int n = 0; n < 3; ++n) {
      current->machine->SetChooser(std::make_unique<FailOne>(n));
      EXPECT_EQ(vfs.Call(__x64_sys_timerfd_create, CLOCK_MONOTONIC, 0), -ENOMEM) << n;
    }
    current->machine->SetChooser(std::make_unique<FailOne>(3));
    EXPECT_EQ(vfs.Call(__x64_sys_timerfd_create, CLOCK_MONOTONIC, 0), 0);
  });
  EXPECT_EQ(vfs.Run(), "");
}

}  // namespace
}  // namespace kpath
