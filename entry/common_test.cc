// SPDX-License-Identifier: Apache-2.0
//
// do_syscall_64 and the way back, in a booted system: a program in ring 3 makes one system call,
// which is a function of the test.
#include "entry/common.h"

#include <cerrno>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "entry/boot.h"
#include "entry/instruction_step.h"
#include "entry/nospec.h"
#include "entry/syscall_work.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/spinlock.h"
#include "syscall_table/numbers_64.h"
#include "syscall_table/sys_call_table.h"

namespace kpath {
namespace {

using testing::ElementsAre;

constexpr uint64_t kNr = 400;  // a slot that v4.19 does not use
constexpr uint64_t kOtherNr = 401;

// What happened, in order: written by the functions below.
std::vector<std::string> happened;
std::function<long(const pt_regs*)> call_body;

long TestCall(const pt_regs* regs) {
  happened.push_back("call");
  return call_body == nullptr ? 0 : call_body(regs);
}
long OtherTestCall(const pt_regs*) {
  happened.push_back("other call");
  return 7;
}

// Notes the modelled functions that are entered, of those asked for, and where IRET is executed.
class FunctionRecorder : public ProbeListener {
 public:
  explicit FunctionRecorder(std::vector<std::string> names) : names_(std::move(names)) {}
  void OnProbe(const ProbeEvent& event) override {
    if (event.kind == ProbeEvent::Kind::kFunctionEnter) Note(event.function->name);
    if (event.kind != ProbeEvent::Kind::kInstruction) return;
    const auto* step = static_cast<const InstructionStep*>(event.instruction);
    if (step->offset == 0) Note(step->symbol->name);
  }

 private:
  void Note(const std::string& name) {
    for (const std::string& wanted : names_) {
      if (name == wanted) happened.push_back(name);
    }
  }
  const std::vector<std::string> names_;
};

class CommonTest : public testing::Test {
 protected:
  explicit CommonTest(const SystemOptions& options = {}) : system_(options) {
    happened.clear();
    call_body = nullptr;
    SysCallTable& table = sys_call_table.Get(system_.machine());
    table.Set(kNr, {.function = TestCall, .name = "test_call", .fidelity = Fidelity::kFull});
    table.Set(kOtherNr,
              {.function = OtherTestCall, .name = "other_call", .fidelity = Fidelity::kFull});
  }

  // The result of one system call, made by a process of its own. Expects no report.
  int64_t Call(uint64_t nr, uint64_t argument = 0) {
    int64_t result = 0;
    system_.Start("caller", [&] { result = user::Syscall(nr, argument); });
    EXPECT_EQ(system_.RunUntilIdle(), "");
    return result;
  }

  // The report that one call leads to.
  std::string ReportOf(uint64_t nr) {
    system_.Start("caller", [nr] { user::Syscall(nr); });
    return system_.RunUntilIdle();
  }

  std::vector<std::string> FunctionsDuringCall(std::vector<std::string> names) {
    FunctionRecorder recorder(std::move(names));
    system_.machine().AddListener(&recorder);
    Call(kNr);
    system_.machine().RemoveListener(&recorder);
    return happened;
  }

  SyscallWorkHooks& hooks() { return syscall_work_hooks.Get(system_.machine()); }

