// SPDX-License-Identifier: Apache-2.0
//
// Who has a turn at the beginning and at the end of a system call, in which order, and with what
// effect.
#include "entry/syscall_work.h"

#include <cerrno>
#include <string>

#include "entry/system_call_test_fixture.h"

namespace kpath {
namespace {

using testing::ElementsAre;

class SyscallWorkTest : public SystemCallTest {
 protected:
  SyscallWorkTest() {
    syscall_work_hooks.Get(system_.machine()) = {
        .report_syscall_entry =
            [](pt_regs* regs) {
              happened.push_back("ptrace");
              return on_entry == nullptr ? 0 : on_entry(regs);
            },
        .secure_computing =
            [](const seccomp_data& data) {
              happened.push_back("seccomp");
              return on_seccomp == nullptr ? 0 : on_seccomp(data);
            },
        .trace_sys_enter = [](pt_regs*,
                              long nr) { happened.push_back("sys_enter " + std::to_string(nr)); },
        .trace_sys_exit =
            [](pt_regs*, long result) { happened.push_back("sys_exit " + std::to_string(result)); },
        .audit_syscall_entry = [](pt_regs*) { happened.push_back("audit entry"); },
        .audit_syscall_exit = [](pt_regs*) { happened.push_back("audit exit"); },
        .report_syscall_exit =
            [](pt_regs*, bool step) { happened.push_back(step ? "step exit" : "ptrace exit"); },
    };
    on_entry = nullptr;
    on_seccomp = nullptr;
  }

  // One call of a process with these flags set in the kernel's sight.
  int64_t CallWithFlags(uint32_t flags, uint64_t nr = kNr) {
    int64_t result = 0;
    system_.Start("caller", [&] {
      current->ti.flags |= flags;
      result = user::Syscall(nr, 1, 2, 3, 4, 5, 6);
      current->ti.flags &= ~flags;
    });
    EXPECT_EQ(system_.RunUntilIdle(), "");
    return result;
  }

  static int (*on_entry)(pt_regs* regs);
  static int (*on_seccomp)(const seccomp_data& data);
};
int (*SyscallWorkTest::on_entry)(pt_regs*) = nullptr;
int (*SyscallWorkTest::on_seccomp)(const seccomp_data&) = nullptr;

TEST_F(SyscallWorkTest, EachHasItsTurnInTheKernelsOrder) {
  CallWithFlags(_TIF_SYSCALL_TRACE | _TIF_SECCOMP | _TIF_SYSCALL_TRACEPOINT | _TIF_SYSCALL_AUDIT);
  EXPECT_THAT(happened, ElementsAre("ptrace", "seccomp", "sys_enter 400", "audit entry", "call",
                                    "audit exit", "sys_exit 0", "ptrace exit"));
}

TEST_F(SyscallWorkTest, NoneHasATurnWithoutAFlag) {
  CallWithFlags(0);
  EXPECT_THAT(happened, ElementsAre("call"));
}

TEST_F(SyscallWorkTest, ATracerThatRefusesLeavesItsOwnResult) {
  on_entry = [](pt_regs* regs) {
    regs->ax = 99;
    return 1;
  };
  EXPECT_EQ(CallWithFlags(_TIF_SYSCALL_TRACE | _TIF_SECCOMP), 99);
  EXPECT_THAT(happened, ElementsAre("ptrace", "audit exit", "ptrace exit"));
}

TEST_F(SyscallWorkTest, ATracerCanChangeTheNumber) {
  on_entry = [](pt_regs* regs) {
    regs->orig_ax = kOtherNr;
    return 0;
  };
  EXPECT_EQ(CallWithFlags(_TIF_SYSCALL_TRACE), 7);
  EXPECT_THAT(happened,
              ElementsAre("ptrace", "audit entry", "other call", "audit exit", "ptrace exit"));
}

TEST_F(SyscallWorkTest, AnEmulatedCallIsNotMade) {
  EXPECT_EQ(CallWithFlags(_TIF_SYSCALL_EMU), -ENOSYS);
  EXPECT_THAT(happened, ElementsAre("ptrace"));
}

TEST_F(SyscallWorkTest, SeccompSeesTheCallAndCanForbidIt) {
  on_seccomp = [](const seccomp_data& data) {
    EXPECT_EQ(data.nr, static_cast<int>(kNr));
    EXPECT_EQ(data.arch, AUDIT_ARCH_X86_64);
    EXPECT_THAT(data.args, ElementsAre(1u, 2u, 3u, 4u, 5u, 6u));
    return -1;
  };
  EXPECT_EQ(CallWithFlags(_TIF_SECCOMP), -ENOSYS);
  EXPECT_THAT(happened, ElementsAre("seccomp"));
}

TEST_F(SyscallWorkTest, FlagsSetDuringTheStopCountForTracepointsOnly) {
  on_entry = [](pt_regs*) {
    current->ti.flags |= _TIF_SECCOMP | _TIF_SYSCALL_TRACEPOINT;
    return 0;
  };
  CallWithFlags(_TIF_SYSCALL_TRACE);
  EXPECT_THAT(happened,
              ElementsAre("ptrace", "sys_enter 400", "audit entry", "call", "audit exit",
                          "sys_exit 0", "ptrace exit", "seccomp", "sys_enter 231", "audit entry"))
      << "the last three are the exit_group that follows";
}

TEST_F(SyscallWorkTest, AStepIsReportedAsOneUnlessTheCallWasEmulated) {
  CallWithFlags(_TIF_SINGLESTEP);
  EXPECT_THAT(happened, ElementsAre("call", "audit exit", "step exit"));
  happened.clear();
  CallWithFlags(_TIF_SINGLESTEP | _TIF_SYSCALL_EMU);
  EXPECT_THAT(happened, ElementsAre("ptrace", "audit exit"));
}

}  // namespace
}  // namespace kpath
