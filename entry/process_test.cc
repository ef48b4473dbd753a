// SPDX-License-Identifier: Apache-2.0
//
// Processes and threads, seen from ring 3: fork, vfork, clone, exec, exit, wait4.
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <csignal>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "entry/boot.h"
#include "gtest/gtest.h"
#include "sim/kernel/sched.h"
#include "sim/process/fork.h"

namespace kpath {
namespace {

constexpr uint64_t kThread =
    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

std::string Why() { return current->reason.ToString(); }

// Runs `program` alone on a machine; all must be well at the end.
void RunProgram(const user::Code& program, const SystemOptions& options = {}) {
  System system(options);
  bool ended = false;
  system.Start("prog", [&] {
    program();
    ended = true;
  });
  EXPECT_EQ(system.Run(), "");
  EXPECT_TRUE(ended);
}

// Waits for `pid`; returns its status.
int WaitFor(int64_t pid) {
  int status = -1;
  EXPECT_EQ(user::waitpid(static_cast<int>(pid), &status, 0), pid);
  return status;
}

// ---- fork ----

TEST(Fork, SharesOpenFilesButNotMemory) {
  RunProgram([] {
    user::Arena arena;
    const auto word = arena.Put(1);
    const int fd = static_cast<int>(user::open("/tmp/x", O_RDWR | O_CREAT, 0600));
    int in_child = 0;
    const int64_t pid = user::fork([&] {
      in_child = word.Load();
      word.Store(2);
      user::write(fd, "from the child");
      user::close(fd);
    });
    EXPECT_GT(pid, 0);
    EXPECT_EQ(WaitFor(pid), 0);
    EXPECT_EQ(in_child, 1);
    EXPECT_EQ(word.Load(), 1);                    // a copy was changed
    EXPECT_EQ(user::lseek(fd, 0, SEEK_CUR), 14);  // the position is one
    EXPECT_EQ(user::lseek(fd, 0, SEEK_SET), 0);   // the descriptors are two
    EXPECT_EQ(user::read(fd, 100), "from the child");
  });
}

TEST(Fork, SharedMappingsStayShared) {
  RunProgram([] {
    const int64_t page =
        user::mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    WaitFor(user::fork([&] { user::Store<int>(page, 7); }));
    EXPECT_EQ(user::Load<int>(page), 7);
  });
}

TEST(Fork, GivesTheChildAPidOfItsOwn) {
  RunProgram([] {
    int64_t inside = 0;
    const int64_t pid = user::fork([&] { inside = user::getpid(); });
    WaitFor(pid);
    EXPECT_EQ(inside, pid);
    EXPECT_NE(pid, user::getpid());
  });
}

TEST(Fork, ARecordedPidCanBeGiven) {
  RunProgram([] {
    SetNextPid(1661);
    const int64_t recorded = user::fork([] {});
    EXPECT_EQ(recorded, 1661);
    const int64_t next = user::fork([] {});
    EXPECT_NE(next, 1661);
    WaitFor(recorded);
    WaitFor(next);
  });
}

TEST(Fork, AChildMayForkInItsTurn) {
  RunProgram([] {
    int status = -1;
    WaitFor(user::fork([&] { status = WaitFor(user::fork([] { user::exit_group(5); })); }));
    EXPECT_EQ(WEXITSTATUS(status), 5);
  });
}

TEST(Vfork, StopsTheParentUntilTheChildHasEnded) {
  RunProgram([] {
    std::string order;
    const int64_t pid = user::vfork([&] {
      user::nanosleep(1'000'000);
      order += "child ";
    });
    order += "parent";
    EXPECT_EQ(order, "child parent");
    WaitFor(pid);
  });
}

TEST(Vfork, SharesMemory) {
  RunProgram([] {
    user::Arena arena;
    const auto word = arena.Put(1);
    WaitFor(user::vfork([&] { word.Store(2); }));
    EXPECT_EQ(word.Load(), 2);
  });
}

TEST(Vfork, LetsTheParentGoOnAtTheExec) {
  RunProgram([] {
    std::string order;
    const int64_t pid = user::vfork([&] {
      RequestExec(current, {.comm = "execed"});
      user::getpid();
      EXPECT_EQ(current->comm, "execed");
      user::nanosleep(1'000'000);
      order += "child";
    });
    order += "parent ";
    WaitFor(pid);
    EXPECT_EQ(order, "parent child");
  });
}

// ---- clone ----

TEST(Clone, WithVmSharesMemory) {
  RunProgram([] {
    user::Arena arena;
    const auto word = arena.Put(1);
    WaitFor(user::clone(CLONE_VM | SIGCHLD, 0, 0, 0, [&] { word.Store(2); }));
    EXPECT_EQ(word.Load(), 2);
  });
}

TEST(Clone, WithFilesSharesTheDescriptors) {
  RunProgram([] {
    const int fd = static_cast<int>(user::open("/tmp/x", O_RDWR | O_CREAT, 0600));
    WaitFor(user::clone(CLONE_FILES | SIGCHLD, 0, 0, 0, [&] { user::close(fd); }));
    EXPECT_EQ(user::close(fd), -EBADF);
  });
}

TEST(Clone, UsesTheStackThatItIsGiven) {
  RunProgram([] {
    user::Arena arena;
    const uint64_t stack = arena.Bytes(4096) + 4096;
    uint64_t sp = 0;
    WaitFor(
        user::clone(CLONE_VM | SIGCHLD, stack, 0, 0, [&] { sp = current->cpu->regs[Reg::rsp]; }));
    EXPECT_EQ(sp, stack);
  });
}

TEST(Clone, StoresThreadIdsWhereAskedTo) {
  RunProgram([] {
    user::Arena arena;
    const auto parent_tid = arena.Put(0);
    const auto child_tid = arena.Put(0);
    int in_child = 0;
    const int64_t pid = user::clone(
        CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, 0,
        parent_tid.address(), child_tid.address(), [&] { in_child = child_tid.Load(); });
    EXPECT_EQ(parent_tid.Load(), pid);
    WaitFor(pid);
    EXPECT_EQ(in_child, pid);
    EXPECT_EQ(child_tid.Load(), 0);  // cleared at its end
  });
}

TEST(Clone, RefusesFlagsThatDoNotGoTogether) {
  RunProgram([] {
    EXPECT_EQ(user::clone(CLONE_THREAD | CLONE_VM, 0, 0, 0, [] {}), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: CLONE_THREAD without CLONE_SIGHAND");
    EXPECT_EQ(user::clone(CLONE_SIGHAND, 0, 0, 0, [] {}), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: CLONE_SIGHAND without CLONE_VM");
    EXPECT_EQ(user::clone(CLONE_NEWPID, 0, 0, 0, [] {}), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: namespaces are not modelled: flags 0x20000000");
  });
}

// ---- Threads ----

TEST(Thread, IsPartOfItsProcess) {
  RunProgram([] {
    user::Arena arena;
    const auto fds = arena.New<int32_t>(2);
    user::pipe2(fds.address(), 0);
    int64_t pid = 0, tid = 0;
    const int64_t made = user::clone(kThread, 0, 0, 0, [&] {
      pid = user::getpid();
      tid = user::gettid();
      user::write((fds + 1).Load(), "x");
      user::exit(0);
    });
    user::read(fds.Load(), 1);
    EXPECT_EQ(pid, user::getpid());
    EXPECT_EQ(tid, made);
    EXPECT_EQ(user::wait4(-1, 0, 0), -ECHILD);  // a thread is no child
    EXPECT_EQ(Why(), "ECHILD: no children");
  });
}

// Makes a child that starts `threads` threads, each in `body`, and then runs `main`.
int StatusOfProcessWithThreads(int threads, const user::Code& body, const user::Code& main) {
  int status = -1;
  RunProgram([&] {
    status = WaitFor(user::fork([&] {
      for (int i = 0; i < threads; ++i) user::clone(kThread, 0, 0, 0, body);
      main();
    }));
  });
  return status;
}

TEST(Thread, ExitGroupEndsSleepingThreads) {
  const auto sleep_long = [] {
    user::nanosleep(int64_t{3'600'000'000'000});
    ADD_FAILURE() << "the thread lived on";
  };
  const int status = StatusOfProcessWithThreads(3, sleep_long, [] {
    user::nanosleep(1000);
    user::exit_group(9);
  });
  EXPECT_EQ(status, 9 << 8);
}

TEST(Thread, ABadAccessOfOneEndsAll) {
  const int status = StatusOfProcessWithThreads(
      1, [] { user::Load<int>(0); }, [] { user::nanosleep(int64_t{3'600'000'000'000}); });
  EXPECT_EQ(status, SIGSEGV);
}

TEST(Thread, TheProcessEndsWithItsLastThread) {
  bool thread_done = false;
  const int status = StatusOfProcessWithThreads(
      1,
      [&] {
        user::nanosleep(1'000'000);
        thread_done = true;
        user::exit(7);
      },
      [] { user::exit(3); });
  EXPECT_TRUE(thread_done);
  EXPECT_EQ(status, 3 << 8);  // that of the leader
}

TEST(Thread, AnExecEndsTheOthers) {
  const int status = StatusOfProcessWithThreads(
      2, [] { user::nanosleep(int64_t{3'600'000'000'000}); },
      [] {
        RequestExec(current, {.comm = "alone"});
        user::getpid();
        user::exit_group(4);
      });
  EXPECT_EQ(status, 4 << 8);
}

// ---- exec ----

TEST(Exec, GivesAFreshAddressSpaceAndKeepsFiles) {
  RunProgram([] {
    const int64_t page =
        user::mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const int keep = static_cast<int>(user::open("/tmp/x", O_RDWR | O_CREAT, 0600));
    const int gone = static_cast<int>(user::open("/tmp/x", O_RDWR | O_CLOEXEC));
    const int64_t pid = user::fork([&] {
      user::Store<int>(page, 1);
      RequestExec(current, {.comm = "a name that is too long"});
      user::getpid();
      EXPECT_EQ(current->comm, "a name that is ");
      EXPECT_EQ(user::close(keep), 0);
      EXPECT_EQ(user::close(gone), -EBADF);
      user::Load<int>(page);
    });
    EXPECT_EQ(WaitFor(pid), SIGSEGV);
    EXPECT_EQ(user::close(gone), 0);  // the parent's own
  });
}

TEST(Exec, StartsAtTheAddressItIsGiven) {
  System system;
  std::string order;
  const uint64_t start = user::LoadCode(system.machine(), user::Program([&] {
                                          order += "new";
                                          user::exit_group(6);
                                        }));
  const int pid = system
                      .Start("old",
                             [&] {
                               order += "old ";
                               RequestExec(current, {.comm = "new", .start_ip = start});
                               user::getpid();
                               order += "back ";
                             })
                      ->pid;
  EXPECT_EQ(system.Run(), "");
  EXPECT_EQ(order, "old new");
  EXPECT_EQ(system.ExitStatus(pid), 6 << 8);
}

// ---- wait4 ----

TEST(Wait4, TellsHowAChildEnded) {
  RunProgram([] {
    EXPECT_EQ(WaitFor(user::fork([] {})), 0);
    EXPECT_EQ(WaitFor(user::fork([] { user::exit_group(3); })), 3 << 8);
    EXPECT_EQ(WaitFor(user::fork([] { user::exit(0x1ff); })), 0xff << 8);
    EXPECT_EQ(WaitFor(user::fork([] { user::Load<int>(0); })), SIGSEGV);
  });
}

TEST(Wait4, ReapsEachChildOnce) {
  RunProgram([] {
    const int64_t pid = user::fork([] {});
    WaitFor(pid);
    EXPECT_EQ(user::wait4(static_cast<int>(pid), 0, 0), -ECHILD);
    EXPECT_EQ(user::wait4(-1, 0, 0), -ECHILD);
  });
}

TEST(Wait4, WithWnohangDoesNotWait) {
  RunProgram([] {
    const int64_t pid = user::fork([] { user::nanosleep(1'000'000); });
    EXPECT_EQ(user::wait4(-1, 0, WNOHANG), 0);
    user::nanosleep(2'000'000);
    EXPECT_EQ(user::wait4(-1, 0, WNOHANG), pid);
    EXPECT_EQ(user::wait4(-1, 0, WNOHANG), -ECHILD);
  });
}

TEST(Wait4, WaitsForTheChildThatIsNamed) {
  RunProgram([] {
    const int64_t slow = user::fork([] { user::nanosleep(1'000'000); });
    const int64_t fast = user::fork([] {});
    EXPECT_EQ(user::wait4(static_cast<int>(slow), 0, 0), slow);
    EXPECT_EQ(user::wait4(-1, 0, 0), fast);
    EXPECT_EQ(user::wait4(9999, 0, 0), -ECHILD);
  });
}

TEST(Wait4, ChildrenWithoutSigchldAreForWcloneOnly) {
  RunProgram([] {
    const int64_t pid = user::clone(0, 0, 0, 0, [] {});
    EXPECT_EQ(user::wait4(-1, 0, 0), -ECHILD);
    EXPECT_EQ(Why(), "ECHILD: no child fits pid 0");
    EXPECT_EQ(user::wait4(-1, 0, static_cast<int>(__WCLONE)), pid);
  });
}

TEST(Wait4, RefusesWhatItDoesNotKnow) {
  RunProgram([] {
    EXPECT_EQ(user::wait4(-1, 0, 0x100), -EINVAL);
    EXPECT_EQ(user::wait4(INT32_MIN, 0, 0), -ESRCH);
    const int64_t pid = user::fork([] {});
    EXPECT_EQ(user::wait4(-1, 0x1000, 0), -EFAULT);
    EXPECT_EQ(user::wait4(static_cast<int>(pid), 0, 0), -ECHILD);  // it was reaped all the same
  });
}

TEST(Wait4, AnOrphanIsReapedWhenItEnds) {
  System system;
  int64_t orphan = 0;
  const int parent =
      system
          .Start("parent",
                 [&] {
                   orphan = user::fork([] {
                     user::nanosleep(1'000'000);
                     user::exit_group(2);
                   });
                   user::fork([] {});  // ends first, and is a zombie when the parent ends
                   user::nanosleep(1000);
                   user::exit_group(1);
                 })
          ->pid;
  EXPECT_EQ(system.Run(), "");
  EXPECT_EQ(system.ExitStatus(parent), 1 << 8);
  EXPECT_EQ(system.ExitStatus(static_cast<int>(orphan)), 2 << 8);
}

}  // namespace
}  // namespace kpath
