// SPDX-License-Identifier: Apache-2.0
//
// Who has a turn at the beginning and at the end of a system call, in which order, and with what
// effect.
#include "entry/syscall_work.h"

#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "entry/ptrace_test_programs.h"
#include "gmock/gmock.h"
#include "sim/process/audit.h"
#include "sim/process/tracepoint.h"
#include "sim/user/seccomp.h"

namespace kpath {
namespace {

using testing::ElementsAre;

class SyscallWorkTest : public testing::Test {
 protected:
  // Notes all that the tracepoints and the audit see of calls of processes named "child".
  void LookOn() {
    Machine& machine = system_.machine();
    register_trace_sys_enter(
        machine, [this](const pt_regs* regs, long id) { Note("sys_enter ", id, " ", regs->di); });
    register_trace_sys_exit(machine, [this](const pt_regs*, long ret) { Note("sys_exit ", ret); });
  }
  void Audit() {
    EnableAudit(system_.machine(), [this](const task_struct*, const audit_context& record) {
      Note("audit ", record.major, " ", record.argv[0], " = ", record.return_code,
           record.success ? "" : " failed");
    });
  }

  template <typename... Parts>
  void Note(const Parts&... parts) {
    if (noting_) happened_.push_back(absl::StrCat(parts...));
  }

  void Run(const user::Code& program) {
    bool ended = false;
    system_.Start("prog", [&] {
      program();
      ended = true;
    });
    EXPECT_EQ(system_.Run(), "");
    EXPECT_TRUE(ended);
  }

