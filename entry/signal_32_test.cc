// SPDX-License-Identifier: Apache-2.0
//
// Handlers of 32-bit programs and of x32 programs: the frames that they get, the way back, and
// interrupted calls.
#include <cerrno>
#include <cstring>
#include <vector>

#include "entry/ia32_signal.h"
#include "entry/signal.h"
#include "entry/signal_test_programs.h"
#include "gmock/gmock.h"
#include "syscall_table/numbers_64.h"

namespace kpath {
namespace {

using testing::ElementsAre;
using user::Signal32;

constexpr uint32_t kGetpid = 20, kKill = 37, kRead = 3, kNanosleep = 162, kPause = 29;
constexpr uint64_t kX32 = 0x40000000;

uint32_t Pid() { return static_cast<uint32_t>(user::getpid()); }

// A compat_timespec of so many nanoseconds, where 32-bit code can name it.
uint32_t Timespec32(uint32_t ns) {
  const uint32_t address = user::Stack32().top() - 64;
  user::Store<uint32_t>(address, 0);
  user::Store<uint32_t>(address + 4, ns);
  return address;
}

TEST(Handler32, RunsAs32BitCodeOnItsFrameAndReturns) {
  RunProgram([] {
    const user::Stack32 stack;
    const uint32_t pid = Pid();
    std::vector<int> seen;
    EXPECT_EQ(user::Sigaction32(SIGUSR1,
                                [&](const Signal32& signal) {
                                  const Registers& regs = current_context->cpu->regs;
                                  EXPECT_EQ(regs.cs, __USER32_CS);
                                  EXPECT_EQ((regs[Reg::rsp] + 4) % 16, 0u);
                                  EXPECT_LT(regs[Reg::rsp], stack.top());
                                  const auto info = user::Load<compat_siginfo_t>(signal.info);
                                  EXPECT_EQ(info.si_signo, SIGUSR1);
                                  EXPECT_EQ(info.fields[0], static_cast<int>(pid)) << "si_pid";
                                  seen.push_back(signal.signo);
                                }),
              0)
        << Why();
    EXPECT_EQ(user::Int80(stack, kKill, {Pid(), SIGUSR1}), 0);
    EXPECT_THAT(seen, ElementsAre(SIGUSR1));
    EXPECT_EQ(user::Int80(stack, kGetpid), Pid()) << "and all is as it was";
  });
}

TEST(Handler32, TheFrameHoldsTheInterruptedRegisters) {
  RunProgram([] {
    const user::Stack32 stack;
    user::Sigaction32(SIGUSR1, [&](const Signal32& signal) {
      const auto uc = user::Load<ucontext_ia32>(signal.ucontext);
      EXPECT_EQ(uc.uc_mcontext.ax, 0u) << "the result of kill";
      EXPECT_EQ(uc.uc_mcontext.cx, uint32_t{SIGUSR1});
      EXPECT_EQ(uc.uc_mcontext.si, 77u);
      EXPECT_EQ(uc.uc_mcontext.sp, stack.top());
      EXPECT_EQ(uc.uc_mcontext.cs, __USER32_CS);
      EXPECT_EQ(uc.uc_mcontext.ip, user::kInt80LandingPad);
      // What is changed here is what goes on.
      user::Store<uint32_t>(
          signal.ucontext + offsetof(ucontext_ia32, uc_mcontext) + offsetof(sigcontext_32, ax),
          123);
    });
    EXPECT_EQ(user::Int80(stack, kKill, {Pid(), SIGUSR1, 0, 77}), 123);
  });
}

TEST(Handler32, WithoutSiginfoTheFrameIsTheOldOne) {
  RunProgram([] {
    const user::Stack32 stack;
    int signo = 0;
    user::Sigaction32(
        SIGUSR1,
        [&](const Signal32& signal) {
          signo = signal.signo;
          EXPECT_EQ(signal.info, 0u);
          const auto frame = user::Load<sigframe_ia32>(current_context->cpu->regs[Reg::rsp]);
          EXPECT_EQ(frame.sig, SIGUSR1);
          EXPECT_EQ(frame.pretcode, user::kVdsoSigreturn);
          EXPECT_EQ(frame.sc.sp, stack.top());
          const uint8_t retcode[] = {0x58, 0xb8, 0x77, 0, 0, 0, 0xcd, 0x80};
          EXPECT_EQ(std::memcmp(frame.retcode, retcode, sizeof(retcode)), 0);
        },
        0);
    EXPECT_EQ(user::Int80(stack, kKill, {Pid(), SIGUSR1}), 0);
    EXPECT_EQ(signo, SIGUSR1);
    EXPECT_EQ(user::BlockedSignals(), 0u) << "the mask is restored";
  });
}

TEST(Handler32, ItsFramesAreOfTheCodeThatSetItAndTheFlagIsHidden) {
  RunProgram([] {
    int calls = 0;
    user::sigaction(SIGUSR1, [&](const user::Signal& signal) {
      EXPECT_EQ(current_context->cpu->regs.cs, __USER_CS);
      EXPECT_EQ(signal.info.Load().si_signo, SIGUSR1);
      ++calls;
    });
    const user::Stack32 stack;
    EXPECT_EQ(user::Int80(stack, kKill, {Pid(), SIGUSR1}), 0) << "a handler of 64-bit code";
    EXPECT_EQ(calls, 1);
    const uint32_t old = stack.top() - 64;
    user::Sigaction32(SIGUSR1, [](const Signal32&) {});
    EXPECT_EQ(user::Int80(174, {SIGUSR1, 0, old, 8}), 0);
    EXPECT_EQ(user::Load<uint32_t>(old + 4) & (SA_IA32_ABI | SA_X32_ABI), 0u);
    EXPECT_EQ(user::Int80(174, {SIGUSR1, 0, old, 4}), -EINVAL);
  });
}

// Each way in of 32-bit code, for calls that a signal interrupts.
using Way = int64_t (*)(const user::Stack32&, uint32_t, const user::Arguments32&);
constexpr Way kWays[] = {user::Int80, user::Sysenter, user::Syscall32};

TEST(Restart32, AReadIsMadeAgainBehindAHandlerOrFails) {
  for (const Way way : kWays) {
    for (const bool restart : {true, false}) {
      RunProgram([way, restart] {
        Pipe pipe;
        const user::Stack32 stack;
        const uint32_t buffer = stack.top() - 256;
        int handled = 0;
        user::Sigaction32(
            SIGUSR1, [&](const Signal32&) { ++handled; }, SA_SIGINFO | (restart ? SA_RESTART : 0));
        SignalLater(SIGUSR1);
        Later([&] { user::write(pipe.writer, "x"); }, 5 * kMillisecond);
        EXPECT_EQ(way(stack, kRead, {static_cast<uint32_t>(pipe.reader), buffer, 1}),
                  restart ? 1 : -EINTR);
        EXPECT_EQ(handled, 1);
        user::nanosleep(10 * kMillisecond);
      });
    }
  }
}

TEST(Restart32, WithoutAHandlerACallGoesOn) {
  for (const Way way : kWays) {
    RunProgram([way] {
      Pipe pipe;
      const user::Stack32 stack;
      const auto pid = static_cast<int>(user::getpid());
      SignalLater(SIGSTOP);
      Later([pid] { user::kill(pid, SIGCONT); }, 2 * kMillisecond);
      Later([&] { user::write(pipe.writer, "x"); }, 5 * kMillisecond);
      const uint32_t buffer = stack.top() - 256;
      EXPECT_EQ(way(stack, kRead, {static_cast<uint32_t>(pipe.reader), buffer, 1}), 1);
      user::nanosleep(10 * kMillisecond);
    });
  }
}

TEST(Restart32, PauseEndsWithEintr) {
  RunProgram([] {
    const user::Stack32 stack;
    user::Sigaction32(
        SIGUSR1, [](const Signal32&) {}, SA_SIGINFO | SA_RESTART);
    SignalLater(SIGUSR1);
    EXPECT_EQ(user::Int80(stack, kPause), -EINTR);
  });
}

TEST(Restart32, ASleepGoesOnByRestartSyscallOfItsOwnNumber) {
  RunProgram([] {
    const user::Stack32 stack;
    const auto pid = static_cast<int>(user::getpid());
    const uint32_t request = Timespec32(10 * kMillisecond);
    SignalLater(SIGSTOP);
    Later([pid] { user::kill(pid, SIGCONT); }, 2 * kMillisecond);
    const int64_t begin = current->machine->now_ns();
    EXPECT_EQ(user::Int80(stack, kNanosleep, {request}), 0) << Why();
    const int64_t slept = current->machine->now_ns() - begin;
    EXPECT_GE(slept, 10 * kMillisecond);
    EXPECT_LT(slept, 11 * kMillisecond);
  });
}

TEST(Restart32, WhatIsLeftOfASleepHas32Bits) {
  RunProgram([] {
    const user::Stack32 stack;
    user::Sigaction32(SIGUSR1, [](const Signal32&) {});
    const uint32_t times = Timespec32(10 * kMillisecond);
    SignalLater(SIGUSR1);
    EXPECT_EQ(user::Int80(stack, kNanosleep, {times, times + 8}), -EINTR);
    EXPECT_EQ(user::Load<uint32_t>(times + 8), 0u);
    EXPECT_NEAR(user::Load<uint32_t>(times + 12), 9 * kMillisecond, kMillisecond / 2);
    EXPECT_EQ(user::Load<uint32_t>(times + 16), 0u) << "not a word more";
  });
}

TEST(HandlerX32, FindsTheSmallSiginfoAndComesBackByItsOwnCall) {
  RunProgram([] {
    std::vector<int> seen;
    EXPECT_EQ(user::SigactionX32(SIGUSR1,
                                 [&](const Signal32& signal) {
                                   const Registers& regs = current_context->cpu->regs;
                                   EXPECT_EQ(regs.cs, __USER_CS);
                                   EXPECT_EQ((regs[Reg::rsp] + 8) % 16, 0u);
                                   // A frame of x32 lies anywhere: the registers have all of it.
                                   const auto info = user::Load<compat_siginfo_t>(regs[Reg::rsi]);
                                   EXPECT_EQ(info.si_signo, SIGUSR1);
                                   const auto uc = user::Load<ucontext_x32>(regs[Reg::rdx]);
                                   EXPECT_EQ(uc.uc_mcontext.ip,
                                             user::kSyscallInstruction + user::kSyscallLength);
                                   seen.push_back(signal.signo);
                                 }),
              0);
    EXPECT_EQ(user::Syscall(kX32 | NR_kill, user::getpid(), SIGUSR1), 0);
    EXPECT_THAT(seen, ElementsAre(SIGUSR1));
    EXPECT_GT(user::getpid(), 0);
  });
}

TEST(HandlerX32, ASleepOfX32GoesOnByTheX32Number) {
  RunProgram([] {
    const auto pid = static_cast<int>(user::getpid());
    SignalLater(SIGSTOP);
    Later([pid] { user::kill(pid, SIGCONT); }, 2 * kMillisecond);
    user::Arena arena(4096);
    const auto request = arena.New<uint64_t>(2);
    request.Store(0);
    (request + 1).Store(10 * kMillisecond);
    EXPECT_EQ(user::Syscall(kX32 | NR_nanosleep, request.address(), 0), 0) << Why();
    EXPECT_EQ(task_pt_regs(current)->orig_ax & kX32, kX32);
  });
}

}  // namespace
}  // namespace kpath
