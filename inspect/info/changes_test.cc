// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/changes.h"

#include "inspect/info/stopped.h"

namespace kpath {
namespace {

using testing::HasSubstr;

TEST(ChangedSince, RegistersOldAndNewAndWhatWasStored) {
  Stopped run;
  run.system.Start("prog", WaitForEver);
  ASSERT_TRUE(run.AtInstruction("entry_SYSCALL_64", 33));
  const uint64_t top = task_top_of_stack(&TaskOf(run.view()));
  const MachineSnapshot before = TakeSnapshot(run.view(), {top - 40});
  StoreLog stores;
  run.machine().AddListener(&stores);
  ASSERT_TRUE(run.AtInstruction("entry_SYSCALL_64", 35));  // push %rcx
  run.machine().RemoveListener(&stores);
  ASSERT_EQ(stores.stores().size(), 1u);
  const MachineSnapshot after = TakeSnapshot(run.view(), {top - 40});
  const auto hex = [](uint64_t value) { return absl::StrCat("0x", absl::Hex(value)); };
  const std::string place = absl::StrCat("*", hex(top - 40), " <stack of prog/1+16344> ");
  EXPECT_EQ(ChangedSince(before, after, stores.stores(), run.view(0)),
            absl::StrCat("rsp       ", hex(top - 32), " -> ", hex(top - 40),
                         "\nrip       0xffffffff81400033 <entry_SYSCALL_64+35> -> "
                         "0xffffffff81400034 <entry_SYSCALL_64+36>\n",
                         place, "0x401000 -> 0x401002\n", place, "= 0x401002\n"));
  EXPECT_EQ(after.position, Position(before.position.probes_passed() + 1));
}

TEST(ChangedSince, FlagsByNameAndSwappedBases) {
  Stopped run;
  run.system.Start("prog", WaitForEver);
  ASSERT_TRUE(run.AtInstruction("entry_SYSCALL_64", 31));
  MachineSnapshot before = TakeSnapshot(run.view());
  const MachineSnapshot same = TakeSnapshot(run.view());
  EXPECT_EQ(ChangedSince(before, same, {}, run.view()), "");
  before.cpus[0].regs.rflags |= X86_EFLAGS_ZF | X86_EFLAGS_PF;
  std::swap(before.cpus[0].gs_base, before.cpus[0].kernel_gs_base);
  EXPECT_EQ(ChangedSince(before, same, {}, run.view()),
            "eflags    [ PF ZF ] -> [ ]\n"
            "gs_base   0x0 -> 0xffff888000020000\n"
            "k_gs_base 0xffff888000020000 -> 0x0\n");
}

TEST(ChangedSince, WithSeveralCpusEachLineNamesItsOwn) {
  Stopped run(OnCpus(2));
  run.system.Start("prog", WaitForEver);
  ASSERT_TRUE(run.At("ioctx_alloc"));
  const MachineSnapshot before = TakeSnapshot(run.view(), {0x1000});
  ASSERT_EQ(run.machine().Run(), Machine::Outcome::kIdle);
  const std::string text = ChangedSince(before, TakeSnapshot(run.view(), {0x1000}), {}, run.view());
  EXPECT_THAT(text, HasSubstr("CPU 0 executes  prog/1 -> swapper/0\n"
                              "CPU 0 halted    no -> yes\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("*0x1000")));  // not mapped, before and after
}

TEST(ChangedSince, AWordThatComesToBeMapped) {
  Stopped run;
  run.system.Start("prog", WaitForEver);
  ASSERT_TRUE(run.At("ioctx_alloc"));
  MachineSnapshot before = TakeSnapshot(run.view(), {0x7ffff7fff000 - 8});
  MachineSnapshot after = before;
  before.words[0].value.reset();
  after.words[0].value = 7;
  EXPECT_EQ(ChangedSince(before, after, {}, run.view()),
            "*0x7ffff7ffeff8 <anonymous memory> not mapped -> 0x7\n");
}

TEST(StoreLog, KeepsTheLastStores) {
  Stopped run;
  run.system.Start("prog", WaitForEver);
  StoreLog stores;
  run.machine().AddListener(&stores);
  ASSERT_TRUE(run.At("ioctx_alloc"));
  run.machine().RemoveListener(&stores);
  EXPECT_EQ(stores.stores().size(), 64u);
  stores.Clear();
  EXPECT_TRUE(stores.stores().empty());
}

}  // namespace
}  // namespace kpath
