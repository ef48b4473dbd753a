// SPDX-License-Identifier: Apache-2.0
//
// do_syscall_64 and the way back to user mode, in a booted system.
#include "entry/common.h"

#include <cerrno>
#include <string>

#include "entry/nospec.h"
#include "entry/system_call_test_fixture.h"
#include "sim/kernel/spinlock.h"
#include "syscall_table/numbers_64.h"

namespace kpath {
namespace {

using testing::ElementsAre;

// ---- Dispatch ----

TEST_F(SystemCallTest, TheSlotsFunctionGetsTheRegistersAndItsResultIsRax) {
  call_body = [](const pt_regs* regs) {
    EXPECT_EQ(regs->orig_ax, kNr);
    EXPECT_EQ(regs->di, 55u);
    EXPECT_EQ(static_cast<long>(regs->ax), -ENOSYS);
    return 1234L;
  };
  EXPECT_EQ(Call(kNr, 55), 1234);
}

TEST_F(SystemCallTest, NumbersBeyondTheTableAreRefusedWithAReason) {
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

TEST_F(SystemCallTest, TheX32BitDoesNotChangeTheSlot) {
  call_body = [](const pt_regs* regs) {
    EXPECT_EQ(regs->orig_ax, kNr | X32_SYSCALL_BIT) << "the call itself can see it";
    return 5L;
  };
  EXPECT_EQ(Call(kNr | X32_SYSCALL_BIT), 5);
}

TEST_F(SystemCallTest, WithoutX32TheBitMakesTheNumberTooLarge) {
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

TEST_F(SystemCallTest, InterruptsAreOnInTheCall) {
  call_body = [](const pt_regs*) { return irqs_disabled() ? 0L : 1L; };
  EXPECT_EQ(Call(kNr), 1);
}

TEST_F(SystemCallTest, ACallThatLeavesInterruptsOffIsReported) {
  call_body = [](const pt_regs*) {
    local_irq_disable();
    return 0L;
  };
  EXPECT_THAT(ReportOf(kNr), testing::StartsWith("WARNING: syscall 400 left IRQs disabled"));
}

TEST_F(SystemCallTest, ACallThatLeavesALockHeldIsReported) {
  static spinlock_t lock{"forgotten_lock"};
  call_body = [](const pt_regs*) {
    spin_lock(&lock);
    return 0L;
  };
  EXPECT_THAT(ReportOf(kNr),
              testing::StartsWith("WARNING: lock held when returning to user space!"));
}

TEST_F(SystemCallTest, ContextTrackingIsToldAtBothEndsWithInterruptsOff) {
  context_tracking.Get(system_.machine()) = {
      .user_exit_irqoff = [] { happened.push_back(irqs_disabled() ? "exit" : "exit, irqs on"); },
      .user_enter_irqoff =
          [] { happened.push_back(irqs_disabled() ? "enter" : "enter, irqs on"); }};
  Call(kNr);
  // The process enters user mode when it starts, and leaves it for good when it ends.
  EXPECT_THAT(happened, ElementsAre("enter", "exit", "call", "enter", "exit"));
}

// ---- Work before user mode ----

TEST_F(SystemCallTest, WithoutWorkNothingIsDone) {
  EXPECT_THAT(FunctionsDuringCall({"exit_to_usermode_loop", "schedule", "do_signal"}),
              ElementsAre("call"));
}

TEST_F(SystemCallTest, ATaskThatShouldGiveWayDoesSo) {
  call_body = [](const pt_regs*) {
    set_tsk_thread_flag(current, TIF_NEED_RESCHED);
    return 0L;
  };
  EXPECT_THAT(FunctionsDuringCall({"exit_to_usermode_loop"}),
              ElementsAre("call", "exit_to_usermode_loop"));
}

TEST_F(SystemCallTest, TaskWorkRunsWithInterruptsOnBeforeUserMode) {
  call_body = [](const pt_regs*) {
    task_work_add(current, [] { happened.push_back(irqs_disabled() ? "work, irqs off" : "work"); });
    happened.push_back("call ends");
    return 0L;
  };
  Call(kNr);
  EXPECT_THAT(happened, ElementsAre("call", "call ends", "work"));
}

TEST_F(SystemCallTest, OneRoundActsInTheKernelsOrder) {
  call_body = [](const pt_regs*) {
    task_work_add(current, [] {});
    current->ti.flags |= _TIF_SIGPENDING | _TIF_NEED_RESCHED;
    return 0L;
  };
  EXPECT_THAT(FunctionsDuringCall({"schedule", "do_signal", "tracehook_notify_resume"}),
              ElementsAre("call", "schedule", "do_signal", "tracehook_notify_resume"));
}

TEST_F(SystemCallTest, WorkThatComesUpMeanwhileIsDoneInAnotherRound) {
  call_body = [](const pt_regs*) {
    task_work_add(current, [] { set_tsk_thread_flag(current, TIF_NEED_RESCHED); });
    return 0L;
  };
  EXPECT_THAT(FunctionsDuringCall({"schedule", "tracehook_notify_resume"}),
              ElementsAre("call", "tracehook_notify_resume", "schedule"));
}

TEST_F(SystemCallTest, CompatStatusEndsAfterTheSignals) {
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

TEST_F(SystemCallTest, ARestartedCallIsMadeAgainAndComesBackByIret) {
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

class TwoCpusTest : public SystemCallTest {
 protected:
  TwoCpusTest() : SystemCallTest({.cpus = 2, .seed = {}, .x32 = true}) {}
};

// Disabled until Cpu::Syscall looks at the CPU that the task has come back on.
TEST_F(TwoCpusTest, ATaskThatWasMovedComesBackToUserModeOnItsNewCpu) {
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
