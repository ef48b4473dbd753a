// SPDX-License-Identifier: Apache-2.0
//
// Signal handlers, seen from ring 3: what they are called with, what is blocked meanwhile, what
// they come back to, what fork and exec keep.
#include "entry/signal.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "entry/signal_test_programs.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/process/exec.h"

namespace kpath {
namespace {

using ::testing::ElementsAre;

TEST(Handler, RunsOnceWithTheNumberAndTheSiginfo) {
  RunProgram([] {
    int calls = 0;
    siginfo_t info = {};
    user::sigaction(SIGUSR1, [&](const user::Signal& signal) {
      ++calls;
      EXPECT_EQ(signal.signo, SIGUSR1);
      info = signal.info.Load();
    });
    const auto pid = static_cast<int>(user::getpid());
    EXPECT_EQ(user::kill(pid, SIGUSR1), 0);  // and 0 is still in rax when the handler has run
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(info.si_signo, SIGUSR1);
    EXPECT_EQ(info.si_code, SI_USER);
    EXPECT_EQ(info.si_pid, pid);
    EXPECT_EQ(user::tgkill(pid, pid, SIGUSR1), 0);
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(info.si_code, SI_TKILL);
    user::getpid();
    EXPECT_EQ(calls, 2);
  });
}

TEST(Handler, ItsSignalAndItsMaskAreBlockedWhileItRuns) {
  RunProgram([] {
    user::SignalSet during = 0;
    user::sigaction(
        SIGUSR1, [&](const user::Signal&) { during = user::BlockedSignals(); }, SA_SIGINFO,
        user::Signals({SIGUSR2, SIGKILL}));
    Raise(SIGUSR1);
    EXPECT_EQ(during, user::Signals({SIGUSR1, SIGUSR2}));  // nobody blocks SIGKILL
    EXPECT_EQ(user::BlockedSignals(), 0u);
  });
}

TEST(Handler, OneThatIsRaisedInItsOwnHandlerComesAfterIt) {
  RunProgram([] {
    std::string order;
    int calls = 0;
    user::sigaction(SIGUSR1, [&](const user::Signal&) {
      order += "(";
      if (++calls == 1) {
        Raise(SIGUSR1);
        Raise(SIGUSR1);  // one is enough
        EXPECT_EQ(user::sigpending(), user::Signals({SIGUSR1}));
      }
      order += ")";
    });
    Raise(SIGUSR1);
    EXPECT_EQ(order, "()()");
  });
}

TEST(Handler, WithSaNodeferItIsEnteredAgain) {
  RunProgram([] {
    std::string order;
    int calls = 0;
    user::sigaction(
        SIGUSR1,
        [&](const user::Signal&) {
          order += "(";
          if (++calls < 3) Raise(SIGUSR1);
          order += ")";
        },
        SA_SIGINFO | SA_NODEFER);
    Raise(SIGUSR1);
    EXPECT_EQ(order, "((()))");
  });
}

TEST(Handler, HandlersOfDifferentSignalsNest) {
  RunProgram([] {
    std::string order;
    user::sigaction(SIGUSR2, [&](const user::Signal&) { order += "2"; });
    user::sigaction(SIGUSR1, [&](const user::Signal&) {
      order += "1(";
      Raise(SIGUSR2);
      order += ")";
    });
    Raise(SIGUSR1);
    EXPECT_EQ(order, "1(2)");
  });
}

TEST(Handler, WithSaResethandItRunsOnce) {
  EXPECT_EQ(StatusOf([] {
              user::sigaction(
                  SIGUSR1, [](const user::Signal&) {}, SA_SIGINFO | SA_RESETHAND);
              Raise(SIGUSR1);
              EXPECT_EQ(user::HandlerOf(SIGUSR1), 0);
              Raise(SIGUSR1);
              ADD_FAILURE() << "the second one is deadly";
            }),
            SIGUSR1);
}

TEST(Handler, BlockedSignalsWaitAndComeInOrderOfTheirNumbers) {
  RunProgram([] {
    std::vector<int> order;
    for (const int sig : {SIGUSR1, SIGUSR2, SIGHUP}) {
      user::sigaction(sig, [&](const user::Signal& signal) { order.push_back(signal.signo); });
    }
    const user::SignalSet all = user::Signals({SIGUSR1, SIGUSR2, SIGHUP});
    EXPECT_EQ(user::sigprocmask(SIG_BLOCK, all), 0);
    for (const int sig : {SIGUSR2, SIGUSR1, SIGHUP}) Raise(sig);
    EXPECT_TRUE(order.empty());
    EXPECT_EQ(user::sigpending(), all);
    user::sigprocmask(SIG_UNBLOCK, all);
    // Each frame is made before the handler of the one before has begun: the last one runs first.
    EXPECT_THAT(order, ElementsAre(SIGUSR2, SIGUSR1, SIGHUP));
    EXPECT_EQ(user::sigprocmask(7, all), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: how=7 is not SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK");
  });
}

TEST(Handler, QueuedSignalsKeepTheirValuesAndTheirOrder) {
  RunProgram([] {
    std::vector<int> values;
    const int sig = 40;
    user::sigaction(sig, [&](const user::Signal& signal) {
      const siginfo_t info = signal.info.Load();
      EXPECT_EQ(info.si_code, SI_QUEUE);
      values.push_back(info.si_value.sival_int);
    });
    const auto pid = static_cast<int>(user::getpid());
    user::sigprocmask(SIG_BLOCK, user::Signals({sig}));
    for (int value = 1; value <= 3; ++value) EXPECT_EQ(user::sigqueue(pid, sig, value), 0);
    user::setrlimit(RLIMIT_SIGPENDING, 3, 3);
    EXPECT_EQ(user::sigqueue(pid, sig, 4), -EAGAIN);
    user::sigprocmask(SIG_UNBLOCK, user::Signals({sig}));
    EXPECT_THAT(values, ElementsAre(1, 2, 3));
    EXPECT_EQ(user::SigqueueThread(pid, sig, 5), 0);
    EXPECT_THAT(values, ElementsAre(1, 2, 3, 5));
    EXPECT_EQ(user::SigqueueThread(pid + 1, sig, 5), -ESRCH);
    EXPECT_EQ(user::SigqueueThread(0, sig, 5), -EINVAL);
  });
}

// ---- Frames ----

TEST(Frame, HoldsTheInterruptedRegistersBelowTheRedZone) {
  RunProgram([] {
    uint64_t rsp_before = 0, frame = 0;
    ucontext uc = {};
    user::sigaction(SIGUSR1, [&](const user::Signal& signal) {
      frame = current->cpu->regs[Reg::rsp];
      EXPECT_EQ(signal.info.address(), frame + offsetof(rt_sigframe, info));
      EXPECT_EQ(signal.ucontext, frame + offsetof(rt_sigframe, uc));
      EXPECT_EQ(user::Load<uint64_t>(frame), user::kRestorer);
      uc = user::Load<ucontext>(signal.ucontext);
    });
    user::sigprocmask(SIG_BLOCK, user::Signals({SIGUSR2}));
    rsp_before = current->cpu->regs[Reg::rsp];
    Raise(SIGUSR1);
    EXPECT_EQ((frame + 8) % 16, 0u);
    EXPECT_LE(frame + sizeof(rt_sigframe), rsp_before - 128);
    EXPECT_EQ(uc.uc_mcontext.sp, rsp_before);
    EXPECT_EQ(uc.uc_mcontext.ip, user::kSyscallInstruction + user::kSyscallLength);
    EXPECT_EQ(uc.uc_mcontext.ax, 0u);  // the result of kill
    EXPECT_EQ(uc.uc_mcontext.cs, __USER_CS);
    EXPECT_EQ(uc.uc_sigmask.sig, user::Signals({SIGUSR2}));
    EXPECT_EQ(uc.uc_flags, UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS);
    EXPECT_EQ(current->cpu->regs[Reg::rsp], rsp_before);
  });
}

TEST(Frame, WhatTheHandlerChangesInItIsWhatGoesOn) {
  RunProgram([] {
    user::sigaction(SIGUSR1, [&](const user::Signal& signal) {
      auto uc = user::Load<ucontext>(signal.ucontext);
      uc.uc_mcontext.ax = 4711;
      uc.uc_sigmask.sig = user::Signals({SIGHUP, SIGKILL});
      user::Store<ucontext>(signal.ucontext, uc);
    });
    EXPECT_EQ(Raise(SIGUSR1), 4711);
    EXPECT_EQ(user::BlockedSignals(), user::Signals({SIGHUP}));
  });
}

TEST(Frame, LiesOnTheAlternateStackIfAskedTo) {
  RunProgram([] {
    user::Arena arena;
    const uint64_t stack = arena.Bytes(8192);
    std::vector<bool> inside;
    const auto note = [&](const user::Signal&) {
      const uint64_t sp = current->cpu->regs[Reg::rsp];
      inside.push_back(sp > stack && sp <= stack + 8192);
      if (inside.back()) {
        EXPECT_EQ(user::sigaltstack(0, 0, SS_DISABLE), -EPERM);
      }
    };
    user::sigaction(SIGUSR1, note, SA_SIGINFO | SA_ONSTACK);
    user::sigaction(SIGUSR2, note, SA_SIGINFO);
    EXPECT_EQ(user::sigaltstack(stack, 1000), -ENOMEM);
    EXPECT_EQ(user::sigaltstack(stack, 8192), 0);
    Raise(SIGUSR1);
    Raise(SIGUSR2);
    EXPECT_EQ(user::sigaltstack(0, 0, SS_DISABLE), 0);
    Raise(SIGUSR1);
    EXPECT_THAT(inside, ElementsAre(true, false, false));
  });
}

TEST(Frame, WhereThereIsNoPlaceForItTheProcessIsKilled) {
  EXPECT_EQ(StatusOf([] {
              user::sigaction(SIGUSR1, [](const user::Signal&) { ADD_FAILURE(); });
              user::sigaction(SIGSEGV, [](const user::Signal&) { ADD_FAILURE(); });
              current->cpu->regs[Reg::rsp] = 0x1000;  // nothing is mapped there
              user::Syscall(NR_tkill, user::Syscall(NR_gettid), SIGUSR1);
              ADD_FAILURE() << "it lives";
            }),
            SIGSEGV);
}

// ---- Faults ----

TEST(Fault, TellsTheHandlerWhereAndWhy) {
  RunProgram([] {
    const int64_t page = user::mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::vector<std::string> told;
    user::sigaction(SIGSEGV, [&](const user::Signal& signal) {
      const siginfo_t info = signal.info.Load();
      const auto uc = user::Load<ucontext>(signal.ucontext);
      told.push_back(absl::StrCat(info.si_code == SEGV_ACCERR ? "ACCERR " : "MAPERR ",
                                  reinterpret_cast<int64_t>(info.si_addr) - page));
      EXPECT_EQ(uc.uc_mcontext.cr2, static_cast<uint64_t>(page) + 8);
      EXPECT_EQ(uc.uc_mcontext.trapno, 14u);
      EXPECT_EQ(uc.uc_mcontext.err & 2, 2u);  // a store
      user::mprotect(page, 4096, PROT_READ | PROT_WRITE);
    });
    user::Store<int>(page + 8, 5);
    EXPECT_EQ(user::Load<int>(page + 8), 5);  // the store was made again
    EXPECT_THAT(told, ElementsAre("ACCERR 8"));
  });
}

TEST(Fault, WhoBlocksOrIgnoresItIsKilled) {
  EXPECT_EQ(StatusOf([] {
              user::sigaction(SIGSEGV, [](const user::Signal&) { ADD_FAILURE(); });
              user::sigprocmask(SIG_BLOCK, user::Signals({SIGSEGV}));
              user::Load<int>(0x1000);
            }),
            SIGSEGV);
  EXPECT_EQ(StatusOf([] {
              user::IgnoreSignal(SIGSEGV);
              user::Load<int>(0x1000);
            }),
            SIGSEGV);
}

TEST(Fault, ComesBeforeOtherSignals) {
  RunProgram([] {
    std::vector<int> order;
    user::sigaction(SIGSEGV, [&](const user::Signal& s) { order.push_back(s.signo); });
    user::sigaction(SIGHUP, [&](const user::Signal& s) { order.push_back(s.signo); });
    user::sigprocmask(SIG_BLOCK, user::Signals({SIGSEGV, SIGHUP}));
    Raise(SIGHUP);
    Raise(SIGSEGV);
    user::sigprocmask(SIG_SETMASK, 0);
    // SIGSEGV is taken first, so that its frame is the lower one: SIGHUP's handler runs on top.
    EXPECT_THAT(order, ElementsAre(SIGHUP, SIGSEGV));
  });
}

// ---- fork and exec ----

TEST(Dispositions, AreInheritedByAForkAndForgottenByAnExec) {
  RunProgram([] {
    int in_child = 0;
    user::sigaction(SIGUSR1, [&](const user::Signal&) { ++in_child; });
    user::IgnoreSignal(SIGUSR2);
    user::sigprocmask(SIG_BLOCK, user::Signals({SIGHUP}));
    Raise(SIGHUP);
    const int64_t pid = user::fork([&] {
      EXPECT_EQ(user::BlockedSignals(), user::Signals({SIGHUP}));
      EXPECT_EQ(user::sigpending(), 0u);  // those are the parent's
      Raise(SIGUSR1);
      Raise(SIGUSR2);
      EXPECT_EQ(in_child, 1);
      RequestExec(current, {.comm = "new"});
      user::getpid();
      EXPECT_EQ(user::HandlerOf(SIGUSR1), 0);
      EXPECT_EQ(user::HandlerOf(SIGUSR2), 1);
      EXPECT_EQ(user::BlockedSignals(), user::Signals({SIGHUP}));
    });
    EXPECT_EQ(WaitFor(pid), 0);
    EXPECT_GT(user::HandlerOf(SIGUSR1), 1);
    user::IgnoreSignal(SIGHUP);  // drops what waits
    EXPECT_EQ(user::sigpending(), 0u);
  });
}

TEST(Dispositions, AreOneForAllThreads) {
  RunProgram([] {
    int calls = 0;
    user::clone(kThread, 0, 0, 0, [&] {
      user::sigaction(SIGUSR1, [&](const user::Signal&) { ++calls; });
      user::exit(0);
    });
    user::nanosleep(1'000'000);
    Raise(SIGUSR1);
    EXPECT_EQ(calls, 1);
  });
}

TEST(Sigaction, RefusesWhatCannotBeCaught) {
  RunProgram([] {
    EXPECT_EQ(user::IgnoreSignal(SIGKILL), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: SIGKILL and SIGSTOP cannot be caught");
    EXPECT_EQ(user::IgnoreSignal(65), -EINVAL);
    EXPECT_EQ(user::IgnoreSignal(0), -EINVAL);
    EXPECT_EQ(user::HandlerOf(SIGKILL), 0);
    EXPECT_EQ(user::Syscall(NR_rt_sigaction, SIGUSR1, 0, 0, 4), -EINVAL);
    EXPECT_EQ(user::Syscall(NR_rt_sigaction, SIGUSR1, 0x1000, 0, 8), -EFAULT);
  });
}

}  // namespace
}  // namespace kpath
