// SPDX-License-Identifier: Apache-2.0
//
// Waiting for events and signals: io_getevents that a signal ends, io_pgetevents.
#include <sys/mman.h>

#include <csignal>

#include "fs_aio/aio_test_program.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMillisecond = 1'000'000;

int64_t Pgetevents(AioProgram& p, int64_t min_nr, int64_t nr, user::Pointer<user::timespec> timeout,
                   uint64_t usig) {
  return user::Syscall(NR_io_pgetevents, p.ctx, min_nr, nr, p.events.address(), timeout.address(),
                       usig);
}

// A struct __aio_sigset in the program's memory.
uint64_t Sigset(AioProgram& p, uint64_t mask_at, uint64_t size = 8) {
  const auto words = p.arena.New<uint64_t>(2);
  words.Store(mask_at);
  (words + 1).Store(size);
  return words.address();
}
uint64_t MaskOf(AioProgram& p, user::SignalSet mask) { return p.arena.Put(mask).address(); }

TEST(IoGetevents, ASignalEndsTheWait) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    int alarms = 0;
    std::string reason;
    user::sigaction(SIGALRM, [&](const user::Signal&) {
      ++alarms;
      reason = p.Reason();
    });
    user::setitimer(2'000, 0);
    EXPECT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, {}), -EINTR);
    EXPECT_EQ(reason, "EINTR: a signal came before the first event");
    EXPECT_EQ(alarms, 1);
  });
}

TEST(IoGetevents, ItIsNotMadeAgainEvenWithSaRestart) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::sigaction(
        SIGALRM, [](const user::Signal&) {}, SA_SIGINFO | SA_RESTART);
    user::setitimer(2'000, 0);
    EXPECT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, {}), -EINTR);
  });
}

TEST(IoGetevents, EventsThatWereReadAreToldAndTheSignalIsNot) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    int alarms = 0;
    user::sigaction(SIGALRM, [&](const user::Signal&) { ++alarms; });
    ASSERT_EQ(p.Submit(p.Reads(2)), 2);
    user::setitimer(2'000, 0);
    EXPECT_EQ(user::io_getevents(p.ctx, 3, 8, p.events, {}), 2);
    EXPECT_EQ(alarms, 1);
  });
}

TEST(IoGetevents, AnIgnoredSignalDoesNotEndIt) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::IgnoreSignal(SIGALRM);
    user::setitimer(2'000, 0);
    const auto timeout = p.arena.Put(user::timespec{0, 5 * kMillisecond});
    const int64_t before = current->machine->now_ns();
    EXPECT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, timeout), 0);
    EXPECT_GE(current->machine->now_ns() - before, 5 * kMillisecond);
  });
}

// ---- io_pgetevents ----

TEST(IoPgetevents, WithoutAMaskItIsIoGetevents) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit(p.Reads(2)), 2);
    EXPECT_EQ(Pgetevents(p, 1, 1, {}, 0), 1);
    // The size of a mask that is not there does not matter.
    EXPECT_EQ(Pgetevents(p, 1, 1, {}, Sigset(p, 0, 77)), 1);
    EXPECT_EQ(Pgetevents(p, 0, 1, p.poll_once, 0), 0);
  });
}

TEST(IoPgetevents, TheChecksInTheirOrder) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const uint64_t mask = MaskOf(p, 0);
    EXPECT_EQ(Pgetevents(p, 0, 1, user::Pointer<user::timespec>(8), 16), -EFAULT);
    EXPECT_THAT(p.Reason(), HasSubstr("the timeout at 0x8 cannot be read"));
    EXPECT_EQ(Pgetevents(p, 0, 1, {}, 16), -EFAULT);
    EXPECT_THAT(p.Reason(), HasSubstr("the pointer and size of the mask at 0x10"));
    EXPECT_EQ(Pgetevents(p, 0, 1, {}, Sigset(p, 8, 4)), -EINVAL);
    EXPECT_EQ(p.Reason(), "EINVAL: sigsetsize=4 is not the size of a mask, 8");
    EXPECT_EQ(Pgetevents(p, 0, 1, {}, Sigset(p, 8)), -EFAULT);
    EXPECT_THAT(p.Reason(), HasSubstr("the mask of signals at 0x8 cannot be read"));
    p.ctx = 0x1234;
    EXPECT_EQ(Pgetevents(p, 2, 1, {}, Sigset(p, mask)), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("no context 0x1234"));
    EXPECT_EQ(user::BlockedSignals(), 0u);
  });
}

