// SPDX-License-Identifier: Apache-2.0
//
// What a tracer sees besides system calls and signals: events, steps, stopped processes.
#include <cerrno>
#include <string>
#include <vector>

#include "entry/ptrace_test_programs.h"
#include "entry/signal.h"
#include "gmock/gmock.h"

namespace kpath {
namespace {

using testing::ElementsAre;

// ---- Events ----

TEST(PtraceStopTest, ForksExitsAndTheirChildrenAreEvents) {
  RunProgram([] {
    const int64_t pid =
        Tracee([] { WaitFor(user::fork([] {})); }, PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXIT);
    int status = RunToEnd(pid);
    EXPECT_EQ(status >> 8, SIGTRAP | PTRACE_EVENT_FORK << 8);
    const auto child = static_cast<int64_t>(user::EventMessage(pid));
    EXPECT_EQ(SignalThatStopped(user::NextStop(child)), SIGSTOP) << "the child is traced, too";
    EXPECT_EQ(user::ptrace(PTRACE_CONT, pid), 0);
    status = user::ResumeAndWait(PTRACE_CONT, child);
    EXPECT_EQ(status >> 8, SIGTRAP | PTRACE_EVENT_EXIT << 8);
    EXPECT_EQ(user::EventMessage(child), 0u);
    EXPECT_EQ(user::ResumeAndWait(PTRACE_CONT, child), 0);
    EXPECT_EQ(SignalThatStopped(user::NextStop(pid)), SIGCHLD) << "of the child's end";
    status = user::ResumeAndWait(PTRACE_CONT, pid, SIGCHLD);
    EXPECT_EQ(status >> 8, SIGTRAP | PTRACE_EVENT_EXIT << 8);
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

TEST(PtraceStopTest, VforkIsTwoEventsAndCloneIsOne) {
  RunProgram([] {
    const int64_t pid = Tracee(
        [] {
          user::vfork([] {});
          user::clone(0, 0, 0, 0, [] {});
        },
        PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACECLONE);
    EXPECT_EQ(RunToEnd(pid) >> 8, SIGTRAP | PTRACE_EVENT_VFORK << 8);
    const auto child = static_cast<int64_t>(user::EventMessage(pid));
    EXPECT_EQ(SignalThatStopped(user::NextStop(child)), SIGSTOP);
    EXPECT_EQ(user::ptrace(PTRACE_CONT, pid), 0);
    EXPECT_EQ(RunToEnd(child), 0);
    int status = user::NextStop(pid);
    if (SignalThatStopped(status) == SIGCHLD) status = RunToEnd(pid);
    EXPECT_EQ(status >> 8, SIGTRAP | PTRACE_EVENT_VFORK_DONE << 8);
    status = RunToEnd(pid);
    if (SignalThatStopped(status) == SIGCHLD) status = RunToEnd(pid);
    EXPECT_EQ(status >> 8, SIGTRAP | PTRACE_EVENT_CLONE << 8);
    const auto clone = static_cast<int64_t>(user::EventMessage(pid));
    EXPECT_EQ(SignalThatStopped(user::NextStop(clone)), SIGSTOP);
    EXPECT_EQ(RunToEnd(clone), 0);
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

// ---- Several CPUs ----

TEST(PtraceStopTest, TracerAndTraceeMeetOnAnyCpuInAnyOrder) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    SystemOptions options;
    options.cpus = 3;
    options.seed = seed;
    int stops = 0;
    RunProgram(
        [&stops] {
          const int64_t pid = Tracee([] {
            for (int i = 0; i < 5; ++i) EXPECT_EQ(user::Syscall(NR_close, 99), -7);
          });
          while (true) {
            const int64_t number = NextEntry(pid);
            if (number == NR_exit_group) break;
            EXPECT_EQ(number, NR_close);
            user::ptrace(PTRACE_SYSCALL, pid);
            // Until the tracee has stopped it cannot be looked at.
            user::PokeUser(pid, offsetof(user_regs_struct, rax), 1);
            EXPECT_EQ(SignalThatStopped(user::NextStop(pid)), kSyscallStop);
            EXPECT_EQ(user::PokeUser(pid, offsetof(user_regs_struct, rax), -7), 0);
            ++stops;
          }
          EXPECT_EQ(RunToEnd(pid), 0);
        },
        options);
    ASSERT_EQ(stops, 5) << "seed " << seed;
  }
}

// ---- Stepping ----

TEST(PtraceStopTest, StepsStopBehindEachInstruction) {
  RunProgram([] {
    user::Arena arena(4096);
    const auto word = arena.New<uint64_t>(1);
    const int64_t pid = Tracee([word] {
      word.Store(1);
      user::getpid();
    });
    std::vector<std::string> stops;
    user::Arena info_arena(4096);
    const auto info = info_arena.New<siginfo_t>(1);
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(SignalThatStopped(user::ResumeAndWait(PTRACE_SINGLESTEP, pid)), SIGTRAP);
      user::ptrace(PTRACE_GETSIGINFO, pid, 0, info.address());
      const user_regs_struct regs = user::GetRegisters(pid);
      EXPECT_EQ(regs.eflags & X86_EFLAGS_TF, 0u) << "the tracer's own TF is not shown";
      stops.push_back(std::to_string(info.Load().si_code) + " at " +
                      std::to_string(regs.rip - user::kSyscallInstruction));
    }
    // Before the store, the getpid (TRAP_TRACE), behind that (TRAP_BRKPT), before the exit.
    EXPECT_THAT(stops, ElementsAre("2 at 20", "2 at 0", "1 at 2", "2 at 0"));
    EXPECT_EQ(word.Load(), 0u);
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

TEST(PtraceStopTest, AStepIntoAHandlerStopsAtItsFirstInstruction) {
  RunProgram([] {
    bool handled = false;
    const int64_t pid = Tracee([&handled] {
      user::sigaction(SIGUSR1, [&handled](const user::Signal& signal) {
        handled = true;
        constexpr uint64_t kFlags =
            offsetof(ucontext, uc_mcontext) + offsetof(sigcontext_64, flags);
        EXPECT_EQ(user::Load<uint64_t>(signal.ucontext + kFlags) & X86_EFLAGS_TF, 0u);
      });
      Raise(SIGUSR1);
    });
    EXPECT_EQ(SignalThatStopped(RunToEnd(pid)), SIGUSR1);
    EXPECT_EQ(SignalThatStopped(user::ResumeAndWait(PTRACE_SINGLESTEP, pid, SIGUSR1)), SIGTRAP);
    EXPECT_FALSE(handled);
    EXPECT_EQ(user::GetRegisters(pid).rdi, uint64_t{SIGUSR1}) << "the handler's argument";
    EXPECT_EQ(RunToEnd(pid), 0);
    EXPECT_TRUE(handled);
  });
}

TEST(PtraceStopTest, AnEmulatedCallIsNotMadeAndStopsOnce) {
  RunProgram([] {
    const int64_t pid = Tracee([] {
      EXPECT_EQ(user::getpid(), 11);
      EXPECT_EQ(user::getpid(), 12);
    });
    for (const uint64_t result : {11, 12}) {
      EXPECT_EQ(SignalThatStopped(user::ResumeAndWait(PTRACE_SYSEMU, pid)), kSyscallStop);
      EXPECT_EQ(user::GetRegisters(pid).orig_rax, uint64_t{NR_getpid});
      EXPECT_EQ(user::PokeUser(pid, offsetof(user_regs_struct, rax), result), 0);
    }
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

// ---- Stopped processes ----

TEST(PtraceStopTest, AStoppedProcessIsReportedAndGoesOnWithSigcont) {
  RunProgram([] {
    const int64_t pid = user::fork([] {
      Raise(SIGSTOP);
      user::nanosleep(kMillisecond);
    });
    int status = 0;
    EXPECT_EQ(user::waitpid(static_cast<int>(pid), &status, WUNTRACED), pid);
    EXPECT_EQ(SignalThatStopped(status), SIGSTOP);
    EXPECT_EQ(user::waitpid(static_cast<int>(pid), &status, WUNTRACED | WNOHANG), 0) << "once";
    user::kill(static_cast<int>(pid), SIGCONT);
    EXPECT_EQ(user::waitpid(static_cast<int>(pid), &status, WCONTINUED), pid);
    EXPECT_TRUE(WIFCONTINUED(status)) << status;
    EXPECT_EQ(WaitFor(pid), 0);
  });
}

TEST(PtraceStopTest, AllThreadsOfAProcessStop) {
  RunProgram([] {
    int rounds = 0;
    const int64_t pid = user::fork([&rounds] {
      user::clone(kThread, NewStack(), 0, 0, [&rounds] {
        for (; rounds < 50; ++rounds) user::nanosleep(kMillisecond);
      });
      user::nanosleep(100 * kMillisecond);
    });
    user::nanosleep(5 * kMillisecond);
    user::kill(static_cast<int>(pid), SIGSTOP);
    int status = 0;
    EXPECT_EQ(user::waitpid(static_cast<int>(pid), &status, WUNTRACED), pid);
    const int then = rounds;
    EXPECT_LT(then, 50);
    user::nanosleep(20 * kMillisecond);
    EXPECT_EQ(rounds, then);
    user::kill(static_cast<int>(pid), SIGKILL);
    EXPECT_EQ(WaitFor(pid), SIGKILL) << "SIGKILL needs no SIGCONT";
  });
}

TEST(PtraceStopTest, AttachingToAStoppedProcessChangesItsStopToATrap) {
  RunProgram([] {
    const int64_t pid = user::fork([] { Raise(SIGSTOP); });
    int status = 0;
    EXPECT_EQ(user::waitpid(static_cast<int>(pid), &status, WUNTRACED), pid);
    EXPECT_EQ(user::ptrace(PTRACE_ATTACH, pid), 0);
    EXPECT_EQ(user::GetRegisters(pid).orig_rax, uint64_t{NR_kill}) << "it has changed already";
    EXPECT_EQ(SignalThatStopped(user::NextStop(pid)), SIGSTOP);
    user::kill(static_cast<int>(pid), SIGCONT);
    EXPECT_EQ(user::ptrace(PTRACE_DETACH, pid), 0);
    EXPECT_EQ(WaitFor(pid), 0);
  });
}

TEST(PtraceStopTest, ASeizedTraceeIsInterruptedAndListensInItsGroupStop) {
  RunProgram([] {
    const int64_t pid = user::fork([] { user::pause(); });
    EXPECT_EQ(user::ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
    EXPECT_EQ(user::ptrace(PTRACE_INTERRUPT, pid), 0);
    EXPECT_EQ(user::NextStop(pid) >> 8, SIGTRAP | PTRACE_EVENT_STOP << 8);
    user::kill(static_cast<int>(pid), SIGSTOP);
    EXPECT_EQ(SignalThatStopped(RunToEnd(pid)), SIGSTOP);
    EXPECT_EQ(user::ResumeAndWait(PTRACE_CONT, pid, SIGSTOP) >> 8,
              SIGSTOP | PTRACE_EVENT_STOP << 8);
    EXPECT_EQ(user::ptrace(PTRACE_LISTEN, pid), 0) << Why();
    int status = 0;
    EXPECT_EQ(user::waitpid(static_cast<int>(pid), &status, WNOHANG), 0);
    user::kill(static_cast<int>(pid), SIGCONT);
    EXPECT_EQ(user::NextStop(pid) >> 8, SIGTRAP | PTRACE_EVENT_STOP << 8) << "the stop is over";
    EXPECT_EQ(SignalThatStopped(RunToEnd(pid)), SIGCONT);
    EXPECT_EQ(user::ptrace(PTRACE_DETACH, pid, 0, SIGTERM), 0);
    EXPECT_EQ(WaitFor(pid), SIGTERM);
  });
}

}  // namespace
}  // namespace kpath