  System system_;
  bool noting_ = false;
  std::vector<std::string> happened_;
};

TEST_F(SyscallWorkTest, EachHasItsTurnInTheKernelsOrder) {
  LookOn();
  Audit();
  Run([this] {
    const int64_t pid = Tracee(
        [this] {
          user::SetFilter(user::FilterOf({{NR_close, SECCOMP_RET_TRACE | 1}}));
          noting_ = true;
          EXPECT_EQ(user::close(99), -EBADF);
          noting_ = false;
        },
        PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP);
    const auto until_close = [pid] { return NextEntry(pid) != NR_close; };
    while (until_close()) ToExit(pid);
    Note("ptrace entry");
    EXPECT_EQ(Syscall(pid) >> 8, SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
    Note("seccomp");
    ToExit(pid);
    Note("ptrace exit");
    noting_ = false;
    EXPECT_EQ(RunToEnd(pid), 0);
  });
  std::vector<std::string> expected = {"ptrace entry",           "seccomp",     "sys_enter 3 99",
                                       "audit 3 99 = -9 failed", "sys_exit -9", "ptrace exit"};
  // The tracer's own calls are seen, too: they stand between.
  std::vector<std::string> of_close;
  for (const std::string& what : happened_) {
    if (std::find(expected.begin(), expected.end(), what) != expected.end()) {
      of_close.push_back(what);
    }
  }
  EXPECT_EQ(of_close, expected);
}

TEST_F(SyscallWorkTest, WithNobodyThereTheFastWayIsTaken) {
  Run([] {
    user::getpid();
    EXPECT_EQ(current->ti.flags & (_TIF_WORK_SYSCALL_ENTRY | SYSCALL_EXIT_WORK_FLAGS), 0u);
  });
}

// ---- Tracepoints ----

TEST_F(SyscallWorkTest, TracepointsSeeNumberArgumentsAndResult) {
  LookOn();
  Run([this] {
    noting_ = true;
    user::close(99);
    user::Syscall(5000, 7);
    user::Int80(6, {98});
    noting_ = false;
  });
  EXPECT_THAT(happened_, ElementsAre("sys_enter 3 99", "sys_exit -9", "sys_enter 5000 7",
                                     "sys_exit -38", "sys_enter 6 0", "sys_exit -9"));
}

TEST_F(SyscallWorkTest, WhoRegistersWhileAProgramRunsSeesItsNextCall) {
  Machine& machine = system_.machine();
  Run([&] {
    int seen = 0;
    user::getpid();
    const int id = register_trace_sys_enter(machine, [&](const pt_regs*, long) { ++seen; });
    user::getpid();
    EXPECT_EQ(WaitFor(user::fork([&] { EXPECT_TRUE(test_thread_flag(TIF_SYSCALL_TRACEPOINT)); })),
              0);
    EXPECT_EQ(seen, 4) << "getpid, fork, wait4 and the child's exit_group";
    const int other = register_trace_sys_exit(machine, [](const pt_regs*, long) {});
    unregister_trace_sys_enter(machine, id);
    EXPECT_TRUE(test_thread_flag(TIF_SYSCALL_TRACEPOINT));
    unregister_trace_sys_exit(machine, other);
    EXPECT_FALSE(test_thread_flag(TIF_SYSCALL_TRACEPOINT));
    user::getpid();
    EXPECT_EQ(seen, 4);
  });
}

// ---- Audit ----

TEST_F(SyscallWorkTest, TheAuditRecordsACallWhenItHasEnded) {
  Audit();
  Run([this] {
    noting_ = true;
    user::close(99);
    user::getpid();
    user::Int80(6, {98});
    noting_ = false;
  });
  EXPECT_THAT(happened_,
              ElementsAre("audit 3 99 = -9 failed", "audit 39 0 = 1", "audit 6 98 = -9 failed"));
}

TEST_F(SyscallWorkTest, TheAuditOfACallThatASignalInterruptsSaysEintr) {
  Audit();
  Run([this] {
    user::sigaction(SIGUSR1, [](const user::Signal&) {});
    SignalLater(SIGUSR1);
    noting_ = true;
    user::pause();
    noting_ = false;
  });
  EXPECT_THAT(happened_, testing::Contains("audit 34 0 = -4 failed"));
}

TEST_F(SyscallWorkTest, ACallThatIsRefusedAtTheEntryIsNotAudited) {
  Audit();
  LookOn();
  Run([this] {
    user::SetFilter(user::FilterOf({{NR_close, SECCOMP_RET_ERRNO | 1}}));
    noting_ = true;
    user::close(99);
    noting_ = false;
  });
  EXPECT_THAT(happened_, ElementsAre("sys_exit -1"));
}

// ---- Which flags count ----

TEST_F(SyscallWorkTest, SeccompSeesTheCallThatTheTracerHasMadeOfIt) {
  Run([] {
    const int64_t pid = Tracee([] {
      user::SetFilter(user::FilterOf({{NR_close, SECCOMP_RET_ERRNO | 1}}));
      EXPECT_EQ(user::getpid(), -1);
    });
    while (NextEntry(pid) != NR_getpid) ToExit(pid);
    user::PokeUser(pid, offsetof(user_regs_struct, orig_rax), NR_close);
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

// A process whose first thread is stopped at the entry of getpid while the second does `work`.
void WhileStopped(const user::Code& work, int64_t expected_result) {
  bool stopped = false, done = false;
  const int64_t pid = Tracee([&] {
    user::clone(kThread | CLONE_UNTRACED, NewStack(), 0, 0, [&] {
      while (!stopped) user::nanosleep(kMillisecond);
      work();
      done = true;
      user::exit(0);
    });
    if (expected_result > 0) {
      EXPECT_GT(user::getpid(), 0);
    } else {
      EXPECT_EQ(user::getpid(), expected_result);
    }
    EXPECT_EQ(user::getpid() < 0, expected_result < 0 || user::prctl(PR_GET_SECCOMP) == 2);
  });
  while (NextEntry(pid) != NR_getpid) ToExit(pid);
  stopped = true;
  while (!done) user::nanosleep(kMillisecond);
  EXPECT_EQ(RunToEnd(pid), 0);
}

TEST_F(SyscallWorkTest, AFilterThatComesDuringTheStopCountsForTheNextCall) {
  Run([] {
    WhileStopped(
        [] {
          EXPECT_EQ(user::SetFilter(user::FilterOf({{NR_getpid, SECCOMP_RET_ERRNO | 1}}),
                                    SECCOMP_FILTER_FLAG_TSYNC),
                    0);
        },
        1);
  });
}

TEST_F(SyscallWorkTest, ATracepointThatComesDuringTheStopIsPassed) {
  Run([this] {
    int64_t pid = Tracee([] { user::getpid(); });
    EXPECT_EQ(NextEntry(pid), NR_getpid);
    LookOn();
    noting_ = true;
    ToExit(pid);
    noting_ = false;
    EXPECT_EQ(RunToEnd(pid), 0);
  });
  EXPECT_THAT(happened_, testing::Contains("sys_enter 39 0"));
}

// ---- Stepping ----

TEST_F(SyscallWorkTest, ASteppedCallIsReportedAsAStepUnlessItWasEmulated) {
  Run([] {
    const int64_t pid = Tracee([] {
      user::getpid();
      user::getpid();
    });
    EXPECT_EQ(SignalThatStopped(user::ResumeAndWait(PTRACE_SINGLESTEP, pid)), SIGTRAP) << "before";
    EXPECT_EQ(SignalThatStopped(user::ResumeAndWait(PTRACE_SINGLESTEP, pid)), SIGTRAP) << "behind";
    EXPECT_GT(static_cast<int64_t>(user::GetRegisters(pid).rax), 0);
    EXPECT_EQ(SignalThatStopped(user::ResumeAndWait(PTRACE_SINGLESTEP, pid)), SIGTRAP) << "before";
    const int status = user::ResumeAndWait(PTRACE_SYSEMU_SINGLESTEP, pid);
    EXPECT_EQ(SignalThatStopped(status), kSyscallStop) << "at the entry";
    EXPECT_EQ(SignalThatStopped(user::ResumeAndWait(PTRACE_SYSEMU_SINGLESTEP, pid)), SIGTRAP)
        << "no stop at the exit, the next is before exit_group";
    EXPECT_EQ(static_cast<int64_t>(user::GetRegisters(pid).rax), NR_exit_group);
    EXPECT_EQ(RunToEnd(pid), 0);
  });
}

}  // namespace
}  // namespace kpath
