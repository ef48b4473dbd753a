// SPDX-License-Identifier: Apache-2.0
//
// System calls that need nothing but this folder: who am I, what time is it, sleeping.
#include <ctime>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/jiffies.h"
#include "sim/kernel/nanosleep.h"
#include "sim/kernel/test_kernel.h"
#include "sim/kernel/test_user_memory.h"
#include "sim/kernel/time.h"
#include "sim/kernel/timekeeping.h"
#include "sim/kernel/timer.h"
#include "sim/machine/pt_regs.h"

namespace kpath {

long __x64_sys_getpid(const pt_regs* regs);
long __x64_sys_gettid(const pt_regs* regs);
long __x64_sys_getppid(const pt_regs* regs);
long __x64_sys_nanosleep(const pt_regs* regs);
long __x64_sys_clock_gettime(const pt_regs* regs);
long __x64_sys_clock_getres(const pt_regs* regs);
long __x64_sys_clock_nanosleep(const pt_regs* regs);
long __x64_sys_gettimeofday(const pt_regs* regs);
long __x64_sys_time(const pt_regs* regs);

namespace {

constexpr user_ptr<timespec64> kRequest(0x10000);
constexpr user_ptr<timespec64> kRemainder(0x10100);
constexpr user_ptr<int64_t> kWords(0x10200);
constexpr user_ptr<char> kNowhere(0x90000);

template <typename... Args>
long Call(long (*entry)(const pt_regs*), Args... args) {
  unsigned long values[4] = {};
  int i = 0;
  [[maybe_unused]] const auto put = [&](auto value) {
    if constexpr (std::is_integral_v<decltype(value)>) {
      values[i++] = static_cast<unsigned long>(value);
    } else {
      values[i++] = value.address();
    }
  };
  (put(args), ...);
  pt_regs regs = {};
  regs.di = values[0];
  regs.si = values[1];
  regs.dx = values[2];
  regs.r10 = values[3];
  return entry(&regs);
}

class Sys : public ::testing::TestWithParam<int> {
 protected:
  Sys() : kernel(GetParam()), user(kernel.machine) { user.Map(0x10000, kPageSize); }

  void Run(std::function<void()> body) {
    kernel.Spawn("a", std::move(body));
    EXPECT_EQ(kernel.Run(), "");
  }
  long Nanosleep(timespec64 length, user_ptr<timespec64> remainder = nullptr) {
    user.Write(kRequest, length);
    return Call(__x64_sys_nanosleep, kRequest, remainder);
  }
  // A signal comes for the current task, so many ms from now.
  void SignalIn(unsigned ms) {
    task_struct* sleeper = current;
    kernel.Spawn("other", [ms, sleeper] {
      msleep(ms);
      set_tsk_thread_flag(sleeper, TIF_SIGPENDING);
      wake_up_state(sleeper, TASK_INTERRUPTIBLE);
    });
  }
  static std::string Why() { return current->reason.ToString(); }
  timespec64 Gettime(int clock) {
    EXPECT_EQ(Call(__x64_sys_clock_gettime, clock, kRequest), 0);
    return user.Read(kRequest);
  }

