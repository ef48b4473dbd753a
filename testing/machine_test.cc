// SPDX-License-Identifier: Apache-2.0
//
// Machine: programs, run to here, step, inspect, record.
#include "testing/machine.h"

#include <fcntl.h>

#include "absl/strings/str_cat.h"
#include "gtest/gtest-spi.h"
#include "sim/kernel/sched.h"
#include "syscall_table/numbers_64.h"
#include "testing/kpath.h"

namespace kpath::testing {
namespace {

void CloseTwice() {
  user::close(9999);
  user::close(9998);
}

// ---- Programs ----

TEST_F(MachineTest, RunsProgramsAndKnowsHowTheyEnded) {
  const int good = machine.Start("good", [] {});
  const int bad = machine.Start("bad", [] { user::exit(3); });
  EXPECT_EQ(machine.ExitStatus(good), std::nullopt);
  machine.Run();
  EXPECT_EQ(machine.ExitStatus(good), 0);
  EXPECT_EQ(machine.ExitStatus(bad), 3 << 8);
}

TEST(MachineRun, AReportOfTheKernelIsAFailure) {
  static Machine* machine;
  Machine one;
  machine = &one;
  EXPECT_NONFATAL_FAILURE(machine->Run([] {
    preempt_disable();
    schedule();
  }),
                          "the simulated kernel reports:\nBUG: scheduling while atomic");
  EXPECT_THAT(machine->Finish(), HasSubstr("BUG: scheduling while atomic"));
}

// ---- Run to here ----

TEST_F(MachineTest, RunsToASystemCall) {
  machine.Start("closer", CloseTwice);
  ASSERT_TRUE(machine.RunToSyscall("close"));
  EXPECT_EQ(machine.Registers()[Reg::rax], NR_close);
  EXPECT_EQ(machine.Registers()[Reg::rdi], 9999);
  EXPECT_EQ(machine.Where().label, "entry_SYSCALL_64");
  EXPECT_EQ(machine.Where().task, "closer");
  EXPECT_EQ(machine.Where().function, "");
  EXPECT_THAT(machine.BackTrace(), IsEmpty());
  ASSERT_TRUE(machine.RunToSyscall("close"));
  EXPECT_EQ(machine.Registers()[Reg::rdi], 9998);
}

TEST_F(MachineTest, RunsToAnInt80) {
  machine.Start("closer", [] { user::Int80(6, {9999}); });
  ASSERT_TRUE(machine.RunToSyscall("close"));
  EXPECT_EQ(machine.Where().label, "entry_INT80_compat");
}

TEST_F(MachineTest, RunsToAFunction) {
  machine.Start("closer", CloseTwice);
  ASSERT_TRUE(machine.RunTo("__close_fd"));
  const Place& place = machine.Where();
  EXPECT_EQ(place.function, "__close_fd");
  EXPECT_TRUE(place.entered);
  EXPECT_THAT(place.source, ::testing::StartsWith("sim/vfs/"));
  EXPECT_EQ(place.position, machine.position());
  EXPECT_THAT(machine.BackTrace(), ElementsAre("__close_fd", "__do_sys_close", "__se_sys_close",
                                               "__x64_sys_close", "do_syscall_64"));
  EXPECT_EQ(place.ToString(), absl::StrCat(place.position.ToString(),
                                           " where __close_fd is entered, task closer (pid ",
                                           place.pid, ") on CPU 0 (", place.source, ")"));
}

TEST_F(MachineTest, RunsToANamedStepAndToASymbol) {
  machine.Start("closer", CloseTwice);
  ASSERT_TRUE(machine.RunTo("sys_call_table"));
  EXPECT_EQ(machine.Where().function, "do_syscall_64");
  EXPECT_THAT(machine.Where().ToString(), HasSubstr(" at sys_call_table in do_syscall_64, "));
  ASSERT_TRUE(machine.RunTo("entry_SYSCALL_64"));
}

TEST_F(MachineTest, RunsToAPosition) {
  machine.Start("closer", CloseTwice);
  const Position position(machine.position().probes_passed() + 500);
  ASSERT_TRUE(machine.RunTo(position));
  EXPECT_EQ(machine.position(), position);
  EXPECT_EQ(machine.Where().position, position);
}

TEST_F(MachineTest, TellsThatItDidNotComeThere) {
  machine.Start("closer", CloseTwice);
  const ::testing::AssertionResult result = machine.RunTo("io_submit_one");
  EXPECT_FALSE(result);
  EXPECT_STREQ(result.message(), absl::StrCat("the run ended at ", machine.position().ToString(),
                                              " and did not come to \"io_submit_one\"")
                                     .c_str());
  EXPECT_EQ(machine.Where().ToString(), "nowhere: the machine has not been stopped");
}

// ---- Step ----

TEST_F(MachineTest, StepsByFunction) {
  machine.Start("closer", CloseTwice);
  ASSERT_TRUE(machine.RunTo("do_syscall_64"));
  std::vector<std::string> seen;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(machine.Step(Grain::kFunction));
    seen.push_back(absl::StrCat(machine.Where().entered ? "+" : "-", machine.Where().function));
  }
  EXPECT_THAT(seen, ElementsAre("+enter_from_user_mode", "-enter_from_user_mode",
                                "+__x64_sys_close", "+__se_sys_close"));
}

TEST_F(MachineTest, StepsByStatement) {
  machine.Start("closer", CloseTwice);
  ASSERT_TRUE(machine.RunTo("enter_from_user_mode"));
  ASSERT_TRUE(machine.Step());
  EXPECT_TRUE(machine.Where().left);
  EXPECT_THAT(machine.BackTrace(), ElementsAre("enter_from_user_mode", "do_syscall_64"));
  ASSERT_TRUE(machine.Step());
  EXPECT_EQ(machine.Where().label, "sys_call_table");
}

TEST_F(MachineTest, StepsByInstruction) {
  machine.Start("closer", CloseTwice);
  ASSERT_TRUE(machine.RunToSyscall("close"));
  const uint64_t user_stack = machine.Registers()[Reg::rsp];
  ASSERT_TRUE(machine.Step(Grain::kInstruction));
  EXPECT_EQ(machine.Where().label, "entry_SYSCALL_64+3");
  EXPECT_EQ(machine.Registers()[Reg::rsp], user_stack);
  ASSERT_TRUE(machine.Step(Grain::kInstruction));
  EXPECT_NE(machine.Registers()[Reg::rsp], user_stack) << "the kernel's stack is loaded";
}

TEST_F(MachineTest, StepsOutOfAFunction) {
  machine.Start("closer", CloseTwice);
  ASSERT_TRUE(machine.RunTo("__close_fd"));
  ASSERT_TRUE(machine.StepOut());
  EXPECT_EQ(machine.Where().function, "__close_fd");
  EXPECT_TRUE(machine.Where().left);
  ASSERT_TRUE(machine.StepOut());
  EXPECT_EQ(machine.Where().function, "__do_sys_close");
}

TEST_F(MachineTest, StepsStayInTheTask) {
  machine.Start("one", CloseTwice);
  machine.Start("two", CloseTwice);
  ASSERT_TRUE(machine.RunTo("__close_fd"));
  const int pid = machine.Where().pid;
  while (machine.Step(Grain::kInstruction)) EXPECT_EQ(machine.Where().pid, pid);
  EXPECT_EQ(machine.ExitStatus(pid), 0);
}

// ---- Inspect ----

TEST_F(MachineTest, ShowsWhatADebuggerShows) {
  machine.Start("closer", CloseTwice);
  ASSERT_TRUE(machine.RunTo("__close_fd"));
  EXPECT_THAT(machine.Info("tasks"), HasSubstr("closer"));
  EXPECT_THAT(machine.Info("backtrace"), ::testing::StartsWith("#0  __close_fd ("));
  EXPECT_THAT(machine.Info("backtrace"), HasSubstr("fd=9999"));
  EXPECT_THAT(machine.Info("registers"), HasSubstr("rax"));
  for (const char* what :
       {"cpus", "locks", "files", "memory", "kioctx", "requests", "idt", "syscalls"}) {
    EXPECT_THAT(machine.Info(what), Not(IsEmpty())) << what;
  }
  EXPECT_NONFATAL_FAILURE(machine.Info("nonsense"),
                          "Info(\"nonsense\"): there is: backtrace, cpus");
}

// ---- Stopping changes nothing ----

uint64_t LengthOfRun(bool stop) {
  Machine machine({.cpus = 2, .seed = 3});
  machine.Start("one", CloseTwice);
  machine.Start("two", CloseTwice);
  while (stop && machine.Step()) {
  }
  EXPECT_THAT(machine, LeavesNothingBehind());
  return machine.position().probes_passed();
}

TEST(Stopping, DoesNotChangeTheRun) { EXPECT_EQ(LengthOfRun(true), LengthOfRun(false)); }

// ---- Several CPUs ----

// How often in a run of two CPUs another one passes a probe than passed the one before.
int CpuChanges(int slice) {
  Machine machine({.cpus = 2, .slice = slice});
  machine.Start("one", CloseTwice);
  machine.Start("two", CloseTwice);
  int changes = 0, cpu = 0;
  while (machine.RunTo(Position(machine.position().probes_passed() + 1))) {
    changes += machine.Where().cpu != cpu;
    cpu = machine.Where().cpu;
  }
  return changes;
}

TEST(SeveralCpus, TakeTurnsAfterASlice) {
  const int changes = CpuChanges(64);
  EXPECT_GT(CpuChanges(1), 10 * changes);
  EXPECT_LT(CpuChanges(1'000'000), changes);
}

TEST_F(MachineTest, PrintsExpressions) {
  machine.Start("aio", [] {
    user::Arena arena;
    const auto ctx = arena.New<user::io_context_t>();
    user::io_setup(8, ctx);
    const int fd = static_cast<int>(user::open("/tmp/x", O_RDWR | O_CREAT, 0600));
    const auto cb = arena.Put(user::PreadIocb(fd, arena.Bytes(512), 512, 0));
    const auto iocbs = arena.New<user::Pointer<user::iocb>>(2);
    iocbs.Store(cb);
    (iocbs + 1).Store(cb);
    EXPECT_EQ(user::io_submit(ctx.Load(), 2, iocbs), 2);
  });
  ASSERT_TRUE(machine.RunTo("io_submit_one"));
  EXPECT_EQ(machine.Print("ctx->ring->tail"), "0");
  ASSERT_TRUE(machine.RunTo("io_submit_one"));
  EXPECT_EQ(machine.Print("ctx->ring->tail"), "1");
  EXPECT_EQ(machine.Print("current->comm"), "\"aio\"");
  EXPECT_EQ(machine.Print("10 + 5", 'x'), "0xf");
  EXPECT_NONFATAL_FAILURE(machine.Print("nonsense"), "Print(\"nonsense\") at #");
  EXPECT_NONFATAL_FAILURE(machine.Print("1", 'q'), "there is no format q");
  EXPECT_NONFATAL_FAILURE(machine.Print("1 +"), "column ");
}

// ---- Ends in the middle ----

TEST(Machine, MayBeGivenUpInTheMiddleOfARun) {
  Machine machine;
  machine.Start("closer", CloseTwice);
  ASSERT_TRUE(machine.RunTo("__close_fd"));
}

TEST_F(MachineTest, ACallThatIsKilledLeavesNothing) {
  const int pid = machine.Start("sleeper", [] { Call(user::pause); });
  machine.SignalAt(Position(1'000'000), SIGKILL);
  machine.Run();
  EXPECT_EQ(machine.ExitStatus(pid), SIGKILL);
}

// ---- Record ----

TEST(Record, RecordsAllTasksAndInterrupts) {
  Machine disk({.devices = {{.path = "/dev/vda"}}});
  const Trace trace = disk.Record([&] {
    disk.Run([] {
      user::Arena arena;
      const int64_t fd = user::open("/dev/vda", O_RDONLY | O_DIRECT);
      EXPECT_EQ(user::pread(static_cast<int>(fd), arena.Bytes(512, 512), 512, 0), 512);
    });
  });
  EXPECT_THAT(trace, PassesThrough("__x64_sys_pread64", "virtio_queue_rq", "common_interrupt",
                                   "do_IRQ", "virtblk_done", "bio_endio"));
  EXPECT_THAT(trace.call_graph, HasSubstr("# interrupts of CPU 0\n |  do_IRQ() {\n"));
  EXPECT_THAT(disk, LeavesNothingBehind());
}

TEST(Record, ACallLeavesInterruptsOut) {
  Machine disk({.devices = {{.path = "/dev/nullb0", .driver = "null_blk"}}});
  disk.Run([] {
    user::Arena arena;
    const int64_t fd = user::open("/dev/nullb0", O_RDONLY | O_DIRECT);
    const uint64_t buffer = arena.Bytes(512, 512);
    const RecordedCall call =
        Call([&] { return user::pread(static_cast<int>(fd), buffer, 512, 0); });
    EXPECT_THAT(call, AllOf(Returns(512), PassesThrough("null_queue_rq"),
                            Not(PassesThrough("do_IRQ")), Not(PassesThrough("common_interrupt"))));
    EXPECT_THAT(call.call_graph, Not(HasSubstr("#")));
  });
}

}  // namespace
}  // namespace kpath::testing
