// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/backtrace.h"

#include "inspect/info/list.h"
#include "inspect/info/registers.h"
#include "inspect/info/stopped.h"

namespace kpath {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

// Line numbers change with the model's sources, addresses of objects with their sizes.
std::string WithoutLines(std::string text) {
  for (size_t at = text.find("0xffff8881"); at != std::string::npos;
       at = text.find("0xffff8881", at + 1)) {
    text.replace(at + 10, 8, "N");
  }
  for (size_t at = text.find(".cc:"); at != std::string::npos; at = text.find(".cc:", at + 1)) {
    size_t end = at + 4;
    while (end < text.size() && isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
    text.replace(at + 4, end - at - 4, "N");
  }
  return text;
}

TEST(Backtrace, FromTheInnermostFunctionToUserMode) {
  Stopped run(WithDisk());
  run.system.Start("prog", ReadFourPages);
  ASSERT_TRUE(run.At("io_submit_one"));
  EXPECT_EQ(WithoutLines(Backtrace(run.view(0))),
            "#0  io_submit_one (ctx=0xffff8881N, user_iocb=0x7ffff7fef008, compat=false) at "
            "fs_aio/submit.cc:N\n"
            "#1  __do_sys_io_submit (ctx_id=140737354047488, nr=4, iocbpp=0x7ffff7fef108) at "
            "fs_aio/submit.cc:N\n"
            "#2  __se_sys_io_submit (ctx_id=140737354047488, nr=4, iocbpp=140737354068232) at "
            "fs_aio/submit.cc:N\n"
            "#3  __x64_sys_io_submit () at fs_aio/submit.cc:N\n"
            "#4  do_syscall_64 (nr=209) at entry/common.cc:N\n"
            "#5  entry_SYSCALL_64 () at entry_SYSCALL_64+99\n"
            "#6  user mode at 0x0000000000401002 <behind SYSCALL>, ring 3\n");
}

TEST(Backtrace, LinesAreWrappedAtTheWidthOfTheScreen) {
  Stopped run(WithDisk());
  run.system.Start("prog", ReadFourPages);
  ASSERT_TRUE(run.At("io_submit_one"));
  EXPECT_THAT(
      WithoutLines(Backtrace(run.view())),
      HasSubstr("#1  __do_sys_io_submit (ctx_id=140737354047488, nr=4, iocbpp=0x7ffff7fef108)\n"
                "    at fs_aio/submit.cc:N\n"));
}

TEST(Backtrace, OfATaskThatSleepsItsWaitIsTheInnermostFrame) {
  Stopped run(OnCpus(2));
  run.system.Start("waiter", WaitForEver);
  ASSERT_EQ(run.machine().Run(), Machine::Outcome::kIdle);
  const std::string text = WithoutLines(Backtrace(run.ViewOf(1, 0)));
  EXPECT_THAT(text, StartsWith("#0  schedule () at sim/kernel/sched.cc:N\n"
                               "#1  read_events (ctx=0xffff8881"));
  EXPECT_THAT(text, EndsWith("#8  user mode at 0x0000000000401002 <behind SYSCALL>, ring 3\n"));
}

TEST(Backtrace, InTheEntryCodeRcxSaysWhereUserModeWas) {
  Stopped run;
  run.system.Start("prog", WaitForEver);
  ASSERT_TRUE(run.AtInstruction("entry_SYSCALL_64", 12));  // nothing is pushed yet
  EXPECT_EQ(Backtrace(run.view()),
            "#0  entry_SYSCALL_64 () at entry_SYSCALL_64+12\n"
            "#1  user mode at 0x0000000000401002 <behind SYSCALL>, ring 3\n");
}

TEST(Backtrace, AKernelThreadHasNoUserMode) {
  Stopped run;
  {
    EnterMachine enter(run.machine());
    wake_up_new_task(NewKernelThread(run.machine(), "thread", [] {
      set_current_state(TASK_UNINTERRUPTIBLE);
      while (true) schedule();
    }));
  }
  ASSERT_TRUE(run.At("deactivate_task"));
  EXPECT_THAT(Backtrace(run.view()),
              MatchesRegex("#0  deactivate_task \\(prev->pid=[0-9]+\\) at [^\n]+\n"
                           "#1  schedule \\(\\) at [^\n]+\n"));
}

TEST(Backtrace, WithoutAListenerTheFunctionsAreKnown) {
  Stopped run(WithDisk());
  run.system.Start("prog", ReadFourPages);
  ASSERT_TRUE(run.At("io_submit_one"));
  View view = run.view();
  view.stacks = nullptr;
  const std::string text = WithoutLines(Backtrace(view));
  EXPECT_THAT(text, StartsWith("#0  io_submit_one (...) at fs_aio/submit.cc:N\n"));
  EXPECT_THAT(text, EndsWith("#5  user mode at 0x0000000000401002 <behind SYSCALL>, ring 3\n"));
}

TEST(Backtrace, OneFrameIsALineOfIt) {
  Stopped run(WithDisk());
  run.system.Start("prog", ReadFourPages);
  ASSERT_TRUE(run.At("io_submit_one"));
  EXPECT_EQ(FrameLine(run.view(), 5).value(), "#5  entry_SYSCALL_64 () at entry_SYSCALL_64+99\n");
  EXPECT_EQ(FrameLine(run.view(), 7).status().message(), "No frame 7: there are 0 to 6");
  EXPECT_EQ(FrameLine(run.view(), -1).status().message(), "No frame -1: there are 0 to 6");
}

// ---- info registers ----

TEST(InfoRegisters, OfTheCpuThatExecutesTheTask) {
  Stopped run;
  run.system.Start("prog", WaitForEver);
  ASSERT_TRUE(run.AtInstruction("entry_SYSCALL_64", 0));
  const std::string all = InfoRegisters(run.view()).value();
  EXPECT_THAT(all, StartsWith("rax            0x9                 9\n"
                              "rbx            0x0                 0\n"));
  EXPECT_THAT(all, HasSubstr("r8             0xffffffffffffffff  -1\n"));
  EXPECT_THAT(all, HasSubstr("rip            0xffffffff81400013  0xffffffff81400013 "
                             "<entry_SYSCALL_64+3>\n"
                             "eflags         0x2                 [ ]\n"
                             "cs             0x10                16\n"
                             "ss             0x18                24\n"
                             "gs_base        0xffff888000020000  "));
  EXPECT_THAT(all, HasSubstr("cr3            page table of prog/1\n"));
}

TEST(InfoRegisters, SomeByName) {
  Stopped run;
  run.system.Start("prog", WaitForEver);
  ASSERT_TRUE(run.AtInstruction("entry_SYSCALL_64", 0));
  EXPECT_EQ(InfoRegisters(run.view(), {"$r8", "cs", "pc"}).value(),
            "r8             0xffffffffffffffff  -1\n"
            "cs             0x10                16\n"
            "rip            0xffffffff81400013  0xffffffff81400013 <entry_SYSCALL_64+3>\n");
  EXPECT_EQ(InfoRegisters(run.view(), {"rax", "foo"}).status().message(), "Invalid register `foo'");
  EXPECT_EQ(InfoRegisters(run.view(), {"r"}).status().message(), "Invalid register `r'");
}

TEST(InfoRegisters, OfATaskThatDoesNotRunWhatItHadWhenItWasLeft) {
  Stopped run;
  run.system.Start("waiter", WaitForEver);
  ASSERT_EQ(run.machine().Run(), Machine::Outcome::kIdle);
  const View view = run.ViewOf(1);
  EXPECT_EQ(InfoRegisters(view, {"rax"}).value(), "rax            0xd0                208\n");
  EXPECT_THAT(InfoRegisters(view).value(), Not(HasSubstr("cr3")));
  EXPECT_FALSE(InfoRegisters(view, {"cr2"}).ok());
}

TEST(InfoRegisters, FlagsByName) {
  EXPECT_EQ(FlagsText(0x246), "[ PF ZF IF ]");
  EXPECT_EQ(FlagsText(0x2), "[ ]");
}

// ---- list ----

TEST(List, OfAListingTheNextInstructionIsMarked) {
  Stopped run;
  run.system.Start("prog", WaitForEver);
  ASSERT_TRUE(run.AtInstruction("entry_SYSCALL_64", 3));
  EXPECT_THAT(
      List(run.view(), ".").value(),
      StartsWith("   0xffffffff81400010 <entry_SYSCALL_64>:  swapgs\n"
                 "   0xffffffff81400013 <entry_SYSCALL_64+3>:  mov    %rsp,%gs:rsp_scratch\n"
                 "=> 0xffffffff8140001c <entry_SYSCALL_64+12>:\n"
                 "          mov    %gs:cpu_current_top_of_stack,%rsp\n"));
}

TEST(List, OfAnOuterFrameTheCallIsMarked) {
  Stopped run;
  run.system.Start("prog", WaitForEver);
  ASSERT_TRUE(run.At("ioctx_alloc"));
  View view = run.view();
  view.frame = 5;
  EXPECT_THAT(List(view, ".").value(),
              HasSubstr("=> 0xffffffff81400073 <entry_SYSCALL_64+99>:  call   do_syscall_64\n"));
}

TEST(List, OfAFunctionTheSourceAroundItsStep) {
  Stopped run;
  run.system.Start("prog", WaitForEver);
  ASSERT_TRUE(run.At("kmem_cache_alloc"));
  const std::string text = List(run.view(), ".").value();  // slab.cc is among the test's data
  EXPECT_THAT(text, HasSubstr(" =>   FUNCTION(cache.name());\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 10);
}

TEST(List, WithoutTheSourcesThereIsAReason) {
  Stopped run;
  run.system.Start("prog", WaitForEver);
  ASSERT_TRUE(run.At("ioctx_alloc"));
  const absl::Status status = List(run.view(), "no/such/place").status();
  EXPECT_THAT(WithoutLines(std::string(status.message())),
              testing::Eq("fs_aio/ioctx_alloc.cc:N, in ioctx_alloc: the source is not at hand, "
                          "no/such/place/fs_aio/ioctx_alloc.cc cannot be read"));
}

TEST(List, OfATaskThatExecutesNothingThereIsAReason) {
  Stopped run;
  EXPECT_EQ(List(run.view(), ".").status().message(),
            "Nothing to list: swapper/0 is in no function and in no listing of the kernel");
}

}  // namespace
}  // namespace kpath
