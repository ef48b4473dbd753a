// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/eventpoll.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "sim/kernel/timekeeping.h"
#include "sim/kernel/timer.h"
#include "sim/machine/test_chooser.h"
#include "sim/vfs/anon_inodes.h"
#include "sim/vfs/eventpoll_internal.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/test_vfs.h"

namespace kpath {

long __x64_sys_epoll_create(const pt_regs* regs);
long __x64_sys_epoll_create1(const pt_regs* regs);
long __x64_sys_epoll_ctl(const pt_regs* regs);
long __x64_sys_epoll_wait(const pt_regs* regs);
long __x64_sys_epoll_pwait(const pt_regs* regs);
long __x64_sys_eventfd2(const pt_regs* regs);
long __x64_sys_open(const pt_regs* regs);
long __x64_sys_unlink(const pt_regs* regs);
long __x64_sys_read(const pt_regs* regs);
long __x64_sys_write(const pt_regs* regs);
long __x64_sys_close(const pt_regs* regs);
long __x64_sys_dup(const pt_regs* regs);

namespace {

using ::testing::ElementsAre;

// A process with a set under fd 0, and eventfds, all 0, under fd 1 to 3.
class Epoll : public ::testing::TestWithParam<int> {
 protected:
  using Told = std::pair<uint32_t, uint64_t>;  // events, data

  Epoll() : vfs(GetParam()) {}

  void WithSet(std::function<void()> body) {
    vfs.Process("a", [this, body] {
      ASSERT_EQ(vfs.Call(__x64_sys_epoll_create1, 0), 0);
      for (int fd : {1, 2, 3}) {
        ASSERT_EQ(vfs.Call(__x64_sys_eventfd2, 0, O_NONBLOCK), fd);
      }
      body();
    });
    EXPECT_EQ(vfs.Run(), "");
  }
  // Does `body` later, in a task that has the same descriptors.
  void Later(unsigned ms, std::function<void()> body) {
    ++current->files->count;
    vfs.Process(
        "other",
        [ms, body] {
          msleep(ms);
          body();
        },
        current->files);
  }
  long Control(int op, int fd, uint32_t events, uint64_t data = 0, int set = 0) {
    const user_ptr<char> event = vfs.Buffer(12);
    vfs.user.Write(event.cast<uint32_t>(), events);
    vfs.user.Write((event + 4).cast<uint64_t>(), data);
    return vfs.Call(__x64_sys_epoll_ctl, set, op, fd, event);
  }
  long Add(int fd, uint32_t events, uint64_t data = 0, int set = 0) {
    return Control(EPOLL_CTL_ADD, fd, events, data, set);
  }
  // The number of events; they are left in `told`.
  long Wait(int maxevents, int timeout, int set = 0) {
    told.clear();
    const long n = vfs.Call(__x64_sys_epoll_wait, set, array, maxevents, timeout);
    for (long i = 0; i < n; ++i) {
      told.emplace_back(vfs.user.Read((array + 12 * i).cast<uint32_t>()),
                        vfs.user.Read((array + 12 * i + 4).cast<uint64_t>()));
    }
    return n;
  }
  void Signal(int fd) {
    const user_ptr<char> one = vfs.Buffer(8);
    vfs.user.Write(one.cast<uint64_t>(), uint64_t{1});
    EXPECT_EQ(vfs.Call(__x64_sys_write, fd, one, 8), 8);
  }
  void Drain(int fd) { EXPECT_EQ(vfs.Call(__x64_sys_read, fd, vfs.Buffer(8), 8), 8); }
  long Close(int fd) {
    const long result = vfs.Call(__x64_sys_close, fd);
    TestVfs::ReturnToUserMode();
    return result;
  }