  TestKernel kernel;
  TestUserMemory user;
};

INSTANTIATE_TEST_SUITE_P(OnCpus, Sys, ::testing::Values(1, 2));

TEST_P(Sys, WhoAmI) {
  Run([&] {
    EXPECT_EQ(Call(__x64_sys_getpid), current->pid);
    EXPECT_EQ(Call(__x64_sys_gettid), current->pid);
    EXPECT_EQ(Call(__x64_sys_getppid), 0);
    task_struct* thread = kernel.Spawn("thread", [&] {
      EXPECT_EQ(Call(__x64_sys_getpid), current->pid - 1);
      EXPECT_EQ(Call(__x64_sys_gettid), current->pid);
      EXPECT_EQ(Call(__x64_sys_getppid), current->pid - 1);
    });
    thread->tgid = current->pid;
    thread->real_parent = current;
    msleep(4);
  });
}

// ---- nanosleep ----

TEST_P(Sys, NanosleepSleepsThatLongAndNotMuchLonger) {
  Run([&] {
    const ktime_t start = ktime_get();
    EXPECT_EQ(Nanosleep({0, 3 * NSEC_PER_MSEC}), 0);
    const ktime_t slept = ktime_get() - start;
    EXPECT_GE(slept, 3 * NSEC_PER_MSEC);
    EXPECT_LT(slept, 3 * NSEC_PER_MSEC + 100 * NSEC_PER_USEC);
    EXPECT_EQ(Nanosleep({0, 0}), 0);
  });
}

TEST_P(Sys, NanosleepChecksItsArguments) {
  Run([&] {
    EXPECT_EQ(Call(__x64_sys_nanosleep, kNowhere, 0), -EFAULT);
    EXPECT_EQ(Nanosleep({0, NSEC_PER_SEC}), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: tv_sec=0, tv_nsec=1000000000 is no length of time");
    EXPECT_EQ(Nanosleep({-1, 0}), -EINVAL);
    EXPECT_EQ(Nanosleep({0, -1}), -EINVAL);
  });
}

TEST_P(Sys, ASignalEndsTheSleepAndItGoesOn) {
  Run([&] {
    SignalIn(8);
    EXPECT_EQ(Nanosleep({0, 100 * NSEC_PER_MSEC}, kRemainder), -ERESTART_RESTARTBLOCK);
    EXPECT_THAT(Why(), ::testing::StartsWith("ERESTART_RESTARTBLOCK: a signal came 0."));
    const ktime_t left = timespec64_to_ktime(user.Read(kRemainder));
    EXPECT_GT(left, 80 * NSEC_PER_MSEC);
    EXPECT_LT(left, 93 * NSEC_PER_MSEC);
    EXPECT_LE(ktime_get() + left, 101 * NSEC_PER_MSEC);
    // What restart_syscall does: it sleeps up to the same end.
    clear_tsk_thread_flag(current, TIF_SIGPENDING);
    restart_block* restart = &current->restart_block;
    EXPECT_EQ(restart->fn(restart), 0);
    EXPECT_GE(ktime_get(), 100 * NSEC_PER_MSEC);
    EXPECT_LT(ktime_get(), 101 * NSEC_PER_MSEC);
  });
}

TEST_P(Sys, ASignalWithoutARemainder) {
  Run([&] {
    SignalIn(4);
    EXPECT_EQ(Nanosleep({1, 0}), -ERESTART_RESTARTBLOCK);
    EXPECT_EQ(Why(), "ERESTART_RESTARTBLOCK: a signal came before the end");
    EXPECT_EQ(current->restart_block.nanosleep.type, TT_NONE);
  });
}

TEST_P(Sys, ARemainderThatCannotBeStored) {
  Run([&] {
    SignalIn(4);
    EXPECT_EQ(Nanosleep({1, 0}, kNowhere.cast<timespec64>()), -EFAULT);
  });
}

TEST_P(Sys, NothingToRestart) {
  Run([] {
    restart_block* restart = &current->restart_block;
    EXPECT_EQ(restart->fn(restart), -EINTR);
  });
}

// ---- Clocks ----

TEST_P(Sys, ClockGettime) {
  Run([&] {
    msleep(20);
    for (int clock : {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME}) {
      const ktime_t now = ktime_get();
      const ktime_t told = timespec64_to_ktime(Gettime(clock));
      EXPECT_GE(told, now) << clock;
      EXPECT_LT(told, now + 1000) << clock;
    }
    EXPECT_EQ(Gettime(CLOCK_REALTIME).tv_sec, kWallClockStart);
    EXPECT_EQ(Gettime(CLOCK_TAI).tv_sec, kWallClockStart);
    const timespec64 coarse = Gettime(CLOCK_MONOTONIC_COARSE);
    EXPECT_EQ(timespec64_to_ktime(coarse) % TICK_NSEC, 0);
    EXPECT_GT(coarse.tv_nsec, 0);
    EXPECT_EQ(Gettime(CLOCK_REALTIME_COARSE).tv_sec, kWallClockStart);
    EXPECT_EQ(Call(__x64_sys_clock_gettime, 77, kRequest), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: clock 77 is not there");
    EXPECT_EQ(Call(__x64_sys_clock_gettime, CLOCK_MONOTONIC, kNowhere), -EFAULT);
  });
}

TEST_P(Sys, ClockGetres) {
  Run([&] {
    EXPECT_EQ(Call(__x64_sys_clock_getres, CLOCK_MONOTONIC, kRequest), 0);
    EXPECT_EQ(user.Read(kRequest), (timespec64{0, 1}));
    EXPECT_EQ(Call(__x64_sys_clock_getres, CLOCK_REALTIME_COARSE, kRequest), 0);
    EXPECT_EQ(user.Read(kRequest), (timespec64{0, 4'000'000}));
    EXPECT_EQ(Call(__x64_sys_clock_getres, CLOCK_TAI, 0), 0);  // asked whether there is one
    EXPECT_EQ(Call(__x64_sys_clock_getres, -5, 0), -EINVAL);
    EXPECT_EQ(Call(__x64_sys_clock_getres, CLOCK_MONOTONIC, kNowhere), -EFAULT);
  });
}

TEST_P(Sys, ClockNanosleepForAWhileAndUntilATime) {
  Run([&] {
    user.Write(kRequest, timespec64{0, 2 * NSEC_PER_MSEC});
    EXPECT_EQ(Call(__x64_sys_clock_nanosleep, CLOCK_BOOTTIME, 0, kRequest, 0), 0);
    EXPECT_GE(ktime_get(), 2 * NSEC_PER_MSEC);
    user.Write(kRequest, timespec64{0, 5 * NSEC_PER_MSEC});
    EXPECT_EQ(Call(__x64_sys_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, kRequest, 0), 0);
    EXPECT_GE(ktime_get(), 5 * NSEC_PER_MSEC);
    EXPECT_LT(ktime_get(), 6 * NSEC_PER_MSEC);
    for (int clock : {CLOCK_REALTIME, CLOCK_TAI}) {
      const ktime_t then = ktime_get() + 3 * NSEC_PER_MSEC;
      user.Write(kRequest, ktime_to_timespec64(then + kWallClockStart * NSEC_PER_SEC));
      EXPECT_EQ(Call(__x64_sys_clock_nanosleep, clock, TIMER_ABSTIME, kRequest, 0), 0);
      EXPECT_GE(ktime_get(), then);
      EXPECT_LT(ktime_get(), then + 100 * NSEC_PER_USEC);
      EXPECT_EQ(Call(__x64_sys_clock_nanosleep, clock, TIMER_ABSTIME, kRequest, 0), 0);  // past
    }
  });
}

TEST_P(Sys, ClockNanosleepChecksItsArguments) {
  Run([&] {
    user.Write(kRequest, timespec64{0, -1});
    EXPECT_EQ(Call(__x64_sys_clock_nanosleep, 55, 0, kRequest, 0), -EINVAL);
    EXPECT_EQ(Call(__x64_sys_clock_nanosleep, CLOCK_MONOTONIC_COARSE, 0, kNowhere, 0), -EOPNOTSUPP);
    EXPECT_EQ(Why(), "EOPNOTSUPP: nobody can sleep by clock 6");
    EXPECT_EQ(Call(__x64_sys_clock_nanosleep, CLOCK_REALTIME, 0, kNowhere, 0), -EFAULT);
    EXPECT_EQ(Call(__x64_sys_clock_nanosleep, CLOCK_REALTIME, 0, kRequest, 0), -EINVAL);
  });
}

TEST_P(Sys, AnAbsoluteSleepIsMadeAgainAsItWas) {
  Run([&] {
    SignalIn(4);
    user.Write(kRequest, timespec64{0, 900 * NSEC_PER_MSEC});
    user.Write(kRemainder, timespec64{7, 7});
    EXPECT_EQ(Call(__x64_sys_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, kRequest, kRemainder),
              -ERESTARTNOHAND);
    EXPECT_EQ(user.Read(kRemainder), (timespec64{7, 7}));
  });
}

TEST_P(Sys, TimeAndGettimeofday) {
  Run([&] {
    EXPECT_EQ(Call(__x64_sys_time, 0), kWallClockStart);
    EXPECT_EQ(Call(__x64_sys_time, kWords), kWallClockStart);
    EXPECT_EQ(user.Read(kWords), kWallClockStart);
    EXPECT_EQ(Call(__x64_sys_time, kNowhere), -EFAULT);
    msleep(20);
    user.Write(kWords + 2, int64_t{-1});
    EXPECT_EQ(Call(__x64_sys_gettimeofday, kWords, kWords + 2), 0);
    EXPECT_EQ(user.Read(kWords), kWallClockStart);
    EXPECT_NEAR(static_cast<double>(user.Read(kWords + 1)), static_cast<double>(ktime_get()) / 1000,
                2);
    EXPECT_EQ(user.Read(kWords + 2), 0);  // the time zone
    EXPECT_EQ(Call(__x64_sys_gettimeofday, 0, 0), 0);
    EXPECT_EQ(Call(__x64_sys_gettimeofday, kNowhere, 0), -EFAULT);
    EXPECT_EQ(Call(__x64_sys_gettimeofday, 0, kNowhere), -EFAULT);
  });
}

TEST_P(Sys, ItimerspecsArePairsOfTimes) {
  Run([&] {
    const auto at = kRequest.cast<itimerspec64>();
    EXPECT_EQ(put_itimerspec64({{1, 2}, {3, 4}}, at), 0);
    EXPECT_EQ(user.Read(kRequest), (timespec64{1, 2}));
    EXPECT_EQ(user.Read(kRequest + 1), (timespec64{3, 4}));
    itimerspec64 it;
    EXPECT_EQ(get_itimerspec64(&it, at), 0);
    EXPECT_EQ(it.it_value, (timespec64{3, 4}));
    // The second half lies beyond the page.
    const user_ptr<itimerspec64> end(0x10000 + kPageSize - sizeof(timespec64));
    EXPECT_EQ(put_itimerspec64({}, end), -EFAULT);
    EXPECT_EQ(get_itimerspec64(&it, end), -EFAULT);
  });
}

}  // namespace
}  // namespace kpath
