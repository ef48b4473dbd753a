// SPDX-License-Identifier: Apache-2.0
//
// Signals that end a wait, seen from ring 3: which calls are made again, which fail, who is woken,
// who is killed; timers; limits that raise signals.
#include <fcntl.h>
#include <sys/mman.h>

#include <csignal>
#include <string>
#include <vector>

#include "entry/signal_test_programs.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/completion.h"
#include "syscall_table/sys_call_table.h"

namespace kpath {
namespace {

using ::testing::ElementsAre;

constexpr int kThousandHours = 3'600'000;

// ---- Restarts ----

TEST(Interrupted, AReadFailsWithoutSaRestart) {
  RunProgram([] {
    int calls = 0;
    user::sigaction(SIGUSR1, [&](const user::Signal&) { ++calls; });
    const Pipe pipe;
    user::Arena arena;
    SignalLater(SIGUSR1);
    EXPECT_EQ(user::read(pipe.reader, arena.Bytes(8), 8), -EINTR);
    EXPECT_EQ(calls, 1);
  });
}

TEST(Interrupted, AReadIsMadeAgainWithSaRestart) {
  RunProgram([] {
    int calls = 0;
    user::sigaction(
        SIGUSR1, [&](const user::Signal&) { ++calls; }, SA_SIGINFO | SA_RESTART);
    const Pipe pipe;
    SignalLater(SIGUSR1);
    Later([&] { user::write(pipe.writer, "late"); }, 2 * kMillisecond);
    EXPECT_EQ(user::read(pipe.reader, 8), "late");
    EXPECT_EQ(calls, 1);
  });
}

TEST(Interrupted, AnIgnoredSignalDoesNotWakeAnybody) {
  RunProgram([] {
    user::IgnoreSignal(SIGUSR1);
    const Pipe pipe;
    SignalLater(SIGUSR1);
    SignalLater(SIGCHLD);  // ignored by default
    Later([&] { user::write(pipe.writer, "late"); }, 2 * kMillisecond);
    EXPECT_EQ(user::read(pipe.reader, 8), "late");
  });
}

TEST(Interrupted, PauseFailsWhenAHandlerHasRun) {
  RunProgram([] {
    int calls = 0;
    user::sigaction(
        SIGUSR1, [&](const user::Signal&) { ++calls; }, SA_RESTART);
    SignalLater(SIGUSR1);
    EXPECT_EQ(user::pause(), -EINTR);
    EXPECT_EQ(calls, 1);
  });
}

TEST(Interrupted, ASleepGoesOnBehindASignalWithoutAHandler) {
  RunProgram([] {
    SignalLater(SIGTSTP);
    const auto pid = static_cast<int>(user::getpid());
    Later([pid] { user::kill(pid, SIGCONT); }, 2 * kMillisecond);
    const int64_t begin = current->machine->now_ns();
    EXPECT_EQ(user::nanosleep(10 * kMillisecond), 0);
    const int64_t slept = current->machine->now_ns() - begin;
    EXPECT_GE(slept, 10 * kMillisecond);
    EXPECT_LT(slept, 11 * kMillisecond);
  });
}

TEST(Interrupted, ASleepFailsWithAHandler) {
  RunProgram([] {
    user::sigaction(
        SIGUSR1, [](const user::Signal&) {}, SA_SIGINFO | SA_RESTART);
    SignalLater(SIGUSR1);
    EXPECT_EQ(user::nanosleep(10 * kMillisecond), -EINTR);
    EXPECT_EQ(user::Syscall(NR_restart_syscall), -EINTR);
  });
}

// ---- Asynchronous I/O ----

struct Aio {
  explicit Aio(user::Arena* arena)
      : ctx(arena->New<user::io_context_t>()), events(arena->New<user::io_event>(4)) {
    EXPECT_EQ(user::io_setup(4, ctx), 0);
  }
  user::Pointer<user::io_context_t> ctx;
  user::Pointer<user::io_event> events;
};

TEST(IoGetevents, FailsIfAHandlerRanBeforeTheFirstEvent) {
  RunProgram([] {
    int calls = 0;
    user::sigaction(
        SIGUSR1, [&](const user::Signal&) { ++calls; }, SA_SIGINFO | SA_RESTART);
    user::Arena arena;
    const Aio aio(&arena);
    SignalLater(SIGUSR1);
    EXPECT_EQ(user::io_getevents(aio.ctx.Load(), 1, 4, aio.events, {}), -EINTR);
    EXPECT_EQ(calls, 1);
  });
}

TEST(IoGetevents, KeepsThePartialCount) {
  RunProgram([] {
    int calls = 0;
    user::sigaction(SIGUSR1, [&](const user::Signal&) { ++calls; });
    user::Arena arena;
    const Aio aio(&arena);
    const auto fd = static_cast<int>(user::open("/tmp/x", O_RDWR | O_CREAT, 0600));
    const auto cb = arena.Put(user::PwriteIocb(fd, arena.Bytes(512), 512, 0));
    EXPECT_EQ(user::io_submit(aio.ctx.Load(), 1, arena.Put(cb)), 1);
    SignalLater(SIGUSR1);
    EXPECT_EQ(user::io_getevents(aio.ctx.Load(), 2, 4, aio.events, {}), 1);
    EXPECT_EQ(calls, 1);
  });
}

// ---- Masks that last as long as a call ----

TEST(Sigsuspend, RunsTheHandlerUnderItsMaskAndRestoresTheOldOne) {
  RunProgram([] {
    user::SignalSet during = 0;
    user::sigaction(SIGUSR1, [&](const user::Signal&) { during = user::BlockedSignals(); });
    const user::SignalSet old = user::Signals({SIGUSR1, SIGUSR2});
    user::sigprocmask(SIG_SETMASK, old);
    SignalLater(SIGUSR1);
    EXPECT_EQ(user::sigsuspend(user::Signals({SIGHUP})), -EINTR);
    EXPECT_EQ(during, user::Signals({SIGHUP, SIGUSR1}));
    EXPECT_EQ(user::BlockedSignals(), old);
  });
}

TEST(Sigtimedwait, TakesABlockedSignalWithoutAHandler) {
  RunProgram([] {
    user::sigaction(SIGUSR1, [](const user::Signal&) { ADD_FAILURE(); });
    const user::SignalSet set = user::Signals({SIGUSR1});
    user::sigprocmask(SIG_BLOCK, set);
    siginfo_t info = {};
    EXPECT_EQ(user::sigtimedwait(set, &info, 0), -EAGAIN);
    EXPECT_EQ(user::sigtimedwait(set, &info, kMillisecond / 2), -EAGAIN);
    const int64_t sender = SignalLater(SIGUSR1);
    EXPECT_EQ(user::sigtimedwait(set, &info, -1), SIGUSR1);
    EXPECT_EQ(info.si_pid, sender);
    EXPECT_EQ(user::BlockedSignals(), set);
    user::sigaction(SIGUSR2, [](const user::Signal&) {});
    SignalLater(SIGUSR2);
    EXPECT_EQ(user::sigtimedwait(set, &info, -1), -EINTR);
  });
}

// ---- Killing ----

TEST(Kill, ADefaultActionEndsAllThreads) {
  EXPECT_EQ(StatusOf([] {
              user::clone(kThread, 0, 0, 0, [] { user::nanosleep(kThousandHours * kMillisecond); });
              SignalLater(SIGTERM);
              user::pause();
              ADD_FAILURE() << "it lives";
            }),
            SIGTERM);
}

TEST(Kill, AThreadThatDoesNotBlockTheSignalGetsIt) {
  RunProgram([] {
    int64_t got = 0;
    user::sigaction(SIGUSR1, [&](const user::Signal&) { got = user::gettid(); });
    const int64_t thread = user::clone(kThread, 0, 0, 0, [] {
      user::pause();
      user::exit(0);
    });
    user::nanosleep(kMillisecond);
    user::sigprocmask(SIG_BLOCK, user::Signals({SIGUSR1}));
    Raise(SIGUSR1);
    user::nanosleep(kMillisecond);
    EXPECT_EQ(got, thread);
  });
}

TEST(Kill, WhoUnblocksItNoMoreHandsItOn) {
  RunProgram([] {
    int64_t got = 0;
    user::sigaction(SIGUSR1, [&](const user::Signal&) { got = user::gettid(); });
    user::sigprocmask(SIG_BLOCK, user::Signals({SIGUSR1}));
    Raise(SIGUSR1);
    EXPECT_EQ(user::sigpending(), user::Signals({SIGUSR1}));
    const int64_t thread = user::clone(kThread, 0, 0, 0, [] {
      user::sigprocmask(SIG_UNBLOCK, user::Signals({SIGUSR1}));
      user::exit(0);
    });
    user::nanosleep(kMillisecond);
    EXPECT_EQ(got, thread);
  });
}

TEST(Kill, SigkillEndsAnInterruptibleWait) {
  RunProgram([] {
    const int64_t child = user::fork([] {
      user::sigprocmask(SIG_SETMASK, ~user::SignalSet{0});
      user::pause();
    });
    user::nanosleep(kMillisecond);
    user::kill(static_cast<int>(child), SIGTERM);  // blocked
    EXPECT_EQ(user::wait4(static_cast<int>(child), 0, WNOHANG), 0);
    user::kill(static_cast<int>(child), SIGKILL);
    EXPECT_EQ(WaitFor(child), SIGKILL);
  });
}

completion* g_completion;

// A call that waits for g_completion, whatever comes.
long __x64_sys_uninterruptible(const pt_regs*) {
  FUNCTION();
  wait_for_completion(g_completion);
  return fn.Return(0L);
}

long __x64_sys_complete(const pt_regs*) {
  FUNCTION();
  complete(g_completion);
  return fn.Return(0L);
}

TEST(Kill, SigkillWaitsForAnUninterruptibleWait) {
  System system;
  SysCallTable& table = sys_call_table.Get(system.machine());
  table.Set(600, {__x64_sys_uninterruptible, "uninterruptible", Fidelity::kFull});
  table.Set(601, {__x64_sys_complete, "complete", Fidelity::kFull});
  completion done;
  g_completion = &done;
  system.Start("prog", [&] {
    init_completion(&done);
    const int64_t child = user::fork([] {
      user::Syscall(600);
      ADD_FAILURE() << "it lives";
    });
    user::nanosleep(kMillisecond);
    user::kill(static_cast<int>(child), SIGKILL);
    user::nanosleep(kMillisecond);
    EXPECT_EQ(user::wait4(static_cast<int>(child), 0, WNOHANG), 0);
    user::Syscall(601);
    EXPECT_EQ(WaitFor(child), SIGKILL);
  });
  EXPECT_EQ(system.Run(), "");
}

TEST(Kill, ReachesGroupsAndEverybodyElse) {
  RunProgram([] {
    std::vector<int64_t> children;
    for (int i = 0; i < 2; ++i) children.push_back(user::fork([] { user::pause(); }));
    user::nanosleep(kMillisecond);
    user::IgnoreSignal(SIGTERM);
    EXPECT_EQ(user::kill(0, SIGTERM), 0);
    for (const int64_t child : children) EXPECT_EQ(WaitFor(child), SIGTERM);
    EXPECT_EQ(user::kill(-1, SIGTERM), -ESRCH);
    const int64_t child = user::fork([] { user::pause(); });
    user::nanosleep(kMillisecond);
    EXPECT_EQ(user::kill(-1, SIGHUP), 0);
    EXPECT_EQ(WaitFor(child), SIGHUP);
  });
}

TEST(Kill, RefusesWhatIsNotThere) {
  RunProgram([] {
    EXPECT_EQ(user::kill(9999, SIGTERM), -ESRCH);
    EXPECT_EQ(Why(), "ESRCH: there is no process 9999");
    EXPECT_EQ(user::kill(-9999, SIGTERM), -ESRCH);
    EXPECT_EQ(user::kill(INT32_MIN, SIGTERM), -ESRCH);
    EXPECT_EQ(Raise(65), -EINVAL);
    EXPECT_EQ(Raise(0), 0);
    EXPECT_EQ(user::tkill(0, SIGTERM), -EINVAL);
    EXPECT_EQ(user::tkill(9999, SIGTERM), -ESRCH);
    const auto pid = static_cast<int>(user::getpid());
    EXPECT_EQ(user::tgkill(pid + 1, pid, SIGTERM), -ESRCH);
    EXPECT_EQ(Why(), "ESRCH: process 2 has no thread 1");
  });
}

// ---- Children ----

TEST(Sigchld, TellsTheParentHowAChildEnded) {
  RunProgram([] {
    std::vector<siginfo_t> told;
    user::sigaction(SIGCHLD,
                    [&](const user::Signal& signal) { told.push_back(signal.info.Load()); });
    const int64_t exits = user::fork([] { user::exit_group(3); });
    EXPECT_EQ(user::pause(), -EINTR);
    const int64_t killed = user::fork([] { Raise(SIGTERM); });
    EXPECT_EQ(user::pause(), -EINTR);
    ASSERT_EQ(told.size(), 2u);
    EXPECT_EQ(told[0].si_code, CLD_EXITED);
    EXPECT_EQ(told[0].si_status, 3);
    EXPECT_EQ(told[0].si_pid, exits);
    EXPECT_EQ(told[1].si_code, CLD_KILLED);
    EXPECT_EQ(told[1].si_status, SIGTERM);
    EXPECT_EQ(WaitFor(exits), 3 << 8);
    EXPECT_EQ(WaitFor(killed), SIGTERM);
  });
}

TEST(Sigchld, WhoIgnoresItHasNoZombies) {
  RunProgram([] {
    user::IgnoreSignal(SIGCHLD);
    user::fork([] {});
    EXPECT_EQ(user::wait4(-1, 0, 0), -ECHILD);
    user::sigaction(
        SIGCHLD, [](const user::Signal&) {}, SA_SIGINFO | SA_NOCLDWAIT);
    user::fork([] {});
    EXPECT_EQ(user::pause(), -EINTR);
    EXPECT_EQ(user::wait4(-1, 0, 0), -ECHILD);
  });
}

// ---- Timers ----

TEST(Alarm, InterruptsAWait) {
  RunProgram([] {
    siginfo_t info = {};
    user::sigaction(SIGALRM, [&](const user::Signal& signal) { info = signal.info.Load(); });
    EXPECT_EQ(user::alarm(1), 0);
    const Pipe pipe;
    user::Arena arena;
    EXPECT_EQ(user::read(pipe.reader, arena.Bytes(8), 8), -EINTR);
    EXPECT_EQ(info.si_signo, SIGALRM);
    EXPECT_EQ(info.si_code, SI_KERNEL);
    EXPECT_EQ(user::alarm(0), 0);
  });
}

TEST(Alarm, TellsWhatIsLeftAndIsNotInherited) {
  RunProgram([] {
    EXPECT_EQ(user::alarm(30), 0);
    EXPECT_EQ(user::alarm(20), 30);
    EXPECT_EQ(WaitFor(user::fork([] { EXPECT_EQ(user::alarm(0), 0); })), 0);
    EXPECT_EQ(user::alarm(0), 20);
    EXPECT_EQ(user::alarm(0), 0);
  });
}

TEST(Alarm, IsDeadlyWithoutAHandler) {
  EXPECT_EQ(StatusOf([] {
              user::alarm(1);
              user::pause();
            }),
            SIGALRM);
}

TEST(Alarm, ReachesAProgramThatComputes) {
  RunProgram([] {
    user::Arena arena;
    const auto word = arena.Put(1);
    bool rang = false;
    user::sigaction(SIGALRM, [&](const user::Signal&) { rang = true; });
    user::setitimer(50, 0);
    int64_t loads = 0;
    while (!rang && ++loads < 100'000) word.Load();
    EXPECT_TRUE(rang);
    EXPECT_GT(loads, 100);
  });
}

TEST(Itimer, RingsAtEachInterval) {
  RunProgram([] {
    std::vector<int64_t> times;
    user::sigaction(SIGALRM,
                    [&](const user::Signal&) { times.push_back(current->machine->now_ns()); });
    const int64_t begin = current->machine->now_ns();
    EXPECT_EQ(user::setitimer(2000, 5000), 0);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(user::pause(), -EINTR);
    EXPECT_GT(user::getitimer(), 4000);
    EXPECT_EQ(user::setitimer(0, 0), 0);
    EXPECT_EQ(user::getitimer(), 0);
    std::vector<int64_t> milliseconds;
    for (const int64_t time : times) milliseconds.push_back((time - begin) / kMillisecond);
    EXPECT_THAT(milliseconds, ElementsAre(2, 7, 12));
    EXPECT_EQ(user::setitimer(-1, 0), -EINVAL);
  });
}

// ---- Signals that the kernel raises in a call ----

TEST(Sigpipe, ComesWithTheErrorOfAWriteWithoutReaders) {
  RunProgram([] {
    int calls = 0;
    user::sigaction(SIGPIPE, [&](const user::Signal&) { ++calls; });
    const Pipe pipe;
    user::close(pipe.reader);
    EXPECT_EQ(user::write(pipe.writer, "x"), -EPIPE);
    EXPECT_EQ(calls, 1);
  });
  EXPECT_EQ(StatusOf([] {
              const Pipe pipe;
              user::close(pipe.reader);
              user::write(pipe.writer, "x");
            }),
            SIGPIPE);
}

TEST(Limits, AFileEndsAtRlimitFsize) {
  RunProgram([] {
    int calls = 0;
    user::sigaction(SIGXFSZ, [&](const user::Signal&) { ++calls; });
    EXPECT_EQ(user::setrlimit(RLIMIT_FSIZE, 4, 100), 0);
    EXPECT_EQ(user::getrlimit(RLIMIT_FSIZE), 4u);
    const auto fd = static_cast<int>(user::open("/tmp/x", O_RDWR | O_CREAT, 0600));
    EXPECT_EQ(user::write(fd, "seven.."), 4);
    EXPECT_EQ(calls, 0);
    EXPECT_EQ(user::write(fd, "x"), -EFBIG);
    EXPECT_EQ(Why(), "EFBIG: position 4 is not below RLIMIT_FSIZE of 4 bytes");
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(user::ftruncate(fd, 5), -EFBIG);
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(WaitFor(user::fork([&] { EXPECT_EQ(user::write(fd, "x"), -EFBIG); })), 0);
  });
}

TEST(Limits, DescriptorsAndWhatSetrlimitRefuses) {
  RunProgram([] {
    EXPECT_EQ(user::getrlimit(RLIMIT_NOFILE), 1024u);
    EXPECT_EQ(user::setrlimit(RLIMIT_NOFILE, 2, 10), 0);
    EXPECT_EQ(user::eventfd(0, 0), 0);
    EXPECT_EQ(user::eventfd(0, 0), 1);
    EXPECT_EQ(user::eventfd(0, 0), -EMFILE);
    EXPECT_EQ(user::setrlimit(RLIMIT_NOFILE, 11, 10), -EINVAL);
    EXPECT_EQ(user::setrlimit(RLIMIT_NOFILE, 10, 10'000'000), -EPERM);
    EXPECT_EQ(user::setrlimit(16, 1, 1), -EINVAL);
    EXPECT_EQ(user::Syscall(NR_prlimit64, 9999, int{RLIMIT_NOFILE}, 0, 0), -ESRCH);
    EXPECT_EQ(user::Syscall(NR_prlimit64, 0, int{RLIMIT_NOFILE}, 0, 0x1000), -EFAULT);
  });
}

// The same with other turns of the CPUs.
TEST(Races, HoldWhateverTheOrder) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const SystemOptions options = {.cpus = 2, .seed = seed};
    RunProgram(
        [] {
          int calls = 0;
          const auto count = [&](const user::Signal&) { ++calls; };
          user::sigaction(SIGUSR1, count, SA_SIGINFO | SA_RESTART);
          const auto pid = static_cast<int>(user::getpid());
          std::vector<int64_t> children;
          for (int i = 0; i < 3; ++i) {
            children.push_back(user::fork([pid] {
              for (int n = 0; n < 3; ++n) user::kill(pid, SIGUSR1);
            }));
          }
          for (const int64_t child : children) EXPECT_EQ(WaitFor(child), 0);
          EXPECT_GE(calls, 1);
          EXPECT_LE(calls, 9);
        },
        options);
  }
}

}  // namespace
}  // namespace kpath