  TestVfs vfs;
  user_ptr<char> array = vfs.Buffer(20 * 12);
  std::vector<Told> told;
};

INSTANTIATE_TEST_SUITE_P(OnCpus, Epoll, ::testing::Values(1, 2));

TEST_P(Epoll, TellsWhatIsReady) {
  WithSet([&] {
    EXPECT_EQ(d_path(fdget(0).file->f_path), "anon_inode:[eventpoll]");
    EXPECT_EQ(Add(1, EPOLLIN, 0x1111222233334444), 0);
    EXPECT_EQ(Add(2, EPOLLIN | EPOLLOUT, 22), 0);
    EXPECT_EQ(Wait(10, 0), 1);
    EXPECT_THAT(told, ElementsAre(Told(EPOLLOUT, 22)));
    Signal(1);
    EXPECT_EQ(Wait(10, -1), 2);
    EXPECT_THAT(told, ElementsAre(Told(EPOLLOUT, 22), Told(EPOLLIN, 0x1111222233334444)));
    EXPECT_EQ(Control(EPOLL_CTL_DEL, 2, 0), 0);
    EXPECT_EQ(Wait(10, 0), 1);
  });
}

TEST_P(Epoll, TheCallsCheckTheirArguments) {
  WithSet([&] {
    EXPECT_EQ(vfs.Call(__x64_sys_epoll_create, 0), -EINVAL);
    EXPECT_EQ(vfs.Call(__x64_sys_epoll_create1, O_NONBLOCK), -EINVAL);
    ASSERT_EQ(vfs.Call(__x64_sys_epoll_create1, O_CLOEXEC), 4);
    EXPECT_TRUE(get_close_on_exec(4));
    EXPECT_EQ(Add(77, EPOLLIN), -EBADF);
    EXPECT_EQ(Add(1, EPOLLIN, 0, 77), -EBADF);
    EXPECT_EQ(Add(1, EPOLLIN, 0, /*set=*/2), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: the file is not an epoll set");
    EXPECT_EQ(Add(0, EPOLLIN), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: a set cannot be in itself");
    EXPECT_EQ(vfs.Call(__x64_sys_epoll_ctl, 0, EPOLL_CTL_ADD, 1, user_ptr<char>(0x9000)), -EFAULT);
    ASSERT_EQ(vfs.Call(__x64_sys_open, vfs.Text("/f"), O_RDWR | O_CREAT, 0600), 5);
    EXPECT_EQ(Add(5, EPOLLIN), -EPERM);
    EXPECT_EQ(Why(), "EPERM: the file is always ready: it cannot be polled");
    EXPECT_EQ(vfs.Call(__x64_sys_unlink, vfs.Text("/f")), 0);
    EXPECT_EQ(Control(EPOLL_CTL_MOD, 1, EPOLLIN), -ENOENT);
    EXPECT_EQ(Control(EPOLL_CTL_DEL, 1, EPOLLIN), -ENOENT);
    EXPECT_EQ(Control(9, 1, EPOLLIN), -EINVAL);
    EXPECT_EQ(Add(1, EPOLLIN), 0);
    EXPECT_EQ(Add(1, EPOLLIN), -EEXIST);
    EXPECT_EQ(Wait(0, 0), -EINVAL);
    EXPECT_EQ(Wait(178956971, 0), -EINVAL);
    EXPECT_EQ(Wait(1, 0, /*set=*/2), -EINVAL);
    EXPECT_EQ(Wait(1, 0, /*set=*/77), -EBADF);
    Signal(1);
    EXPECT_EQ(vfs.Call(__x64_sys_epoll_wait, 0, user_ptr<char>(0x9000), 1, 0), -EFAULT);
    EXPECT_EQ(vfs.Call(__x64_sys_epoll_wait, 0, 0x800000000000, 1, 0), -EFAULT);
    EXPECT_EQ(Wait(1, 0), 1);  // it is still there
  });
}

TEST_P(Epoll, LevelEdgeAndOnce) {
  WithSet([&] {
    EXPECT_EQ(Add(1, EPOLLIN, 1), 0);
    EXPECT_EQ(Add(2, EPOLLIN | EPOLLET, 2), 0);
    EXPECT_EQ(Add(3, EPOLLIN | EPOLLONESHOT, 3), 0);
    for (int fd : {1, 2, 3}) Signal(fd);
    EXPECT_EQ(Wait(10, 0), 3);
    EXPECT_EQ(Wait(10, 0), 1);
    EXPECT_THAT(told, ElementsAre(Told(EPOLLIN, 1)));
    for (int fd : {1, 2, 3}) Signal(fd);
    EXPECT_EQ(Wait(10, 0), 2);  // the edge is told again, the third is asleep
    EXPECT_THAT(told, ElementsAre(Told(EPOLLIN, 1), Told(EPOLLIN, 2)));
    EXPECT_EQ(Control(EPOLL_CTL_MOD, 3, EPOLLIN | EPOLLONESHOT, 33), 0);
    EXPECT_EQ(Wait(10, 0), 2);
    EXPECT_THAT(told, ElementsAre(Told(EPOLLIN, 1), Told(EPOLLIN, 33)));
    Drain(1);
    EXPECT_EQ(Wait(10, 0), 0);
  });
}

// A file that becomes ready once more while it is asked.
struct busy_file {
  wait_queue_head_t wait{"busy_file.wait"};
  int edges = 0;
};
KernelGlobal<busy_file> busy;

__poll_t BusyPoll(kptr<file> file, poll_table* table) {
  poll_wait(file, &busy->wait, table);
  if (poll_does_not_wait(table) && busy->edges-- > 0) wake_up_poll(&busy->wait, EPOLLIN);
  return EPOLLIN;
}
constexpr file_operations kBusyFile = {.name = "busy_file", .poll = BusyPoll};

TEST_P(Epoll, WhatHappensWhileEventsAreHandedOutIsToldNext) {
  WithSet([&] {
    ASSERT_EQ(anon_inode_getfd("[busy]", &kBusyFile, {}, O_RDWR), 4);
    EXPECT_EQ(Add(4, EPOLLIN | EPOLLET, 4), 0);
    busy->edges = 2;
    EXPECT_EQ(Wait(10, 0), 1);
    EXPECT_EQ(Wait(10, 0), 1);
    EXPECT_EQ(Wait(10, 0), 1);
    EXPECT_EQ(Wait(10, 0), 0);
  });
}

TEST_P(Epoll, ReadyItemsTakeTurns) {
  WithSet([&] {
    for (int fd : {1, 2, 3}) {
      EXPECT_EQ(Add(fd, EPOLLIN, static_cast<uint64_t>(fd)), 0);
      Signal(fd);
    }
    std::vector<uint64_t> order;
    for (int i = 0; i < 6; ++i) {
      EXPECT_EQ(Wait(1, -1), 1);
      order.push_back(told[0].second);
    }
    EXPECT_THAT(order, ElementsAre(1, 2, 3, 1, 2, 3));
  });
}

TEST_P(Epoll, SleepsUntilSomethingIsReadyOrTheTimeIsOver) {
  WithSet([&] {
    EXPECT_EQ(Add(1, EPOLLIN, 1), 0);
    const ktime_t start = ktime_get();
    EXPECT_EQ(Wait(10, 20), 0);
    EXPECT_GE(ktime_get() - start, 20 * NSEC_PER_MSEC);
    EXPECT_LT(ktime_get() - start, 21 * NSEC_PER_MSEC);
    Later(40, [&] { Signal(1); });
    EXPECT_EQ(Wait(10, -1), 1);
    EXPECT_GE(ktime_get() - start, 60 * NSEC_PER_MSEC);
  });
}

TEST_P(Epoll, WhatIsAddedOrChangedMeanwhileWakesIt) {
  WithSet([&] {
    Signal(2);
    Later(10, [&] { EXPECT_EQ(Add(2, EPOLLIN, 2), 0); });
    EXPECT_EQ(Wait(10, -1), 1);
    EXPECT_EQ(Control(EPOLL_CTL_MOD, 2, EPOLLPRI, 2), 0);
    EXPECT_EQ(Wait(10, 0), 0);
    Later(10, [&] { EXPECT_EQ(Control(EPOLL_CTL_MOD, 2, EPOLLIN, 3), 0); });
    EXPECT_EQ(Wait(10, -1), 1);
    EXPECT_THAT(told, ElementsAre(Told(EPOLLIN, 3)));
  });
}

TEST_P(Epoll, ASignalEndsTheWait) {
  WithSet([&] {
    set_tsk_thread_flag(current, TIF_SIGPENDING);
    EXPECT_EQ(Wait(10, -1), -EINTR);
    EXPECT_EQ(Why(), "EINTR: a signal came while no file of the set was ready");
    EXPECT_EQ(vfs.Call(__x64_sys_epoll_pwait, 0, array, 1, -1, 0, 8), -EINTR);
    EXPECT_EQ(vfs.Call(__x64_sys_epoll_pwait, 0, array, 1, 0, array, 4), -EINVAL);
    EXPECT_EQ(Wait(10, 0), 0);  // it does not wait
    clear_tsk_thread_flag(current, TIF_SIGPENDING);
  });
}

TEST_P(Epoll, AnItemGoesWithItsFileNotWithItsDescriptor) {
  WithSet([&] {
    EXPECT_EQ(Add(1, EPOLLIN, 1), 0);
    ASSERT_EQ(vfs.Call(__x64_sys_dup, 1), 4);
    Signal(1);
    Close(1);
    EXPECT_EQ(Wait(10, 0), 1);  // the copy keeps the file open
    EXPECT_EQ(Control(EPOLL_CTL_DEL, 1, 0), -EBADF);
    EXPECT_EQ(Add(4, EPOLLIN, 4), 0);  // another descriptor: another item
    EXPECT_EQ(Wait(10, 0), 2);
    Close(4);
    EXPECT_EQ(Wait(10, 0), 0);
    EXPECT_TRUE(SetOf(fdget(0).file)->rbr.empty());
  });
}

TEST_P(Epoll, ClosingTheSetTakesItOffAllQueues) {
  WithSet([&] {
    for (int fd : {1, 2, 3}) EXPECT_EQ(Add(fd, EPOLLIN | EPOLLOUT), 0);
    Close(0);
    for (int fd : {1, 2, 3}) Signal(fd);  // would use freed memory
  });
}

// ---- Several that wait ----

TEST_P(Epoll, OneEventWakesOneWaiter) {
  WithSet([&] {
    EXPECT_EQ(Add(1, EPOLLIN | EPOLLET, 1), 0);
    int woken = 0;
    for (int i = 0; i < 3; ++i) {
      Later(0, [&] {
        const user_ptr<char> mine = vfs.Buffer(12);
        woken += static_cast<int>(vfs.Call(__x64_sys_epoll_wait, 0, mine, 1, 100));
      });
    }
    msleep(20);
    Signal(1);
    msleep(20);
    EXPECT_EQ(woken, 1);
    msleep(200);
    EXPECT_EQ(woken, 1);
  });
}

TEST_P(Epoll, ExclusiveItemsOfSeveralSetsAreWokenOneByOne) {
  WithSet([&] {
    ASSERT_EQ(vfs.Call(__x64_sys_epoll_create1, 0), 4);
    EXPECT_EQ(Add(1, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT), -EINVAL);
    EXPECT_EQ(Control(EPOLL_CTL_MOD, 1, EPOLLIN | EPOLLEXCLUSIVE), -EINVAL);
    EXPECT_EQ(Add(1, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET, 0, 0), 0);
    EXPECT_EQ(Add(1, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET, 0, 4), 0);
    EXPECT_EQ(Control(EPOLL_CTL_MOD, 1, EPOLLIN), -EINVAL);
    int woken = 0;
    for (int set : {0, 4}) {
      Later(0, [&, set] {
        const user_ptr<char> mine = vfs.Buffer(12);
        woken += static_cast<int>(vfs.Call(__x64_sys_epoll_wait, set, mine, 1, 100));
      });
    }
    msleep(20);
    Signal(1);
    msleep(20);
    EXPECT_EQ(woken, 1);
    msleep(200);
  });
}

// ---- Sets in sets ----

TEST_P(Epoll, ASetMayBeInASet) {
  WithSet([&] {
    ASSERT_EQ(vfs.Call(__x64_sys_epoll_create1, 0), 4);
    EXPECT_EQ(Add(1, EPOLLIN, 1), 0);
    EXPECT_EQ(Add(0, EPOLLIN, 40, /*set=*/4), 0);
    EXPECT_EQ(Wait(10, 0, 4), 0);
    Later(10, [&] { Signal(1); });
    EXPECT_EQ(Wait(10, -1, 4), 1);
    EXPECT_THAT(told, ElementsAre(Told(EPOLLIN, 40)));
    EXPECT_EQ(vfs_poll(fdget(0).file, nullptr), EPOLLIN | EPOLLRDNORM);
    Drain(1);
    EXPECT_EQ(vfs_poll(fdget(0).file, nullptr), 0u);
    EXPECT_EQ(Wait(10, 0, 4), 0);
    EXPECT_EQ(Add(4, EPOLLIN, 0, /*set=*/0), -ELOOP);
    EXPECT_EQ(Why(), "ELOOP: the set would be in itself, or too deep");
  });
}

TEST_P(Epoll, SetsMayNotBeTooDeep) {
  WithSet([&] {
    int depth = 0;
    long result = 0;
    for (int set = 4; result == 0; ++set) {
      ASSERT_EQ(vfs.Call(__x64_sys_epoll_create1, 0), set);
      result = Add(set == 4 ? 0 : set - 1, EPOLLIN, 0, set);
      depth += result == 0;
    }
    EXPECT_EQ(result, -ELOOP);
    EXPECT_EQ(depth, 5);
  });
}

// ---- Memory ----

TEST_P(Epoll, EveryAllocationMayFailAndNothingLeaks) {
  WithSet([&] {
    for (int n = 0; n < 3; ++n) {
      current->machine->SetChooser(std::make_unique<FailOneAllocation>(n));
      EXPECT_EQ(vfs.Call(__x64_sys_epoll_create1, 0), -ENOMEM) << n;
    }
    for (int n = 0; n < 2; ++n) {
      current->machine->SetChooser(std::make_unique<FailOneAllocation>(n));
      EXPECT_EQ(Add(1, EPOLLIN), -ENOMEM) << n;
    }
    Signal(1);
    EXPECT_EQ(Wait(1, 0), 0);
    EXPECT_TRUE(fdget(1).file->f_ep_links.empty());
  });
}

// ---- Any order of events ----

TEST(EpollSeeds, NoEventIsLost) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    for (uint32_t how : {uint32_t{0}, EPOLLET, EPOLLONESHOT}) {
      TestVfs vfs(3, std::make_unique<SeededChooser>(seed, 4));
      const user_ptr<char> array = vfs.Buffer(48);
      const user_ptr<char> count = vfs.Buffer(8);
      uint64_t got = 0;
      vfs.Process("reader", [&] {
        ASSERT_EQ(vfs.Call(__x64_sys_epoll_create1, 0), 0);
        const auto control = [&](int op, int fd) {
          vfs.user.Write(array.cast<uint32_t>(), EPOLLIN | how);
          vfs.user.Write((array + 4).cast<uint64_t>(), static_cast<uint64_t>(fd));
          ASSERT_EQ(vfs.Call(__x64_sys_epoll_ctl, 0, op, fd, array), 0);
        };
        for (int fd : {1, 2, 3}) {
          ASSERT_EQ(vfs.Call(__x64_sys_eventfd2, 0, O_NONBLOCK), fd);
          control(EPOLL_CTL_ADD, fd);
          ++current->files->count;
          vfs.Process(
              "writer",
              [&vfs, fd] {
                const user_ptr<char> one = vfs.Buffer(8);
                vfs.user.Write(one.cast<uint64_t>(), uint64_t{1});
                for (int n = 0; n < 20; ++n) {
                  ASSERT_EQ(vfs.Call(__x64_sys_write, fd, one, 8), 8);
                  if (n % 5 == 0) msleep(1);
                }
              },
              current->files);
        }
        while (got < 60) {
          const long n = vfs.Call(__x64_sys_epoll_wait, 0, array, 3, -1);
          ASSERT_GT(n, 0);
          std::vector<int> fds;
          for (long i = 0; i < n; ++i) {
            fds.push_back(vfs.user.Read((array + 12 * i + 4).cast<int>()));
          }
          for (int fd : fds) {
            if (vfs.Call(__x64_sys_read, fd, count, 8) == 8) {
              got += vfs.user.Read(count.cast<uint64_t>());
            }
            if (how == EPOLLONESHOT) control(EPOLL_CTL_MOD, fd);
          }
        }
      });
      ASSERT_EQ(vfs.Run(), "") << "seed " << seed << ", how " << how;
      EXPECT_EQ(got, 60u);
    }
  }
}

}  // namespace
}  // namespace kpath