TEST(IoPgetevents, TheMaskHoldsWhileItWaits) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    int alarms = 0;
    user::sigaction(SIGALRM, [&](const user::Signal&) { ++alarms; });
    user::setitimer(1'000, 0);
    const auto timeout = p.arena.Put(user::timespec{0, 3 * kMillisecond});
    EXPECT_EQ(
        user::io_pgetevents(p.ctx, 1, 1, p.events, timeout, MaskOf(p, user::Signals({SIGALRM}))),
        0);
    // With the old mask back it is delivered, after the call.
    EXPECT_EQ(alarms, 1);
    EXPECT_EQ(user::BlockedSignals(), 0u);
  });
}

TEST(IoPgetevents, ASignalThatTheMaskLetsInEndsItAndItsHandlerRunsUnderTheMask) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::SignalSet in_handler = 0;
    user::sigaction(SIGUSR1, [&](const user::Signal&) { in_handler = user::BlockedSignals(); });
    user::sigprocmask(SIG_SETMASK, user::Signals({SIGUSR1, SIGHUP}));
    user::kill(static_cast<int>(user::getpid()), SIGUSR1);
    const uint64_t mask = MaskOf(p, user::Signals({SIGTERM}));
    EXPECT_EQ(user::io_pgetevents(p.ctx, 1, 1, p.events, {}, mask), -EINTR);
    EXPECT_EQ(in_handler, user::Signals({SIGTERM, SIGUSR1}));
    EXPECT_EQ(user::BlockedSignals(), user::Signals({SIGUSR1, SIGHUP}));
  });
}

TEST(IoPgetevents, EvenAPollIsEndedByIt) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    int handled = 0;
    user::sigaction(SIGUSR1, [&](const user::Signal&) { ++handled; });
    user::sigprocmask(SIG_SETMASK, user::Signals({SIGUSR1}));
    user::kill(static_cast<int>(user::getpid()), SIGUSR1);
    EXPECT_EQ(user::io_pgetevents(p.ctx, 0, 1, p.events, p.poll_once, MaskOf(p, 0)), -EINTR);
    EXPECT_EQ(handled, 1);
  });
}

TEST(IoPgetevents, EventsWinOverASignalWhichIsHandledAllTheSame) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    int handled = 0;
    user::sigaction(SIGUSR1, [&](const user::Signal&) { ++handled; });
    user::sigprocmask(SIG_SETMASK, user::Signals({SIGUSR1}));
    user::kill(static_cast<int>(user::getpid()), SIGUSR1);
    ASSERT_EQ(p.Submit(p.Reads(1)), 1);
    EXPECT_EQ(user::io_pgetevents(p.ctx, 1, 8, p.events, {}, MaskOf(p, 0)), 1);
    EXPECT_EQ(handled, 1);
    EXPECT_EQ(user::BlockedSignals(), user::Signals({SIGUSR1}));
  });
}

TEST(IoPgetevents, WithoutAHandlerItIsMadeAgainWithTheWholeTimeout) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    // Blocked, so that it waits though nothing is to be done about it.
    user::sigprocmask(SIG_SETMASK, user::Signals({SIGURG}));
    user::kill(static_cast<int>(user::getpid()), SIGURG);
    const auto timeout = p.arena.Put(user::timespec{0, 2 * kMillisecond});
    const int64_t before = current->machine->now_ns();
    EXPECT_EQ(user::io_pgetevents(p.ctx, 1, 1, p.events, timeout, MaskOf(p, 0)), 0);
    EXPECT_GE(current->machine->now_ns() - before, 2 * kMillisecond);
    EXPECT_EQ(user::BlockedSignals(), user::Signals({SIGURG}));
  });
}

TEST(IoPgetevents, SigkillCannotBeMasked) {
  System system;
  task_struct* task = system.Start("aio", [] {
    AioProgram p;
    ASSERT_EQ(p.Setup(8), 0);
    const int pid = static_cast<int>(user::getpid());
    user::fork(user::Program([pid] {
      user::nanosleep(kMillisecond);
      user::kill(pid, SIGKILL);
    }));
    user::io_pgetevents(p.ctx, 1, 1, p.events, {}, MaskOf(p, ~uint64_t{0}));
    ADD_FAILURE() << "returned from a deadly signal";
  });
  const int pid = task->pid;
  EXPECT_EQ(system.Run(), "");
  EXPECT_EQ(system.ExitStatus(pid), SIGKILL);
}

}  // namespace
}  // namespace kpath
