// SPDX-License-Identifier: Apache-2.0
//
// What belongs to no task in the middle of something: files, tables, memory; and that looking at
// any of it changes nothing.
#include "absl/strings/str_split.h"
#include "inspect/info/address.h"
#include "inspect/info/aio.h"
#include "inspect/info/backtrace.h"
#include "inspect/info/block.h"
#include "inspect/info/dispatch.h"
#include "inspect/info/examine.h"
#include "inspect/info/files.h"
#include "inspect/info/list.h"
#include "inspect/info/memory.h"
#include "inspect/info/registers.h"
#include "inspect/info/stopped.h"
#include "inspect/info/tasks.h"
#include "sim/kernel/slab_caches.h"
#include "syscall_table/sys_call_table.h"

namespace kpath {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// ---- info files ----

TEST(InfoFiles, DescriptorsWithTheirFlagsByName) {
  Stopped run;
  run.system.Start("prog", [] {
    user::Arena arena;
    const auto fd =
        static_cast<int>(user::open("/tmp/file", O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600));
    user::write(fd, "hello");
    user::Syscall(NR_pipe, arena.New<int32_t>(2).address());
    user::Syscall(NR_eventfd2, 0, 0);
    user::Syscall(NR_dup, fd);
    user::nanosleep(1'000'000);
  });
  ASSERT_TRUE(run.At("do_nanosleep"));
  const std::string text = InfoFiles(run.view(0)).value();
  EXPECT_THAT(text, StartsWith("Files of prog/1, which is in /:\nFD  FLAGS "));
  EXPECT_THAT(text, ContainsRegex(" 0  O_RDWR\\|O_APPEND\\|O_LARGEFILE\\|O_CLOEXEC +5 +2  "
                                  "regular, shmem_file_operations  +/tmp/file\n"));
  EXPECT_THAT(text, ContainsRegex(" 1  O_RDONLY +0 +1  pipe, pipefifo_fops +pipe:"));
  EXPECT_THAT(text, ContainsRegex(" 2  O_WRONLY +0 +1  pipe, pipefifo_fops +pipe:"));
  EXPECT_THAT(text, ContainsRegex(" 3  O_RDWR +0 +1  anonymous, eventfd_fops +anon_inode:"));
  EXPECT_THAT(text, ContainsRegex(" 4  O_RDWR\\|O_APPEND\\|O_LARGEFILE +5 +2  regular"));
}

TEST(InfoFiles, OfWhomThereIsNot) {
  Stopped run;
  EXPECT_EQ(InfoFiles(run.view(), 99).status().message(), "No task has the pid 99");
  EXPECT_EQ(InfoFiles(run.view()).value(), "swapper/0 has no files.\n");
  run.system.Start("prog", WaitForEver);
  ASSERT_TRUE(run.At("ioctx_alloc"));
  EXPECT_EQ(InfoFiles(run.view(), 1).value(),
            "Files of prog/1, which is in /:\nNo descriptors are open.\n");
}

// ---- info idt, info syscalls ----

TEST(InfoIdt, GatesByVector) {
  Stopped run;
  const std::string text = InfoIdt(run.view());
  EXPECT_THAT(text, StartsWith("VECTOR     NAME                            HANDLER             "
                               "TYPE  DPL  IST\n"
                               "0x00       divide_error                    0xffffffff814009c0  "
                               "intr    0\n"
                               "0x01       debug                           0xffffffff81401e40  "
                               "intr    0  3\n"));
  EXPECT_THAT(text, HasSubstr("\n0x21-0x7f  irq_entries_start               0xffffffff81400178  "
                              "intr    0\n"
                              "0x80       entry_INT80_compat              0xffffffff81401070  "
                              "intr    3\n"
                              "0x81-0xeb  irq_entries_start "));
  EXPECT_THAT(text, Not(HasSubstr("?")));
}

TEST(InfoIdt, Empty) {
  Machine machine;
  EXPECT_EQ(InfoIdt({.machine = machine}), "The interrupt descriptor table is empty.\n");
}

long Mine(const pt_regs*) { return 7; }

TEST(InfoSyscalls, ANameUnderEachAbi) {
  Stopped run;
  EXPECT_EQ(InfoSyscalls(run.view(), "io_setup").value(),
            "ABI             NR  NAME      FIDELITY  FUNCTION\n"
            "x86_64         206  io_setup  partial   __x64_sys_io_setup\n"
            "x32     0x4000021f  io_setup  partial   __x32_compat_sys_io_setup\n"
            "i386           245  io_setup  partial   __ia32_compat_sys_io_setup\n");
  EXPECT_THAT(InfoSyscalls(run.view(), "ioprio_get").value(),
              HasSubstr("x86_64         252  ioprio_get  none      sys_not_modelled, for\n"
                        "                                          __x64_sys_ioprio_get\n"));
  EXPECT_THAT(InfoSyscalls(run.view(), "create_module").value(), HasSubstr("  sys_ni_syscall\n"));
  EXPECT_EQ(InfoSyscalls(run.view(), "foo").status().message(),
            "No system call has foo in its name");
}

TEST(InfoSyscalls, TheMachinesOwnTable) {
  Stopped run;
  {
    EnterMachine enter(run.machine());
    sys_call_table.Get(run.machine())
        .Set(335, {.function = Mine, .name = "mine", .fidelity = Fidelity::kFull});
  }
  EXPECT_THAT(InfoSyscalls(run.view(), "mine").value(),
              HasSubstr("x86_64         335  mine  full      a function that is not v4.19's\n"));
}

TEST(InfoSyscalls, AllThatAreModelledAndACountOfTheRest) {
  SystemOptions options;
  options.x32 = false;
  Stopped run(options);
  const std::string text = InfoSyscalls(run.view()).value();
  EXPECT_THAT(text, AllOf(ContainsRegex("\nx86_64 +0  read "), Not(HasSubstr("\nx32 ")),
                          ContainsRegex("\ni386 +3  read ")));
  EXPECT_THAT(text, ContainsRegex("\nand [0-9]+ numbers of calls that are not modelled, "
                                  "[0-9]+ of none.\n$"));
}

// ---- info memory ----

TEST(InfoMemory, AreasPinnedPagesAndTheSlab) {
  Stopped run(WithDisk());
  run.system.Start("prog", ReadFourPages);
  ASSERT_TRUE(run.At("read_events"));
  const std::string text = InfoMemory(run.view());
  // Pinned are the ring's page and the four that are read into.
  EXPECT_THAT(text,
              StartsWith("Address space of prog/1: 3 areas, 54 pages; RSS 7: 1 file, 6 anonymous, "
                         "0 shared\n  memory; 5 pinned\n"
                         "7ffff7fea000-7ffff7feb000 rw-s 00000000 00:06 "));
  EXPECT_THAT(text, ContainsRegex(" [0-9]+  anon_inode:\\[aio\\]\n"
                                  "7ffff7feb000-7ffff7fff000 rw-p 00000000 00:00 0\n"
                                  "7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0  \\[stack\\]\n"
                                  "Kernel: [0-9]+ physical pages in use, [0-9]+ slab objects\n"
                                  "SLAB  +OBJECTS  OBJSIZE\n"));
  EXPECT_THAT(text, ContainsRegex("\naio_kiocb +4 +[0-9]+\n"));
}

TEST(InfoMemory, WithoutAnAddressSpace) {
  Stopped run;
  EXPECT_THAT(InfoMemory(run.view()), StartsWith("swapper/0 has no user memory.\nKernel: "));
}

// ---- Looking ----

// Every topic, of every task.
std::string LookAtAll(Stopped& run) {
  std::string text;
  for (const task_struct* task : TasksAndIdleTasks(run.view())) {
    View view = run.view();
    view.context = task;
    for (view.frame = 0; view.frame < 3; ++view.frame) {
      text += List(view, ".").value_or("-");
      text += Examine(view, "40gx", RegistersOf(*task)[Reg::rsp]).value_or("-");
      text += Examine(view, "40a", task_top_of_stack(task) - 320).value_or("-");
      text += Examine(view, "40i", RegistersOf(*task).rip).value_or("-");
    }
    text += Examine(view, "9s", 0x7ffff7ff0000).value_or("-");
    absl::StrAppend(&text, Backtrace(view), InfoRegisters(view).value(), InfoTasks(view),
                    InfoCpus(view), InfoLocks(view), InfoFiles(view).value(), InfoIdt(view),
                    InfoSyscalls(view).value(), InfoKioctx(view), InfoRing(view).value(),
                    InfoPlug(view), InfoRequests(view), InfoMemory(view));
  }
  return text;
}

size_t LiveObjects(Machine& machine) {
  size_t objects = 0;
  for (const kmem_cache_base* cache : AllCaches(machine)) objects += cache->live();
  return objects;
}

// What a run comes to: its position, time and choices.
std::string Digest(Machine& machine) {
  return absl::StrCat(machine.position().ToString(), " at ", machine.now_ns(), ": ",
                      ToString(machine.choices()), "; ", machine.memory.pages_in_use());
}

std::string RunAndLook(bool look) {
  SystemOptions options = WithDisk(2);
  options.seed = 7;
  Stopped run(options);
  run.system.Start("prog", ReadFourPages);
  run.system.Start("waiter", WaitForEver);
  // Everywhere: every 401st probe.
  for (uint64_t at = 1; run.machine().RunTo(Position(at)) == Machine::Outcome::kPosition;
       at += 401) {
    if (!look) continue;
    run.context = run.machine().cpu(0).running();
    const std::string before = Digest(run.machine());
    const size_t objects = LiveObjects(run.machine());
    const std::string text = LookAtAll(run);
    EXPECT_EQ(Digest(run.machine()), before);
    EXPECT_EQ(LiveObjects(run.machine()), objects);
    EXPECT_EQ(LookAtAll(run), text);
  }
  return Digest(run.machine());
}

TEST(Looking, NeverChangesTheRunWhereverItIsStopped) {
  EXPECT_EQ(RunAndLook(true), RunAndLook(false));
}

TEST(Looking, NoLineIsWiderThanTheScreen) {
  Stopped run(WithDisk(2));
  run.system.Start("prog", ReadFourPages);
  run.system.Start("waiter", WaitForEver);
  ASSERT_TRUE(run.At("io_submit_one", 4));
  const View view = run.view(60);
  for (const std::string& text :
       {InfoTasks(view), InfoCpus(view), InfoFiles(view).value(), InfoIdt(view),
        InfoSyscalls(view).value(), InfoKioctx(view), InfoRing(view).value(), InfoPlug(view),
        InfoRequests(view), InfoMemory(view), InfoLocks(view), Backtrace(view),
        InfoRegisters(view).value(), List(view, ".").value_or("-"),
        Examine(view, "9i", 0xffffffff81400010).value()}) {
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      EXPECT_LE(line.size(), 62u) << line;  // an ellipsis is three bytes
    }
  }
}

}  // namespace
}  // namespace kpath
