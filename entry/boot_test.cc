// SPDX-License-Identifier: Apache-2.0
//
// Programs in ring 3, through the whole of the entry path.
#include "entry/boot.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <csignal>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/kernel/sched.h"
#include "syscall_table/sys_call_table.h"

namespace kpath {
namespace {

// Why the last call of the running program was refused.
std::string Why() { return current->reason.ToString(); }

TEST(Boot, AProgramThatDoesNothingEndsWithStatusZero) {
  System system;
  const int pid = system.Start("prog", [] {})->pid;
  EXPECT_EQ(system.Run(), "");
  EXPECT_EQ(system.ExitStatus(pid), 0);
}

TEST(Boot, GetpidGoesThroughTheWholeOfEntry) {
  System system;
  int64_t pid = 0, tid = 0;
  StartOptions options;
  options.pid = 4711;
  system.Start(
      "prog",
      [&] {
        pid = user::getpid();
        tid = user::gettid();
      },
      options);
  EXPECT_EQ(system.Run(), "");
  EXPECT_EQ(pid, 4711);
  EXPECT_EQ(tid, 4711);
}

TEST(Boot, ThreeKindsOfNoSystemCallHaveThreeReasons) {
  System system;
  std::vector<std::string> reasons;
  system.Start("prog", [&] {
    for (const int nr : {5000, NR_futex, NR_uselib, 400}) {
      EXPECT_EQ(user::Syscall(nr), -ENOSYS) << nr;
      reasons.push_back(Why());
    }
  });
  EXPECT_EQ(system.Run(), "");
  ASSERT_EQ(reasons.size(), 4u);
  EXPECT_EQ(reasons[1], "ENOSYS: not modelled: futex");
  EXPECT_EQ(reasons[2], "ENOSYS: v4.19 has no system call 134");
  EXPECT_EQ(reasons[3], "ENOSYS: v4.19 has no system call 400");
  EXPECT_NE(reasons[0], reasons[1]);
  EXPECT_NE(reasons[0], "ENOSYS: v4.19 has no system call 5000");
}

TEST(Boot, WithoutX32TheTableEndsAfterTheCommonCalls) {
  for (const bool x32 : {true, false}) {
    SystemOptions options;
    options.x32 = x32;
    System system(options);
    int64_t result = 0;
    system.Start("prog", [&] { result = user::Syscall(NR_getpid | X32_SYSCALL_BIT); });
    EXPECT_EQ(system.Run(), "");
    EXPECT_EQ(result, x32 ? 1 : -ENOSYS);
  }
}

long __x64_sys_mine(const pt_regs* regs) {
  FUNCTION();
  return fn.Return(static_cast<long>(regs->di + 1));
}

TEST(Boot, AMachineCanHaveASystemCallOfItsOwn) {
  System system;
  sys_call_table.Get(system.machine())
      .Set(548, {.function = __x64_sys_mine, .name = "mine", .fidelity = Fidelity::kFull});
  int64_t result = 0;
  system.Start("prog", [&] { result = user::Syscall(548, 41); });
  System other;
  int64_t elsewhere = 0;
  other.Start("prog", [&] { elsewhere = user::Syscall(548, 41); });
  EXPECT_EQ(system.Run(), "");
  EXPECT_EQ(other.Run(), "");
  EXPECT_EQ(result, 42);
  EXPECT_EQ(elsewhere, -ENOSYS);
}

TEST(Boot, FilesAreWrittenAndRead) {
  System system;
  std::string text;
  int64_t closed_twice = 0;
  system.Start("prog", [&] {
    const int fd = static_cast<int>(user::open("/tmp/x", O_RDWR | O_CREAT, 0600));
    EXPECT_EQ(fd, 0);  // nothing is open at the start
    EXPECT_EQ(user::write(fd, "hello, world"), 12);
    EXPECT_EQ(user::lseek(fd, 7, SEEK_SET), 7);
    text = user::read(fd, 100);
    EXPECT_EQ(user::close(fd), 0);
    closed_twice = user::close(fd);
  });
  EXPECT_EQ(system.Run(), "");
  EXPECT_EQ(text, "world");
  EXPECT_EQ(closed_twice, -EBADF);
}

TEST(Boot, PagesComeInWhenTheProgramTouchesThem) {
  System system;
  uint64_t first = 1, second = 0;
  system.Start("prog", [&] {
    user::Arena arena(1 << 20);
    const auto words = arena.New<uint64_t>(100'000);
    first = words.Load();
    (words + 99'999).Store(7);
    second = (words + 99'999).Load();
  });
  EXPECT_EQ(system.Run(), "");
  EXPECT_EQ(first, 0u);
  EXPECT_EQ(second, 7u);
}

TEST(Boot, TheStackGrows) {
  System system;
  const int pid = system
                      .Start("prog",
                             [] {
                               const uint64_t sp = current->cpu->regs[Reg::rsp];
                               for (uint64_t below = 0; below < 512 * 1024; below += 4096) {
                                 current->cpu->regs[Reg::rsp] = sp - below;
                                 user::Store<uint64_t>(sp - below, below);
                               }
                               current->cpu->regs[Reg::rsp] = sp;
                             })
                      ->pid;
  EXPECT_EQ(system.Run(), "");
  EXPECT_EQ(system.ExitStatus(pid), 0);
}

// Runs a program that touches what it must not; returns its exit status.
int StatusOf(const std::function<void()>& program) {
  System system;
  bool survived = false;
  const int pid = system
                      .Start("prog",
                             [&] {
                               program();
                               survived = true;
                             })
                      ->pid;
  EXPECT_EQ(system.Run(), "");
  EXPECT_FALSE(survived);
  return system.ExitStatus(pid).value_or(-1);
}

TEST(Boot, ABadAccessEndsTheProcess) {
  EXPECT_EQ(StatusOf([] { user::Load<int>(0x1000); }), SIGSEGV);
  EXPECT_EQ(StatusOf([] { user::Store<int>(0x1000, 1); }), SIGSEGV);
  EXPECT_EQ(StatusOf([] { user::Load<int>(kDirectMapBase); }), SIGSEGV);
  EXPECT_EQ(StatusOf([] { user::Load<int>(0x800000000000); }), SIGSEGV);  // not canonical
  EXPECT_EQ(StatusOf([] {
              const int64_t page =
                  user::mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              user::Load<int>(page);
              user::Store<int>(page, 1);
            }),
            SIGSEGV);
}

TEST(Boot, AMappingBeyondTheEndOfItsFileIsABusError) {
  EXPECT_EQ(StatusOf([] {
              const int fd = static_cast<int>(user::open("/tmp/x", O_RDWR | O_CREAT, 0600));
              user::ftruncate(fd, 4096);
              const int64_t page = user::mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
              user::Store<int>(page, 1);
              user::Store<int>(page + 4096, 1);
            }),
            SIGBUS);
}

TEST(Boot, WhatAProcessLeavesIsTold) {
  System system;
  system.Start("prog", [] { kmem_cache_zalloc(*signal_cachep, GFP_KERNEL); });
  const std::string remains = system.Run();
  EXPECT_NE(remains.find("BUG signal_cache: object"), std::string::npos) << remains;
}

TEST(Boot, LostPagesAreTold) {
  System system;
  system.Start("prog", [] { current->machine->memory.AllocatePages(0); });
  EXPECT_NE(system.Run().find("pages in use at shutdown"), std::string::npos);
}

TEST(Boot, WhoWaitsForEverIsTold) {
  System system;
  system.Start("sleeper", [] {
    user::Arena arena;
    const auto fds = arena.New<int32_t>(2);
    user::pipe2(fds.address(), 0);
    user::read(fds.Load(), 1);
  });
  const std::string hung = system.Run();
  EXPECT_NE(hung.find("INFO: task sleeper:1 blocked for ever"), std::string::npos) << hung;
  EXPECT_NE(hung.find("pipe_read"), std::string::npos) << hung;
}

TEST(Boot, AProgramThatBlocksLetsOthersRun) {
  System system;
  std::string order;
  for (const char* name : {"a", "b"}) {
    system.Start(name, [&order, name] {
      for (int i = 0; i < 3; ++i) {
        order += name;
        user::nanosleep(1'000'000);
      }
    });
  }
  EXPECT_EQ(system.Run(), "");
  EXPECT_EQ(order, "ababab");
}

TEST(Boot, ASpinningProgramIsInterruptedByTheTick) {
  System system;
  bool stop = false;
  uint64_t spins = 0;
  system.Start("spinner", [&] {
    user::Arena arena;
    const auto word = arena.New<int>();
    while (!stop) {
      word.Load();
      ++spins;
    }
  });
  system.Start("stopper", [&] { stop = true; });
  EXPECT_EQ(system.Run(), "");
  EXPECT_GT(spins, 0u);
}

}  // namespace
}  // namespace kpath
