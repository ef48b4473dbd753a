// SPDX-License-Identifier: Apache-2.0
//
// Many processes on many CPUs: every order of events gives a result that Linux could give, nothing
// is left, and the same choices give the same run.
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <csignal>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "entry/boot.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

constexpr uint64_t kSeeds = 40;

SystemOptions FourCpus(uint64_t seed) {
  SystemOptions options;
  options.cpus = 4;
  options.seed = seed;
  return options;
}

// One number for all that a listener can see of a run.
class Digest : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override {
    Add(static_cast<uint64_t>(event.kind));
    Add(event.position.probes_passed());
    Add(static_cast<uint64_t>(event.time_ns));
    Add(static_cast<uint64_t>(event.cpu->id()));
    if (event.function != nullptr) Add(event.function->name);
    if (event.step != nullptr) Add(event.step->label);
    for (const Value& value : event.values) Add(value.ToString());
  }
  uint64_t value() const { return value_; }

 private:
  void Add(uint64_t word) { value_ = (value_ ^ word) * 0x100000001b3; }
  void Add(const std::string& text) {
    for (const char c : text) Add(static_cast<uint64_t>(static_cast<uint8_t>(c)));
  }

  uint64_t value_ = 0xcbf29ce484222325;
};

// Interrupts a new process where its registers in user mode are set, but not yet used: what the
// interrupt pushes must not be where they are.
TEST(System, AnInterruptBeforeUserModeLeavesTheRegistersAlone) {
  class Interrupter : public ProbeListener {
   public:
    void OnProbe(const ProbeEvent& event) override {
      if (event.kind != ProbeEvent::Kind::kFunctionExit) return;
      if (event.function->name != std::string("exec_binprm")) return;
      event.cpu->RaiseInterrupt(0xfd);  // RESCHEDULE_VECTOR
      ++interrupts;
    }
    int interrupts = 0;
  };
  System system;
  Interrupter interrupter;
  system.machine().AddListener(&interrupter);
  long pid = 0;
  system.Start("new", [&] { pid = user::getpid(); });
  EXPECT_EQ(system.Run(), "");
  EXPECT_EQ(interrupter.interrupts, 1);
  EXPECT_GT(pid, 0);
}

TEST(System, AThousandProcessesLeaveNothing) {
  System system;
  int ended_well = 0;
  system.Start("parent", [&] {
    for (int i = 0; i < 1000; ++i) {
      user::fork([i] {
        user::Arena arena(8192);
        arena.Put(i);
        user::exit_group(i & 0xff);
      });
      int status = -1;
      user::waitpid(-1, &status, 0);
      if (WEXITSTATUS(status) == (i & 0xff)) ++ended_well;
    }
  });
  EXPECT_EQ(system.Run(), "");
  EXPECT_EQ(ended_well, 1000);
}

// Children that append to one file through one descriptor: each record is whole, none is lost.
TEST(System, ConcurrentAppendsAreAllThere) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    System system(FourCpus(seed));
    std::string contents;
    system.Start("parent", [&] {
      const int fd = static_cast<int>(user::open("/tmp/log", O_RDWR | O_CREAT, 0600));
      for (int child = 0; child < 6; ++child) {
        user::fork([fd, child] {
          for (int i = 0; i < 3; ++i) user::write(fd, absl::StrCat("<", child, ".", i, ">"));
        });
      }
      while (user::wait4(-1, 0, 0) > 0) {
      }
      user::lseek(fd, 0, SEEK_SET);
      contents = user::read(fd, 4096);
    });
    EXPECT_EQ(system.Run(), "");
    EXPECT_EQ(contents.size(), 6u * 3u * 5u) << contents;
    for (int child = 0; child < 6; ++child) {
      size_t at = 0;
      for (int i = 0; i < 3; ++i) {
        at = contents.find(absl::StrCat("<", child, ".", i, ">"), at);
        EXPECT_NE(at, std::string::npos) << contents;
      }
    }
  }
}

