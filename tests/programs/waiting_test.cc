// SPDX-License-Identifier: Apache-2.0
//
// Programs that wait for pipes, eventfds and timers: with poll, select and epoll, with and without
// O_NONBLOCK, on one CPU and on several, in any order of events.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "entry/boot.h"
#include "gtest/gtest.h"
#include "sim/user/user.h"
#include "syscall_table/numbers_64.h"

namespace kpath {
namespace {

constexpr int64_t kMs = 1'000'000;

struct Machines {
  int cpus;
  int seed;  // -1: the ordinary course of events
};

class Waiting : public testing::TestWithParam<Machines> {
 protected:
  // Runs `program` to its end and checks that it says "well" and leaves nothing.
  void Run(user::Code program) {
    SystemOptions options;
    options.cpus = GetParam().cpus;
    if (GetParam().seed >= 0) options.seed = static_cast<uint64_t>(GetParam().seed);
    System system(options);
    const int pid = system.Start("program", std::move(program))->pid;
    EXPECT_EQ(system.Run(), "");
    EXPECT_EQ(system.ExitStatus(pid), 0);
  }
};

INSTANTIATE_TEST_SUITE_P(All, Waiting,
                         testing::Values(Machines{1, -1}, Machines{2, -1}, Machines{1, 1},
                                         Machines{2, 2}, Machines{3, 3}, Machines{4, 4},
                                         Machines{2, 5}, Machines{3, 6}));

// Ends the program with exit status 1 where something is not as it should be.
#define REQUIRE(condition)                                      \
  do {                                                          \
    if (!(condition)) {                                         \
      ADD_FAILURE() << "the program finds: not " << #condition; \
      user::exit_group(1);                                      \
    }                                                           \
  } while (false)

int64_t NowNs(user::Arena& arena) {
  const auto now = arena.New<timespec>();
  REQUIRE(user::Syscall(NR_clock_gettime, CLOCK_MONOTONIC, now.address()) == 0);
  return now.Load().tv_sec * 1'000'000'000 + now.Load().tv_nsec;
}

// A child has ended, and well.
void WaitForChild() {
  int status = -1;
  user::waitpid(-1, &status, 0);
  REQUIRE(status == 0);
}

struct Pipe {
  Pipe(user::Arena& arena, int flags) {
    const auto fds = arena.New<int>(2);
    REQUIRE(user::pipe2(fds.address(), flags) == 0);
    read_end = fds.Load();
    write_end = (fds + 1).Load();
  }
  int read_end;
  int write_end;
};

// One call of poll. Returns revents, in the order of `fds`; none: the time was over.
std::vector<short> Poll(user::Arena& arena, std::vector<pollfd> fds, int timeout_ms) {
  const auto array = arena.New<pollfd>(fds.size());
  for (size_t i = 0; i < fds.size(); ++i) (array + static_cast<int64_t>(i)).Store(fds[i]);
  const int64_t n = user::Syscall(NR_poll, array.address(), fds.size(), timeout_ms);
  REQUIRE(n >= 0);
  std::vector<short> revents;
  for (size_t i = 0; n > 0 && i < fds.size(); ++i) {
    revents.push_back((array + static_cast<int64_t>(i)).Load().revents);
  }
  return revents;
}

TEST_P(Waiting, APollerReadsWhatItsChildWrites) {
  Run([] {
    user::Arena arena;
    const Pipe pipe(arena, 0);
    user::fork([pipe] {
      for (int i = 0; i < 5; ++i) {
        user::nanosleep(3 * kMs);
        user::write(pipe.write_end, absl::StrCat("line ", i, "\n"));
      }
      user::exit_group(0);
    });
    user::close(pipe.write_end);
    std::string text;
    while (true) {
      const auto revents = Poll(arena, {{pipe.read_end, POLLIN, 0}}, 1000);
      REQUIRE(!revents.empty());
      if ((revents[0] & POLLIN) == 0) {
        REQUIRE(revents[0] == POLLHUP);
        break;
      }
      text += user::read(pipe.read_end, 100);
    }
    REQUIRE(text == "line 0\nline 1\nline 2\nline 3\nline 4\n");
    REQUIRE(user::read(pipe.read_end, 1).empty());
    WaitForChild();
  });
}

TEST_P(Waiting, ThreeKindsOfFilesInOneCall) {
  Run([] {
    user::Arena arena;
    const Pipe pipe(arena, O_NONBLOCK);
    const auto event = static_cast<int>(user::eventfd(0, EFD_NONBLOCK));
    const auto timer = static_cast<int>(user::Syscall(NR_timerfd_create, CLOCK_MONOTONIC, 0));
    const auto setting = arena.Put(itimerspec{{0, 0}, {0, 20 * kMs}});
    REQUIRE(user::Syscall(NR_timerfd_settime, timer, 0, setting.address(), 0) == 0);
    const std::vector<pollfd> all = {
        {pipe.read_end, POLLIN, 0}, {event, POLLIN, 0}, {timer, POLLIN, 0}};
    REQUIRE(Poll(arena, all, 0).empty());
    const int64_t start = NowNs(arena);
    user::fork([event] {
      user::Arena arena(4096);
      user::nanosleep(4 * kMs);
      user::write(event, arena.Put(uint64_t{5}).address(), 8);
      user::exit_group(0);
    });
    REQUIRE((Poll(arena, all, -1) == std::vector<short>{0, POLLIN, 0}));
    const uint64_t count = arena.Bytes(8);
    REQUIRE(user::read(event, count, 8) == 8);
    REQUIRE(user::Load<uint64_t>(count) == 5);
    REQUIRE(user::read(event, count, 8) == -EAGAIN);
    REQUIRE(NowNs(arena) - start >= 4 * kMs);
    REQUIRE((Poll(arena, all, -1) == std::vector<short>{0, 0, POLLIN}));
    REQUIRE(NowNs(arena) - start >= 19 * kMs);
    REQUIRE(user::read(timer, count, 8) == 8);
    REQUIRE(user::Load<uint64_t>(count) == 1);
    WaitForChild();
  });
}

TEST_P(Waiting, AFullPipeIsWritableAgainWhenItWasRead) {
  Run([] {
    user::Arena arena(256 * 1024);
    const Pipe pipe(arena, O_NONBLOCK);
    const uint64_t bytes = arena.Bytes(100'000);
    REQUIRE(user::write(pipe.write_end, bytes, 100'000) == 65536);
    REQUIRE(user::write(pipe.write_end, bytes, 1) == -EAGAIN);
    REQUIRE(Poll(arena, {{pipe.write_end, POLLOUT, 0}}, 5).empty());
    user::fork([pipe] {
      user::Arena arena(8192);
      user::nanosleep(2 * kMs);
      user::read(pipe.read_end, arena.Bytes(4096), 4096);
      user::exit_group(0);
    });
    REQUIRE((Poll(arena, {{pipe.write_end, POLLOUT, 0}}, -1) == std::vector<short>{POLLOUT}));
    REQUIRE(user::write(pipe.write_end, bytes, 8192) == 4096);
    // More buffers, more room.
    REQUIRE(user::Syscall(NR_fcntl, pipe.write_end, F_SETPIPE_SZ, 1 << 17) == 1 << 17);
    REQUIRE(user::write(pipe.write_end, bytes, 100'000) == 65536);
    WaitForChild();
  });
}

TEST_P(Waiting, ABlockingWriterWritesAllOfIt) {
  Run([] {
    user::Arena arena(256 * 1024);
    const Pipe pipe(arena, 0);
    user::fork([pipe] {
      user::Arena arena(256 * 1024);
      user::close(pipe.read_end);
      user::exit_group(user::write(pipe.write_end, arena.Bytes(200'000), 200'000) == 200'000 ? 0
                                                                                             : 2);
    });
    user::close(pipe.write_end);
    const uint64_t bytes = arena.Bytes(10'000);
    int64_t total = 0;
    for (int64_t n; (n = user::read(pipe.read_end, bytes, 10'000)) != 0; total += n) {
      REQUIRE(n > 0);
    }
    REQUIRE(total == 200'000);
    WaitForChild();
  });
}

TEST_P(Waiting, SelectTellsTheTimeThatIsLeft) {
  Run([] {
    user::Arena arena;
    const Pipe pipe(arena, 0);
    const auto in = arena.New<uint64_t>();
    const auto tv = arena.Put(timeval{0, 5000});
    in.Store(uint64_t{1} << pipe.read_end);
    const int64_t start = NowNs(arena);
    REQUIRE(user::Syscall(NR_select, pipe.read_end + 1, in.address(), 0, 0, tv.address()) == 0);
    REQUIRE(NowNs(arena) - start >= 5 * kMs);
    REQUIRE(in.Load() == 0);
    REQUIRE(tv.Load().tv_usec == 0);
    user::write(pipe.write_end, "x");
    in.Store(uint64_t{1} << pipe.read_end);
    tv.Store({7, 0});
    REQUIRE(user::Syscall(NR_select, pipe.read_end + 1, in.address(), 0, 0, tv.address()) == 1);
    REQUIRE(in.Load() == uint64_t{1} << pipe.read_end);
    REQUIRE(tv.Load().tv_sec == 6);
  });
}

// A server: children send through pipes of their own, until they end.
TEST_P(Waiting, AnEpollServerHearsAllItsClients) {
  Run([] {
    constexpr int kClients = 4;
    user::Arena arena;
    const auto set = static_cast<int>(user::Syscall(NR_epoll_create1, 0));
    std::vector<Pipe> pipes;
    for (int i = 0; i < kClients; ++i) pipes.emplace_back(arena, O_NONBLOCK);
    for (int i = 0; i < kClients; ++i) {
      const Pipe pipe = pipes[static_cast<size_t>(i)];
      epoll_event event = {};
      event.events = EPOLLIN;
      if (i % 2 == 0) event.events |= EPOLLET;
      event.data.fd = pipe.read_end;
      REQUIRE(user::Syscall(NR_epoll_ctl, set, EPOLL_CTL_ADD, pipe.read_end,
                            arena.Put(event).address()) == 0);
      user::fork([pipes, pipe, i] {
        for (const Pipe& other : pipes) {
          user::close(other.read_end);
          if (other.write_end != pipe.write_end) user::close(other.write_end);
        }
        for (int n = 0; n < 10; ++n) {
          user::write(pipe.write_end, std::string(static_cast<size_t>(i + 1), 'x'));
          if (n % 3 == 0) user::nanosleep(kMs);
        }
        user::exit_group(0);
      });
    }
    for (const Pipe& pipe : pipes) user::close(pipe.write_end);
    const auto events = arena.New<epoll_event>(kClients);
    const uint64_t buffer = arena.Bytes(64);
    int64_t heard = 0;
    int open = kClients;
    while (open > 0) {
      const int64_t n = user::Syscall(NR_epoll_wait, set, events.address(), kClients, 2000);
      REQUIRE(n > 0);
      for (int64_t i = 0; i < n; ++i) {
        const epoll_event event = (events + i).Load();
        int64_t bytes;
        while ((bytes = user::read(event.data.fd, buffer, 64)) > 0) heard += bytes;
        if (bytes == 0) {
          REQUIRE((event.events & EPOLLHUP) != 0 || bytes == 0);
          user::close(event.data.fd);  // leaves the set
          --open;
        } else {
          REQUIRE(bytes == -EAGAIN);
        }
      }
    }
    REQUIRE(heard == 10 * (1 + 2 + 3 + 4));
    for (int i = 0; i < kClients; ++i) WaitForChild();
  });
}

TEST_P(Waiting, SleepingUntilATime) {
  Run([] {
    user::Arena arena;
    const int64_t start = NowNs(arena);
    const int64_t then = start + 10 * kMs;
    const auto time = arena.Put(timespec{then / 1'000'000'000, then % 1'000'000'000});
    REQUIRE(user::Syscall(NR_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, time.address(), 0) ==
            0);
    REQUIRE(NowNs(arena) >= then);
    REQUIRE(NowNs(arena) < then + 2 * kMs);
    const auto tv = arena.New<timeval>();
    REQUIRE(user::Syscall(NR_gettimeofday, tv.address(), 0) == 0);
    REQUIRE(user::Syscall(NR_time, 0) == tv.Load().tv_sec);
    REQUIRE(user::Syscall(NR_clock_getres, CLOCK_MONOTONIC, time.address()) == 0);
    REQUIRE(time.Load().tv_nsec == 1);
  });
}

TEST_P(Waiting, ASemaphoreAmongProcesses) {
  Run([] {
    user::Arena arena;
    const auto semaphore = static_cast<int>(user::eventfd(2, EFD_SEMAPHORE));
    const Pipe log(arena, 0);
    for (int i = 0; i < 4; ++i) {
      user::fork([semaphore, log] {
        user::Arena arena(4096);
        const uint64_t one = arena.Put(uint64_t{0}).address();
        REQUIRE(user::read(semaphore, one, 8) == 8);
        REQUIRE(user::Load<uint64_t>(one) == 1);
        user::write(log.write_end, "(");
        user::nanosleep(3 * kMs);
        user::write(log.write_end, ")");
        REQUIRE(user::write(semaphore, one, 8) == 8);
        user::exit_group(0);
      });
    }
    user::close(log.write_end);
    std::string text;
    while (text.size() < 8) text += user::read(log.read_end, 8);
    int inside = 0;
    for (const char c : text) {
      inside += c == '(' ? 1 : -1;
      REQUIRE(inside >= 0 && inside <= 2);
    }
    for (int i = 0; i < 4; ++i) WaitForChild();
  });
}

}  // namespace
}  // namespace kpath
