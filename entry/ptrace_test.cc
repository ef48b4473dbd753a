// SPDX-License-Identifier: Apache-2.0
//
// A tracer and its tracee, from the tracer's side.
#include "entry/ptrace.h"

#include <sys/mman.h>
#include <sys/uio.h>

#include <cerrno>
#include <string>
#include <vector>

#include "entry/ptrace_test_programs.h"
#include "gmock/gmock.h"

namespace kpath {
namespace {

using testing::ElementsAre;

TEST(PtraceTest, ATraceeStopsWhereACallBeginsAndWhereItEnds) {
  RunProgram([] {
    const int64_t pid = Tracee([] { user::Syscall(NR_io_destroy, 0x1234); });
    EXPECT_EQ(NextEntry(pid), NR_io_destroy);
    user_regs_struct regs = user::GetRegisters(pid);
    EXPECT_EQ(regs.rdi, 0x1234u);
    EXPECT_EQ(regs.rax, static_cast<uint64_t>(-ENOSYS)) << "no result yet";
    EXPECT_EQ(regs.rip, user::kSyscallInstruction + user::kSyscallLength);
    EXPECT_EQ(regs.rcx, regs.rip) << "as SYSCALL leaves it";
    EXPECT_EQ(SignalThatStopped(Syscall(pid)), kSyscallStop);
    regs = user::GetRegisters(pid);
    EXPECT_EQ(regs.rax, static_cast<uint64_t>(-EINVAL));
    EXPECT_EQ(NextEntry(pid), NR_exit_group);
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

TEST(PtraceTest, WithoutTracesysgoodTheStopLooksLikeATrap) {
  RunProgram([] {
    const int64_t pid = Tracee([] { user::getpid(); }, 0);
    EXPECT_EQ(SignalThatStopped(Syscall(pid)), SIGTRAP);
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

TEST(PtraceTest, ATracerChangesTheNumberAndTheArguments) {
  RunProgram([] {
    const int64_t pid = Tracee([] {
      EXPECT_EQ(user::getpid(), -EBADF) << "it was made a close(99)";
      EXPECT_NE(user::getpid(), -EBADF);
    });
    EXPECT_EQ(NextEntry(pid), NR_getpid);
    user_regs_struct regs = user::GetRegisters(pid);
    regs.orig_rax = NR_close;
    regs.rdi = 99;
    EXPECT_EQ(user::SetRegisters(pid, regs), 0);
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

TEST(PtraceTest, ATracerSkipsACallAndMakesUpItsResult) {
  RunProgram([] {
    const int64_t pid = Tracee([] {
      EXPECT_EQ(user::getpid(), 42);
      EXPECT_EQ(user::getpid(), -ENOSYS);
    });
    for (const bool result_too : {true, false}) {
      EXPECT_EQ(NextEntry(pid), NR_getpid) << result_too;
      EXPECT_EQ(user::PokeUser(pid, offsetof(user_regs_struct, orig_rax), ~uint64_t{0}), 0);
      if (result_too) {
        EXPECT_EQ(user::PokeUser(pid, offsetof(user_regs_struct, rax), 42), 0);
      }
      EXPECT_EQ(SignalThatStopped(Syscall(pid)), kSyscallStop) << "the exit stop comes anyway";
    }
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

TEST(PtraceTest, AResultWrittenAtTheEntryOfACallThatIsMadeHasNoEffect) {
  RunProgram([] {
    const int64_t pid = Tracee([] { EXPECT_EQ(user::Syscall(NR_close, 99), -EBADF); });
    EXPECT_EQ(NextEntry(pid), NR_close);
    EXPECT_EQ(user::PokeUser(pid, offsetof(user_regs_struct, rax), 42), 0);
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

TEST(PtraceTest, ATracerChangesTheResultAtTheExit) {
  RunProgram([] {
    const int64_t pid = Tracee([] { EXPECT_EQ(user::Syscall(NR_close, 99), 7); });
    EXPECT_EQ(NextEntry(pid), NR_close);
    EXPECT_EQ(SignalThatStopped(Syscall(pid)), kSyscallStop);
    EXPECT_EQ(user::PokeUser(pid, offsetof(user_regs_struct, rax), 7), 0);
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

TEST(PtraceTest, ASignalGivenAtASyscallStopIsSentAnew) {
  RunProgram([] {
    int handled = 0;
    const int64_t pid = Tracee([&handled] {
      user::sigaction(SIGUSR1, [&handled](const user::Signal&) { ++handled; });
      user::getpid();
    });
    EXPECT_EQ(NextEntry(pid), NR_rt_sigaction);
    ToExit(pid);
    EXPECT_EQ(NextEntry(pid), NR_getpid);
    const int status = user::ResumeAndWait(PTRACE_CONT, pid, SIGUSR1);
    EXPECT_EQ(SignalThatStopped(status), SIGUSR1) << "a stop of its own, before its delivery";
    EXPECT_EQ(user::ResumeAndWait(PTRACE_CONT, pid, SIGUSR1), 0);
    EXPECT_EQ(handled, 1);
  });
}

TEST(PtraceTest, PeekAndPokeReachTheMemoryOfTheTracee) {
  RunProgram([] {
    user::Arena arena(4096);
    const auto word = arena.New<uint64_t>(1);
    word.Store(0x1122334455667788);
    const int64_t pid = Tracee([word] { EXPECT_EQ(word.Load(), 99u); });
    int64_t error = -1;
    EXPECT_EQ(user::PeekData(pid, word.address(), &error), 0x1122334455667788u);
    EXPECT_EQ(error, 0);
    EXPECT_EQ(user::PokeData(pid, word.address(), 99), 0);
    EXPECT_EQ(word.Load(), 0x1122334455667788u) << "the tracer's own memory is another";
    user::PeekData(pid, 0x10, &error);
    EXPECT_EQ(error, -EIO);
    EXPECT_EQ(Why(), "EIO: the tracee has no memory at 0x10");
    EXPECT_EQ(user::PokeData(pid, 0x10, 1), -EIO);
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

TEST(PtraceTest, ADebuggerWritesToWhatIsReadOnly) {
  RunProgram([] {
    const int64_t page =
        user::mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    user::Store<uint64_t>(page, 1);
    user::mprotect(page, 4096, PROT_READ);
    const int64_t pid = Tracee([page] {
      EXPECT_EQ(user::Load<uint64_t>(page), 2u);
      user::Store<uint64_t>(page, 3);
    });
    EXPECT_EQ(user::PokeData(pid, page, 2), 0) << Why();
    EXPECT_EQ(SignalThatStopped(RunToEnd(pid)), SIGSEGV) << "the program itself may not";
    EXPECT_EQ(user::ResumeAndWait(PTRACE_CONT, pid, SIGSEGV), SIGSEGV);
  });
}

TEST(PtraceTest, TheUserAreaHasWordsAtMultiplesOfEight) {
  RunProgram([] {
    const int64_t pid = Tracee([] {});
    int64_t error = 0;
    user::PeekUser(pid, 4, &error);
    EXPECT_EQ(error, -EIO);
    user::PeekUser(pid, sizeof(struct ::user), &error);
    EXPECT_EQ(error, -EIO);
    EXPECT_EQ(user::PeekUser(pid, offsetof(user_regs_struct, cs), &error), uint64_t{__USER_CS});
    EXPECT_EQ(error, 0);
    EXPECT_EQ(user::PokeUser(pid, offsetof(user_regs_struct, cs), __KERNEL_CS), -EIO);
    EXPECT_EQ(user::PokeUser(pid, offsetof(user_regs_struct, fs_base), kUserAddressEnd), -EIO);
    EXPECT_EQ(user::PokeUser(pid, offsetof(struct ::user, u_debugreg), 0), -EIO);
    const uint64_t flags = user::PeekUser(pid, offsetof(user_regs_struct, eflags));
    EXPECT_EQ(user::PokeUser(pid, offsetof(user_regs_struct, eflags), 0x3000 | X86_EFLAGS_CF), 0);
    EXPECT_EQ(user::PeekUser(pid, offsetof(user_regs_struct, eflags)),
              (flags & (X86_EFLAGS_IF | X86_EFLAGS_FIXED)) | X86_EFLAGS_CF)
        << "IF and IOPL are not a tracer's to change";
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

TEST(PtraceTest, RegistersAsASet) {
  RunProgram([] {
    const int64_t pid = Tracee([] {});
    user::Arena arena(4096);
    const auto regs = arena.New<user_regs_struct>(1);
    const auto iov = arena.New<iovec>(1);
    const auto set = [&](size_t size) {
      iov.Store({reinterpret_cast<void*>(regs.address()), size});
    };
    set(4096);
    EXPECT_EQ(user::ptrace(PTRACE_GETREGSET, pid, 1, iov.address()), 0) << Why();
    EXPECT_EQ(iov.Load().iov_len, sizeof(user_regs_struct));
    EXPECT_EQ(regs.Load().rip, user::GetRegisters(pid).rip);
    set(8);
    user_regs_struct changed = {};
    changed.r15 = 77;
    regs.Store(changed);
    EXPECT_EQ(user::ptrace(PTRACE_SETREGSET, pid, 1, iov.address()), 0);
    EXPECT_EQ(user::GetRegisters(pid).r15, 77u);
    set(9);
    EXPECT_EQ(user::ptrace(PTRACE_GETREGSET, pid, 1, iov.address()), -EINVAL);
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

// ---- Signals ----

TEST(PtraceTest, ATracerDecidesWhatBecomesOfASignal) {
  RunProgram([] {
    std::vector<int> handled;
    const int64_t pid = Tracee([&handled] {
      const auto handler = [&handled](const user::Signal& signal) {
        handled.push_back(signal.signo);
        EXPECT_EQ(signal.info.Load().si_signo, signal.signo);
      };
      user::sigaction(SIGUSR1, handler);
      user::sigaction(SIGUSR2, handler);
      for (int i = 0; i < 3; ++i) Raise(SIGUSR1);
    });
    EXPECT_EQ(SignalThatStopped(RunToEnd(pid)), SIGUSR1);
    EXPECT_EQ(SignalThatStopped(user::ResumeAndWait(PTRACE_CONT, pid, SIGUSR1)), SIGUSR1);
    EXPECT_EQ(SignalThatStopped(user::ResumeAndWait(PTRACE_CONT, pid, 0)), SIGUSR1)
        << "the second is gone";
    EXPECT_EQ(user::ResumeAndWait(PTRACE_CONT, pid, SIGUSR2), 0);
    EXPECT_THAT(handled, ElementsAre(SIGUSR1, SIGUSR2));
  });
}

TEST(PtraceTest, AReplacementThatIsBlockedWaits) {
  RunProgram([] {
    const int64_t pid = Tracee([] {
      user::sigprocmask(SIG_BLOCK, user::Signals({SIGUSR2}));
      Raise(SIGUSR1);
      EXPECT_EQ(user::sigpending(), user::Signals({SIGUSR2}));
    });
    EXPECT_EQ(SignalThatStopped(RunToEnd(pid)), SIGUSR1);
    EXPECT_EQ(user::ResumeAndWait(PTRACE_CONT, pid, SIGUSR2), 0);
  });
}

TEST(PtraceTest, EvenAnIgnoredSignalIsSeen) {
  RunProgram([] {
    const int64_t pid = Tracee([] {
      user::IgnoreSignal(SIGUSR1);
      Raise(SIGUSR1);
    });
    EXPECT_EQ(SignalThatStopped(RunToEnd(pid)), SIGUSR1);
    EXPECT_EQ(user::ResumeAndWait(PTRACE_CONT, pid, SIGUSR1), 0) << "and ignored after all";
  });
}

TEST(PtraceTest, WhatASignalCarriesCanBeReadAndReplaced) {
  RunProgram([] {
    int value = 0;
    const int64_t pid = Tracee([&value] {
      user::sigaction(SIGUSR1, [&value](const user::Signal& signal) {
        value = signal.info.Load().si_value.sival_int;
      });
      user::sigqueue(static_cast<int>(user::getpid()), SIGUSR1, 5);
    });
    EXPECT_EQ(SignalThatStopped(RunToEnd(pid)), SIGUSR1);
    user::Arena arena(4096);
    const auto info = arena.New<siginfo_t>(1);
    EXPECT_EQ(user::ptrace(PTRACE_GETSIGINFO, pid, 0, info.address()), 0);
    siginfo_t carried = info.Load();
    EXPECT_EQ(carried.si_code, SI_QUEUE);
    EXPECT_EQ(carried.si_value.sival_int, 5);
    carried.si_value.sival_int = 6;
    info.Store(carried);
    EXPECT_EQ(user::ptrace(PTRACE_SETSIGINFO, pid, 0, info.address()), 0);
    EXPECT_EQ(user::ResumeAndWait(PTRACE_CONT, pid, SIGUSR1), 0);
    EXPECT_EQ(value, 6);
  });
}

TEST(PtraceTest, ASyscallStopHasASiginfo) {
  RunProgram([] {
    const int64_t pid = Tracee([] { user::getpid(); });
    EXPECT_EQ(NextEntry(pid), NR_getpid);
    user::Arena arena(4096);
    const auto info = arena.New<siginfo_t>(1);
    EXPECT_EQ(user::ptrace(PTRACE_GETSIGINFO, pid, 0, info.address()), 0);
    EXPECT_EQ(info.Load().si_signo, SIGTRAP);
    EXPECT_EQ(info.Load().si_code, kSyscallStop);
    EXPECT_EQ(info.Load().si_pid, pid);
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

TEST(PtraceTest, TheTracerIsToldBySigchld) {
  RunProgram([] {
    std::vector<int> codes;
    user::sigaction(SIGCHLD, [&codes](const user::Signal& signal) {
      codes.push_back(signal.info.Load().si_code);
      codes.push_back(signal.info.Load().si_status);
    });
    const int64_t pid = Tracee([] {});
    EXPECT_EQ(RunToEnd(pid), 0);
    EXPECT_THAT(codes, ElementsAre(CLD_TRAPPED, SIGSTOP, CLD_EXITED, 0));
  });
}

// ---- The end of one of the two ----

TEST(PtraceTest, SigkillEndsAStoppedTracee) {
  RunProgram([] {
    const int64_t pid = Tracee([] { user::getpid(); });
    EXPECT_EQ(NextEntry(pid), NR_getpid);
    user::kill(static_cast<int>(pid), SIGKILL);
    EXPECT_EQ(user::NextStop(pid), SIGKILL);
    EXPECT_EQ(user::ptrace(PTRACE_CONT, pid), -ESRCH);
  });
}

TEST(PtraceTest, PtraceKillEndsATracee) {
  RunProgram([] {
    const int64_t pid = Tracee([] { user::getpid(); });
    EXPECT_EQ(user::ptrace(PTRACE_KILL, pid), 0);
    EXPECT_EQ(user::NextStop(pid), SIGKILL);
  });
}

// A tracer that ends with its tracee stopped at the entry of a call.
void TracerDies(uint64_t options, const std::function<void(int64_t)>& tracee_is) {
  RunProgram([&] {
    Pipe pipe;
    const int64_t tracer = user::fork([&, options] {
      const int64_t pid = Tracee([&] { user::write(pipe.writer, "alive"); }, options);
      EXPECT_EQ(NextEntry(pid), NR_write);
      tracee_is(pid);
    });
    EXPECT_EQ(WaitFor(tracer), 0);
    user::close(pipe.writer);
    EXPECT_EQ(user::read(pipe.reader, 16), (options & PTRACE_O_EXITKILL) != 0 ? "" : "alive");
  });
}

TEST(PtraceTest, WhenTheTracerEndsTheTraceeGoesOn) {
  TracerDies(PTRACE_O_TRACESYSGOOD, [](int64_t) {});
}

TEST(PtraceTest, WhenTheTracerEndsTheTraceeIsKilledIfItSaidSo) {
  TracerDies(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL, [](int64_t) {});
}

TEST(PtraceTest, AfterAttachTheParentStillHearsOfTheEnd) {
  RunProgram([] {
    Pipe pipe;
    const int64_t child = user::fork([&] { user::read(pipe.reader, 1); });
    const int64_t tracer = user::fork([child] {
      EXPECT_EQ(user::ptrace(PTRACE_ATTACH, child), 0) << Why();
      EXPECT_EQ(SignalThatStopped(user::NextStop(child)), SIGSTOP);
      user_regs_struct regs = user::GetRegisters(child);
      EXPECT_EQ(regs.orig_rax, uint64_t{NR_read}) << "it was in its read, which goes on";
      EXPECT_EQ(RunToEnd(child), 0);
    });
    user::nanosleep(kMillisecond);
    int status = 0;
    EXPECT_EQ(user::waitpid(static_cast<int>(child), &status, WNOHANG), 0);
    user::write(pipe.writer, "x");
    EXPECT_EQ(WaitFor(tracer), 0);
    EXPECT_EQ(WaitFor(child), 0) << "reported to both";
  });
}

TEST(PtraceTest, DetachGivesTheTraceeASignalToGoOnWith) {
  RunProgram([] {
    const int64_t pid = Tracee([] { user::pause(); });
    EXPECT_EQ(user::ptrace(PTRACE_DETACH, pid, 0, SIGTERM), 0);
    EXPECT_EQ(WaitFor(pid), SIGTERM);
    EXPECT_EQ(user::ptrace(PTRACE_CONT, pid), -ESRCH);
  });
}

// ---- Who may trace whom ----

TEST(PtraceTest, WhatIsRefused) {
  RunProgram([] {
    EXPECT_EQ(user::ptrace(PTRACE_ATTACH, user::getpid()), -EPERM);
    EXPECT_EQ(user::ptrace(PTRACE_ATTACH, 4711), -ESRCH);
    Pipe pipe;
    const int64_t other = user::fork([&] { user::read(pipe.reader, 1); });
    EXPECT_EQ(user::ptrace(PTRACE_CONT, other), -ESRCH);
    EXPECT_EQ(Why(), "ESRCH: pid " + std::to_string(other) + " is not traced by this task");
    EXPECT_EQ(user::ptrace(PTRACE_SEIZE, other, 1), -EIO);
    EXPECT_EQ(user::ptrace(PTRACE_SEIZE, other, 0, 0x100), -EIO);
    EXPECT_EQ(user::ptrace(PTRACE_SEIZE, other), 0);
    EXPECT_EQ(user::ptrace(PTRACE_ATTACH, other), -EPERM) << "it is traced already";
    EXPECT_EQ(user::ptrace(PTRACE_CONT, other), -ESRCH) << "it is not stopped";
    user::write(pipe.writer, "x");
    EXPECT_EQ(WaitFor(other), 0);
    const int64_t pid = Tracee([] { EXPECT_EQ(user::ptrace(PTRACE_TRACEME), -EPERM); });
    EXPECT_EQ(user::ptrace(PTRACE_SETOPTIONS, pid, 0, 0x100), -EINVAL);
    EXPECT_EQ(user::ptrace(PTRACE_CONT, pid, 0, 65), -EIO);
    EXPECT_EQ(user::ptrace(PTRACE_LISTEN, pid), -EIO) << "not seized";
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

}  // namespace
}  // namespace kpath