  System system_;
};

// ---- Dispatch ----

TEST_F(CommonTest, TheSlotsFunctionGetsTheRegistersAndItsResultIsRax) {
  call_body = [](const pt_regs* regs) {
    EXPECT_EQ(regs->orig_ax, kNr);
    EXPECT_EQ(regs->di, 55u);
    EXPECT_EQ(static_cast<long>(regs->ax), -ENOSYS);
    return 1234L;
  };
  EXPECT_EQ(Call(kNr, 55), 1234);
}

TEST_F(CommonTest, NumbersBeyondTheTableAreRefusedWithAReason) {
  for (uint64_t nr :
       {uint64_t{548}, uint64_t{5000}, uint64_t{1} << 32 | kNr, uint64_t{1} << 63, ~uint64_t{0}}) {
    std::string reason;
    int64_t result = 0;
    system_.Start("caller", [&] {
      result = user::Syscall(nr);
      reason = current->reason.ToString();
    });
    EXPECT_EQ(system_.RunUntilIdle(), "");
    EXPECT_EQ(result, -ENOSYS) << nr;
    EXPECT_THAT(reason, testing::StartsWith("ENOSYS: system call number ")) << nr;
    EXPECT_THAT(reason, testing::EndsWith(" is not below NR_syscalls=548")) << nr;
  }
  EXPECT_EQ(Call(547 + 1), -ENOSYS);
  EXPECT_THAT(happened, ElementsAre());
}

TEST_F(CommonTest, TheX32BitDoesNotChangeTheSlot) {
  call_body = [](const pt_regs* regs) {
    EXPECT_EQ(regs->orig_ax, kNr | X32_SYSCALL_BIT) << "the call itself can see it";
    return 5L;
  };
  EXPECT_EQ(Call(kNr | X32_SYSCALL_BIT), 5);
}

TEST_F(CommonTest, WithoutX32TheBitMakesTheNumberTooLarge) {
  EnterMachine enter(system_.machine());
  DisableX32();
  EXPECT_EQ(Call(NR_getpid | X32_SYSCALL_BIT), -ENOSYS);
  EXPECT_GT(Call(NR_getpid), 0);
  EXPECT_EQ(Call(335), -ENOSYS);
}

TEST(Nospec, IndexIsKeptBelowTheSizeAndZeroElsewhere) {
  for (unsigned long size : {1ul, 335ul, 548ul}) {
    EXPECT_EQ(array_index_mask_nospec(0, size), ~0ul);
    EXPECT_EQ(array_index_nospec(size - 1, size), size - 1);
    for (unsigned long index : {size, size + 1, 1ul << 63, ~0ul}) {
      EXPECT_EQ(array_index_nospec(index, size), 0u);
    }
  }
}

// ---- Interrupts ----

TEST_F(CommonTest, InterruptsAreOnInTheCall) {
  call_body = [](const pt_regs*) { return irqs_disabled() ? 0L : 1L; };
  EXPECT_EQ(Call(kNr), 1);
}

TEST_F(CommonTest, ACallThatLeavesInterruptsOffIsReported) {
  call_body = [](const pt_regs*) {
    local_irq_disable();
    return 0L;
  };
  EXPECT_THAT(ReportOf(kNr), testing::StartsWith("WARNING: syscall 400 left IRQs disabled"));
}

TEST_F(CommonTest, ACallThatLeavesALockHeldIsReported) {
  static spinlock_t lock{"forgotten_lock"};
  call_body = [](const pt_regs*) {
    spin_lock(&lock);
    return 0L;
  };
  EXPECT_THAT(ReportOf(kNr),
              testing::StartsWith("WARNING: lock held when returning to user space!"));
}

TEST_F(CommonTest, ContextTrackingIsToldAtBothEndsWithInterruptsOff) {
  context_tracking.Get(system_.machine()) = {
      .user_exit_irqoff = [] { happened.push_back(irqs_disabled() ? "exit" : "exit, irqs on"); },
      .user_enter_irqoff =
          [] { happened.push_back(irqs_disabled() ? "enter" : "enter, irqs on"); }};
  Call(kNr);
  // The process enters user mode when it starts, and leaves it for good when it ends.
  EXPECT_THAT(happened, ElementsAre("enter", "exit", "call", "enter", "exit"));
}

// ---- Work at the beginning and at the end of a call ----

class SyscallWorkTest : public CommonTest {
 protected:
  SyscallWorkTest() {
    hooks() = {
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

// ---- Work before user mode ----

TEST_F(CommonTest, WithoutWorkNothingIsDone) {
  EXPECT_THAT(FunctionsDuringCall({"exit_to_usermode_loop", "schedule", "do_signal"}),
              ElementsAre("call"));
}

TEST_F(CommonTest, ATaskThatShouldGiveWayDoesSo) {
  call_body = [](const pt_regs*) {
    set_tsk_thread_flag(current, TIF_NEED_RESCHED);
    return 0L;
  };
  EXPECT_THAT(FunctionsDuringCall({"exit_to_usermode_loop"}),
              ElementsAre("call", "exit_to_usermode_loop"));
}

TEST_F(CommonTest, TaskWorkRunsWithInterruptsOnBeforeUserMode) {
  call_body = [](const pt_regs*) {
    task_work_add(current, [] { happened.push_back(irqs_disabled() ? "work, irqs off" : "work"); });
    happened.push_back("call ends");
    return 0L;
  };
  Call(kNr);
  EXPECT_THAT(happened, ElementsAre("call", "call ends", "work"));
}

TEST_F(CommonTest, OneRoundActsInTheKernelsOrder) {
  call_body = [](const pt_regs*) {
    task_work_add(current, [] {});
    current->ti.flags |= _TIF_SIGPENDING | _TIF_NEED_RESCHED;
    return 0L;
  };
  EXPECT_THAT(FunctionsDuringCall({"schedule", "do_signal", "tracehook_notify_resume"}),
              ElementsAre("call", "schedule", "do_signal", "tracehook_notify_resume"));
}

TEST_F(CommonTest, WorkThatComesUpMeanwhileIsDoneInAnotherRound) {
  call_body = [](const pt_regs*) {
    task_work_add(current, [] { set_tsk_thread_flag(current, TIF_NEED_RESCHED); });
    return 0L;
  };
  EXPECT_THAT(FunctionsDuringCall({"schedule", "tracehook_notify_resume"}),
              ElementsAre("call", "tracehook_notify_resume", "schedule"));
}

TEST_F(CommonTest, CompatStatusEndsAfterTheSignals) {
  call_body = [](const pt_regs*) {
    current->ti.status |= TS_COMPAT;
    task_work_add(current, [] { EXPECT_NE(current->ti.status & TS_COMPAT, 0u); });
    return 0L;
  };
  uint32_t status = TS_COMPAT;
  system_.Start("caller", [&] {
    user::Syscall(kNr);
    status = current->ti.status;
  });
  EXPECT_EQ(system_.RunUntilIdle(), "");
  EXPECT_EQ(status & TS_COMPAT, 0u);
}

TEST_F(CommonTest, ARestartedCallIsMadeAgainAndComesBackByIret) {
  static int calls;
  calls = 0;
  call_body = [](const pt_regs*) {
    if (++calls == 2) return 5L;
    set_tsk_thread_flag(current, TIF_SIGPENDING);
    return static_cast<long>(-ERESTARTNOINTR);
  };
  FunctionRecorder recorder({"entry_SYSCALL_64", "native_iret"});
  int64_t result = 0;
  system_.Start("caller", [&] {
    system_.machine().AddListener(&recorder);
    result = user::Syscall(kNr);
    system_.machine().RemoveListener(&recorder);
  });
  EXPECT_EQ(system_.RunUntilIdle(), "");
  EXPECT_EQ(result, 5);
  EXPECT_THAT(happened,
              ElementsAre("entry_SYSCALL_64", "call", "native_iret", "entry_SYSCALL_64", "call"));
}

// ---- More than one CPU ----

class TwoCpusTest : public CommonTest {
 protected:
  TwoCpusTest() : CommonTest({.cpus = 2, .seed = {}, .x32 = true}) {}
};

// Disabled until Cpu::Syscall looks at the CPU that the task has come back on.
TEST_F(TwoCpusTest, DISABLED_ATaskThatWasMovedComesBackToUserModeOnItsNewCpu) {
  static int before, after;
  call_body = [](const pt_regs*) {
    before = smp_processor_id();
    current->cpus_allowed = uint64_t{1} << (1 - before);
    task_struct* task = current;
    current->machine->ScheduleEvent(current->machine->now_ns() + 10'000,
                                    [task] { wake_up_process(task); });
    set_current_state(TASK_UNINTERRUPTIBLE);
    schedule();
    return static_cast<long>(smp_processor_id());
  };
  system_.Start("caller", [] {
    const Registers registers = current->cpu->regs;
    EXPECT_EQ(user::Syscall(kNr), 1 - before);
    after = current->cpu->id();
    EXPECT_EQ(current->cpu->regs[Reg::rsp], registers[Reg::rsp]);
    EXPECT_EQ(current->cpu->regs.cs, __USER_CS);
    EXPECT_EQ(current->cpu->kernel_gs_base, current->cpu->per_cpu_base());
  });
  EXPECT_EQ(system_.RunUntilIdle(), "");
  EXPECT_EQ(after, 1 - before);
}

}  // namespace
}  // namespace kpath
