// SPDX-License-Identifier: Apache-2.0
//
// Programs that limit what they may do, and what becomes of them.
#include "sim/user/seccomp.h"

#include <cerrno>

#include "entry/ptrace_test_programs.h"
#include "gmock/gmock.h"

namespace kpath {
namespace {

using user::FilterOf;
using user::SetFilter;

constexpr uint32_t kErrno = SECCOMP_RET_ERRNO;

// ---- Strict mode ----

TEST(StrictTest, ReadWriteAndExitAreLeft) {
  const int status = StatusOf([] {
    Pipe pipe;
    EXPECT_EQ(user::prctl(PR_GET_SECCOMP), 0);
    EXPECT_EQ(user::SetStrictMode(), 0);
    EXPECT_EQ(user::write(pipe.writer, "x"), 1);
    EXPECT_EQ(user::read(pipe.reader, 1), "x");
    user::exit(3);
  });
  EXPECT_EQ(status, 3 << 8);
}

TEST(StrictTest, AnyOtherCallKills) {
  for (const bool by_prctl : {false, true}) {
    EXPECT_EQ(StatusOf([by_prctl] {
                EXPECT_EQ(by_prctl ? user::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT)
                                   : user::SetStrictMode(),
                          0);
                user::getpid();
                ADD_FAILURE() << "it came back";
              }),
              SIGKILL);
  }
}

TEST(StrictTest, The32BitNumbersAreOthers) {
  EXPECT_EQ(StatusOf([] {
              user::SetStrictMode();
              EXPECT_EQ(user::Int80(4, {99, 0, 0}), -EBADF) << "write";
              user::Int80(1, {5});
            }),
            5 << 8);
  EXPECT_EQ(StatusOf([] {
              user::SetStrictMode();
              user::Int80(0);  // 0 is read of 64-bit code only
            }),
            SIGKILL);
}

TEST(StrictTest, HandlersCanReturn) {
  EXPECT_EQ(StatusOf([] {
              bool handled = false;
              user::sigaction(SIGUSR1, [&handled](const user::Signal&) { handled = true; });
              SignalLater(SIGUSR1);
              user::SetStrictMode();
              while (!handled) user::Syscall(NR_write, 99, 0, 0);
              user::exit(7);
            }),
            7 << 8);
}

TEST(StrictTest, ModesCannotBeChanged) {
  RunProgram([] {
    EXPECT_EQ(SetFilter(FilterOf({})), 0);
    EXPECT_EQ(user::prctl(PR_GET_SECCOMP), 2);
    EXPECT_EQ(user::SetStrictMode(), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: mode 2 is set already, 1 cannot be");
  });
}

// ---- What may be attached ----

TEST(FilterTest, AFilterNeedsAPrivilegeOrAPromise) {
  RunProgram([] {
    current->cap_effective = 0;
    EXPECT_EQ(SetFilter(FilterOf({})), -EACCES);
    EXPECT_EQ(user::prctl(PR_SET_NO_NEW_PRIVS, 2), -EINVAL);
    EXPECT_EQ(user::prctl(PR_SET_NO_NEW_PRIVS, 1), 0);
    EXPECT_EQ(user::prctl(PR_GET_NO_NEW_PRIVS), 1);
    EXPECT_EQ(SetFilter(FilterOf({})), 0);
    EXPECT_EQ(WaitFor(user::fork([] {
                EXPECT_EQ(user::prctl(PR_GET_NO_NEW_PRIVS), 1) << "inherited";
                EXPECT_EQ(SetFilter(FilterOf({})), 0);
              })),
              0);
  });
}

TEST(FilterTest, WhatIsRefused) {
  RunProgram([] {
    const auto refused = [](const user::Filter& filter) {
      EXPECT_EQ(SetFilter(filter), -EINVAL);
      return Why();
    };
    EXPECT_EQ(refused({}), "EINVAL: a filter of 0 instructions, not 1 to 4096");
    EXPECT_EQ(refused({user::LoadWord(0)}), "EINVAL: the last instruction, 0, does not return");
    EXPECT_EQ(refused({user::LoadWord(2), user::Return(0)}),
              "EINVAL: seccomp does not allow instruction 0, code 0x20 k=2");
    EXPECT_EQ(refused({user::LoadWord(64), user::Return(0)}),
              "EINVAL: seccomp does not allow instruction 0, code 0x20 k=64");
    EXPECT_EQ(refused({{BPF_LD | BPF_B | BPF_ABS, 0, 0, 0}, user::Return(0)}),
              "EINVAL: seccomp does not allow instruction 0, code 0x30 k=0");
    EXPECT_EQ(refused({{0xffff, 0, 0, 0}, user::Return(0)}),
              "EINVAL: instruction 0 has the code 0xffff, which is none");
    EXPECT_EQ(refused({user::SkipUnless(1, 1), user::Return(0)}),
              "EINVAL: instruction 0 jumps out of the program");
    EXPECT_EQ(refused({{BPF_ALU | BPF_DIV | BPF_K, 0, 0, 0}, user::Return(0)}),
              "EINVAL: instruction 0 divides by 0");
    EXPECT_EQ(refused({{BPF_LD | BPF_MEM, 0, 0, 3}, user::Return(0)}),
              "EINVAL: instruction 0 reads memory word 3, never written");
    EXPECT_EQ(refused({user::SkipUnless(1, 1),
                       {BPF_ST, 0, 0, 3},
                       {BPF_LD | BPF_MEM, 0, 0, 3},
                       user::Return(0)}),
              "EINVAL: instruction 2 reads memory word 3, never written")
        << "not on every way";
    EXPECT_EQ(user::Syscall(NR_seccomp, SECCOMP_SET_MODE_FILTER, 0x80, 0), -EINVAL);
    EXPECT_EQ(user::Syscall(NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, 8), -EFAULT);
    EXPECT_EQ(user::Syscall(NR_seccomp, 99, 0, 0), -EINVAL);
    EXPECT_EQ(user::Syscall(NR_seccomp, SECCOMP_SET_MODE_STRICT, 1, 0), -EINVAL);
    EXPECT_EQ(user::prctl(PR_SET_SECCOMP, 7), -EINVAL);
    EXPECT_EQ(user::prctl(PR_GET_SECCOMP), 0);
  });
}

TEST(FilterTest, AllProgramsTogetherHaveALimit) {
  RunProgram([] {
    user::Filter filter(4000, user::LoadWord(0));
    filter.push_back(user::Return(SECCOMP_RET_ALLOW));
    int64_t result = 0;
    int attached = 0;
    while ((result = SetFilter(filter)) == 0) ++attached;
    EXPECT_EQ(result, -ENOMEM);
    EXPECT_EQ(attached, 8);
  });
}

TEST(FilterTest, WhichActionsThereAre) {
  RunProgram([] {
    user::Arena arena(4096);
    const auto action = arena.New<uint32_t>(1);
    const auto available = [&](uint32_t value) {
      action.Store(value);
      return user::Syscall(NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, action.address());
    };
    EXPECT_EQ(available(SECCOMP_RET_KILL_PROCESS), 0);
    EXPECT_EQ(available(SECCOMP_RET_LOG), 0);
    EXPECT_EQ(available(0x7fc00000), -EOPNOTSUPP) << "USER_NOTIF came later";
  });
}

// ---- Actions ----

TEST(FilterTest, ErrnoIsTheResultOfTheCall) {
  RunProgram([] {
    EXPECT_EQ(SetFilter(FilterOf({{NR_getpid, kErrno | EACCES}, {NR_gettid, kErrno | 0xffff}})), 0);
    EXPECT_EQ(user::getpid(), -EACCES);
    EXPECT_EQ(Why(), "EACCES: a seccomp filter refuses system call 39");
    EXPECT_EQ(user::gettid(), -4095) << "no more than an errno can be";
    EXPECT_EQ(user::Syscall(NR_getppid), 0) << "all others";
  });
}

TEST(FilterTest, TrapIsASignalThatTellsTheCall) {
  RunProgram([] {
    siginfo_t info = {};
    user::sigaction(SIGSYS, [&info](const user::Signal& signal) { info = signal.info.Load(); });
    EXPECT_EQ(SetFilter(FilterOf({{NR_getpid, SECCOMP_RET_TRAP | 77}})), 0);
    EXPECT_EQ(user::getpid(), NR_getpid) << "rax is what it was, for a handler to set";
    EXPECT_EQ(info.si_signo, SIGSYS);
    EXPECT_EQ(info.si_code, 1);
    EXPECT_EQ(info.si_errno, 77);
    EXPECT_EQ(info.si_syscall, NR_getpid);
    EXPECT_EQ(info.si_arch, 0xc000003eu);
    EXPECT_EQ(reinterpret_cast<uint64_t>(info.si_call_addr),
              user::kSyscallInstruction + user::kSyscallLength);
  });
  EXPECT_EQ(StatusOf([] {
              SetFilter(FilterOf({{NR_getpid, SECCOMP_RET_TRAP}}));
              user::getpid();
            }),
            SIGSYS);
}

TEST(FilterTest, KillEndsTheThreadOrTheProcess) {
  for (const uint32_t action : {SECCOMP_RET_KILL_THREAD, SECCOMP_RET_KILL_PROCESS}) {
    RunProgram([action] {
      const int64_t pid = user::fork([action] {
        user::clone(kThread, 0, 0, 0, [action] {
          SetFilter(FilterOf({{NR_getpid, action}}));
          user::getpid();
          ADD_FAILURE() << "it came back";
        });
        user::nanosleep(kMillisecond);
        user::exit_group(4);
      });
      EXPECT_EQ(WaitFor(pid), action == SECCOMP_RET_KILL_THREAD ? 4 << 8 : SIGSYS);
    });
  }
}

TEST(FilterTest, LogAllows) {
  RunProgram([] {
    EXPECT_EQ(SetFilter(FilterOf({{NR_getpid, SECCOMP_RET_LOG}})), 0);
    EXPECT_GT(user::getpid(), 0);
  });
}

TEST(FilterTest, TraceWithoutATracerIsEnosys) {
  RunProgram([] {
    EXPECT_EQ(SetFilter(FilterOf({{NR_getpid, SECCOMP_RET_TRACE | 9}})), 0);
    EXPECT_EQ(user::getpid(), -ENOSYS);
  });
}

TEST(FilterTest, TraceAsksTheTracerWhichTheFiltersStillBind) {
  RunProgram([] {
    const int64_t pid = Tracee(
        [] {
          SetFilter(FilterOf({{NR_getpid, SECCOMP_RET_TRACE | 9}, {NR_gettid, kErrno | EPERM}}));
          EXPECT_GT(user::getpid(), 0) << "let through";
          EXPECT_EQ(user::getpid(), 33) << "skipped";
          EXPECT_EQ(user::getpid(), -EPERM) << "changed to one that is refused";
        },
        PTRACE_O_TRACESECCOMP);
    for (int round = 0; round < 3; ++round) {
      EXPECT_EQ(RunToEnd(pid) >> 8, SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
      EXPECT_EQ(user::EventMessage(pid), 9u);
      user_regs_struct regs = user::GetRegisters(pid);
      EXPECT_EQ(regs.orig_rax, uint64_t{NR_getpid});
      if (round == 1) {
        regs.orig_rax = ~uint64_t{0};
        regs.rax = 33;
      }
      if (round == 2) regs.orig_rax = NR_gettid;
      user::SetRegisters(pid, regs);
    }
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

// ---- Several filters, several tasks ----

TEST(FilterTest, OfSeveralFiltersTheMostSevereAnswerCounts) {
  const uint32_t kBySeverity[] = {
      SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO,
      SECCOMP_RET_TRACE,        SECCOMP_RET_LOG,         SECCOMP_RET_ALLOW};
  // What the process's status is, or what getpid returns.
  const auto outcome = [](const std::vector<uint32_t>& actions) {
    int64_t result = 0;
    const int status = StatusOf([&] {
      for (const uint32_t action : actions) SetFilter(FilterOf({{NR_getpid, action}}));
      result = user::getpid();
    });
    return std::pair(status, result);
  };
  for (size_t i = 0; i < std::size(kBySeverity); ++i) {
    for (size_t j = i; j < std::size(kBySeverity); ++j) {
      const uint32_t a = kBySeverity[i], b = kBySeverity[j];
      EXPECT_EQ(outcome({a, b}), outcome({a})) << i << " before " << j;
      EXPECT_EQ(outcome({b, a}), outcome({a})) << j << " before " << i;
    }
  }
}

TEST(FilterTest, OfEqualAnswersTheNewestFiltersCounts) {
  RunProgram([] {
    SetFilter(FilterOf({{NR_getpid, kErrno | 1}}));
    SetFilter(FilterOf({{NR_getpid, kErrno | 2}}));
    EXPECT_EQ(user::getpid(), -2);
  });
}

TEST(FilterTest, ChildrenInheritAndParentsDoNot) {
  RunProgram([] {
    SetFilter(FilterOf({{NR_getpid, kErrno | 1}}));
    EXPECT_EQ(WaitFor(user::fork([] {
                EXPECT_EQ(user::getpid(), -1);
                SetFilter(FilterOf({{NR_gettid, kErrno | 2}}));
                EXPECT_EQ(user::gettid(), -2);
              })),
              0);
    EXPECT_EQ(user::getpid(), -1);
    EXPECT_GT(user::gettid(), 0);
  });
}

TEST(FilterTest, ThreadsCanBeMadeToFollow) {
  RunProgram([] {
    int64_t other = 0;
    bool stop = false;
    user::clone(kThread, NewStack(), 0, 0, [&] {
      while (!stop) {
        other = user::getpid();
        user::nanosleep(kMillisecond);
      }
      user::exit(0);
    });
    user::nanosleep(kMillisecond);
    SetFilter(FilterOf({{NR_getpid, kErrno | 1}}));
    user::nanosleep(2 * kMillisecond);
    EXPECT_GT(other, 0) << "not without being told";
    EXPECT_EQ(SetFilter(FilterOf({{NR_gettid, kErrno | 2}}), SECCOMP_FILTER_FLAG_TSYNC), 0);
    user::nanosleep(2 * kMillisecond);
    EXPECT_EQ(other, -1);
    stop = true;
    user::nanosleep(3 * kMillisecond);
  });
}

TEST(FilterTest, AThreadWithFiltersOfItsOwnDoesNotFollow) {
  RunProgram([] {
    bool stop = false;
    const int64_t thread = user::clone(kThread, NewStack(), 0, 0, [&] {
      SetFilter(FilterOf({{NR_getppid, kErrno | 1}}));
      while (!stop) user::nanosleep(kMillisecond);
      user::exit(0);
    });
    user::nanosleep(kMillisecond);
    EXPECT_EQ(SetFilter(FilterOf({}), SECCOMP_FILTER_FLAG_TSYNC), thread);
    EXPECT_EQ(user::prctl(PR_GET_SECCOMP), 0);
    stop = true;
    user::nanosleep(3 * kMillisecond);
  });
}

// ---- What a filter sees ----

TEST(FilterTest, ArgumentsInstructionPointerAndArchitecture) {
  RunProgram([] {
    // close(0x1_0000_0005) is refused, by the high half of its argument; so is the same number of
    // 32-bit code, by its architecture.
    const auto word = [](size_t offset) { return user::LoadWord(static_cast<uint32_t>(offset)); };
    EXPECT_EQ(SetFilter({word(offsetof(seccomp_data, args) + 4), user::SkipUnless(1, 1),
                         user::Return(kErrno | 1), word(offsetof(seccomp_data, arch)),
                         user::SkipUnless(0x40000003, 3), word(offsetof(seccomp_data, nr)),
                         user::SkipUnless(20, 1), user::Return(kErrno | 2),
                         user::Return(SECCOMP_RET_ALLOW)}),
              0);
    EXPECT_EQ(user::Syscall(NR_close, 0x100000063), -1);
    EXPECT_EQ(user::Syscall(NR_close, 0x63), -EBADF);
    EXPECT_EQ(user::Int80(20), -2) << "getpid of i386";
    EXPECT_GT(user::Int80(224), 0) << "gettid of i386 is let through";
  });
}

TEST(FilterTest, ProgramsCompute) {
  RunProgram([] {
    // errno = ((arg0 << 2) + 3 & 0x3f) ^ 1, kept in memory on its way.
    EXPECT_EQ(SetFilter({user::LoadWord(offsetof(seccomp_data, nr)),
                         user::SkipUnless(NR_close, 11),
                         user::LoadWord(offsetof(seccomp_data, args)),
                         {BPF_ALU | BPF_LSH | BPF_K, 0, 0, 2},
                         {BPF_ST, 0, 0, 1},
                         {BPF_LDX | BPF_IMM, 0, 0, 3},
                         {BPF_LD | BPF_MEM, 0, 0, 1},
                         {BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0},
                         {BPF_ALU | BPF_AND | BPF_K, 0, 0, 0x3f},
                         {BPF_ALU | BPF_XOR | BPF_K, 0, 0, 1},
                         {BPF_ALU | BPF_OR | BPF_K, 0, 0, kErrno},
                         {BPF_RET | BPF_A, 0, 0, 0},
                         user::Return(SECCOMP_RET_KILL_PROCESS),
                         user::Return(SECCOMP_RET_ALLOW)}),
              0)
        << Why();
    EXPECT_EQ(user::Syscall(NR_close, 5), -(((5 << 2) + 3) ^ 1));
    EXPECT_EQ(user::Syscall(NR_close, 20), -((((20 << 2) + 3) & 0x3f) ^ 1));
    EXPECT_GT(user::getpid(), 0);
  });
}

}  // namespace
}  // namespace kpath