// Two parents and the system reap whatever order children end in.
TEST(System, EachChildIsReapedOnceWhateverTheOrder) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    System system(FourCpus(seed));
    std::set<int64_t> reaped;
    int64_t last = 0;
    system.Start("parent", [&] {
      std::set<int64_t> children;
      for (int i = 0; i < 8; ++i) {
        children.insert(user::fork([i] {
          if (i % 2 == 0) user::nanosleep(1000 * i);
          user::fork([i] { user::nanosleep(500 * i); });  // soon nobody's child
        }));
      }
      for (int i = 0; i < 8; ++i) reaped.insert(user::wait4(-1, 0, 0));
      last = user::wait4(-1, 0, 0);
      EXPECT_EQ(reaped, children);
    });
    EXPECT_EQ(system.Run(), "");
    EXPECT_EQ(reaped.size(), 8u);
    EXPECT_EQ(last, -ECHILD);
  }
}

// One thread ends the process while others fork, fault, sleep and exit.
TEST(System, AGroupExitEndsThreadsWhereverTheyAre) {
  constexpr uint64_t kThread =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    System system(FourCpus(seed));
    const int pid = system
                        .Start("threads",
                               [&] {
                                 user::Arena arena(1 << 20);
                                 const uint64_t bytes = arena.Bytes(64 * 4096, 4096);
                                 // A stack of its own: both threads put a timespec there.
                                 const uint64_t stack = arena.Bytes(4096, 4096) + 4096;
                                 user::clone(kThread, stack, 0, 0,
                                             [] { user::nanosleep(int64_t{3'600'000'000'000}); });
                                 user::clone(kThread, 0, 0, 0, [bytes] {
                                   for (uint64_t i = 0;; ++i)
                                     user::Store<uint64_t>(bytes + i % 64 * 4096, i);
                                 });
                                 user::clone(kThread, 0, 0, 0, [] {
                                   while (user::fork([] {}) > 0) user::wait4(-1, 0, 0);
                                 });
                                 user::clone(kThread, 0, 0, 0, [] { user::exit(1); });
                                 user::nanosleep(50'000);
                                 user::exit_group(33);
                               })
                        ->pid;
    EXPECT_EQ(system.Run(), "");
    EXPECT_EQ(system.ExitStatus(pid), 33 << 8);
  }
}

// Threads that count in shared memory without a lock lose some counts and never invent any.
TEST(System, SharedMemoryIsSeenByAllThreads) {
  std::set<int> sums;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    System system(FourCpus(seed));
    int sum = 0;
    system.Start("parent", [&] {
      user::Arena arena;
      const auto counter = arena.Put(0);
      for (int i = 0; i < 4; ++i) {
        user::clone(CLONE_VM | SIGCHLD, 0, 0, 0, [counter] {
          for (int j = 0; j < 20; ++j) counter.Store(counter.Load() + 1);
        });
      }
      while (user::wait4(-1, 0, 0) > 0) {
      }
      sum = counter.Load();
    });
    EXPECT_EQ(system.Run(), "");
    EXPECT_GE(sum, 20);
    EXPECT_LE(sum, 80);
    sums.insert(sum);
  }
  EXPECT_GT(sums.size(), 1u) << "the CPUs never ran at the same time";
}

uint64_t DigestOfARun(uint64_t seed, bool listen, uint64_t* probes) {
  System system(FourCpus(seed));
  Digest digest;
  if (listen) system.machine().AddListener(&digest);
  system.Start("parent", [] {
    user::Arena arena;
    const int fd = static_cast<int>(user::open("/tmp/x", O_RDWR | O_CREAT, 0600));
    for (int i = 0; i < 4; ++i) {
      user::fork([fd, i] {
        user::write(fd, "abc");
        user::nanosleep(1000 * i);
        user::Load<int>(
            i == 3 ? 0 : user::mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
      });
    }
    while (user::wait4(-1, 0, 0) > 0) {
    }
  });
  EXPECT_EQ(system.Run(), "");
  *probes = system.machine().position().probes_passed();
  if (listen) system.machine().RemoveListener(&digest);
  return digest.value();
}

TEST(System, TheSameChoicesGiveTheSameRun) {
  std::set<uint64_t> digests;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    uint64_t probes = 0, again = 0, unwatched = 0;
    const uint64_t digest = DigestOfARun(seed, true, &probes);
    EXPECT_EQ(DigestOfARun(seed, true, &again), digest) << "seed " << seed;
    EXPECT_EQ(again, probes);
    DigestOfARun(seed, false, &unwatched);
    EXPECT_EQ(unwatched, probes) << "looking on changed the run";
    digests.insert(digest);
  }
  EXPECT_GT(digests.size(), 1u) << "seeds make no difference";
}

}  // namespace
}  // namespace kpath
