// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/select.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "sim/kernel/test_limits.h"
#include "sim/kernel/timekeeping.h"
#include "sim/kernel/timer.h"
#include "sim/vfs/anon_inodes.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/pipe.h"
#include "sim/vfs/test_vfs.h"

namespace kpath {

long __x64_sys_pipe2(const pt_regs* regs);
long __x64_sys_eventfd2(const pt_regs* regs);
long __x64_sys_open(const pt_regs* regs);
long __x64_sys_unlink(const pt_regs* regs);
long __x64_sys_read(const pt_regs* regs);
long __x64_sys_write(const pt_regs* regs);
long __x64_sys_close(const pt_regs* regs);
long __x64_sys_poll(const pt_regs* regs);
long __x64_sys_ppoll(const pt_regs* regs);
long __x64_sys_select(const pt_regs* regs);
long __x64_sys_pselect6(const pt_regs* regs);

namespace {

using ::testing::ElementsAre;

// A process with a pipe: fd 0 reads, fd 1 writes.
class Polling : public ::testing::TestWithParam<int> {
 protected:
  Polling() : vfs(GetParam()) {}

  void WithPipe(std::function<void()> body) {
    vfs.Process("a", [this, body] {
      ASSERT_EQ(vfs.Call(__x64_sys_pipe2, vfs.Buffer(8), 0), 0);
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
  void Write(size_t n = 1) { vfs.Call(__x64_sys_write, 1, scratch, n); }
  void Read(size_t n = 1) { vfs.Call(__x64_sys_read, 0, scratch, n); }
  long Close(int fd) {
    const long result = vfs.Call(__x64_sys_close, fd);
    TestVfs::ReturnToUserMode();
    return result;
  }

  // poll with these descriptors and events; revents are left in `revents`.
  long Poll(const std::vector<std::pair<int, uint16_t>>& fds, int timeout_ms) {
    const user_ptr<pollfd> array = PutPollfds(fds);
    const long result = vfs.Call(__x64_sys_poll, array, fds.size(), timeout_ms);
    GetRevents(array, fds.size());
    return result;
  }
  user_ptr<pollfd> PutPollfds(const std::vector<std::pair<int, uint16_t>>& fds) {
    const user_ptr<pollfd> array = pollfds.cast<pollfd>();
    for (size_t i = 0; i < fds.size(); ++i) {
      vfs.user.Write(array + static_cast<int64_t>(i), pollfd{fds[i].first, fds[i].second, 0x5555});
    }
    return array;
  }
  void GetRevents(user_ptr<pollfd> array, size_t count) {
    revents.clear();
    for (size_t i = 0; i < count; ++i) {
      revents.push_back(vfs.user.Read(array + static_cast<int64_t>(i)).revents);
    }
  }

  TestVfs vfs;
  user_ptr<char> scratch = vfs.Buffer(70000);
  user_ptr<char> pollfds = vfs.Buffer(1100 * sizeof(pollfd));
  user_ptr<uint64_t> sets[3] = {vfs.Buffer(128).cast<uint64_t>(), vfs.Buffer(128).cast<uint64_t>(),
                                vfs.Buffer(128).cast<uint64_t>()};
  user_ptr<int64_t> time = vfs.Buffer(16).cast<int64_t>();
  std::vector<uint16_t> revents;
};

INSTANTIATE_TEST_SUITE_P(OnCpus, Polling, ::testing::Values(1, 2));

// ---- poll ----

TEST_P(Polling, AsksOnceWithoutTime) {
  WithPipe([&] {
    EXPECT_EQ(Poll({{0, EPOLLIN}, {1, EPOLLOUT}}, 0), 1);
    EXPECT_THAT(revents, ElementsAre(0, EPOLLOUT));
    Write();
    EXPECT_EQ(Poll({{0, EPOLLIN | EPOLLRDNORM}, {1, EPOLLIN}}, 0), 1);
    EXPECT_THAT(revents, ElementsAre(EPOLLIN | EPOLLRDNORM, 0));
    EXPECT_EQ(Poll({}, 0), 0);
  });
}

TEST_P(Polling, ErrorsAreToldUnasked) {
  WithPipe([&] {
    EXPECT_EQ(Poll({{77, EPOLLIN}, {-1, EPOLLIN}, {0, 0}}, 0), 1);
    EXPECT_THAT(revents, ElementsAre(EPOLLNVAL, 0, 0));
    Close(1);
    EXPECT_EQ(Poll({{0, 0}}, -1), 1);
    EXPECT_THAT(revents, ElementsAre(EPOLLHUP));
  });
}

TEST_P(Polling, ARegularFileIsAlwaysReady) {
  WithPipe([&] {
    ASSERT_EQ(vfs.Call(__x64_sys_open, vfs.Text("/f"), O_RDWR | O_CREAT, 0600), 2);
    EXPECT_EQ(Poll({{2, EPOLLIN | EPOLLOUT | EPOLLPRI}}, -1), 1);
    EXPECT_THAT(revents, ElementsAre(EPOLLIN | EPOLLOUT));
    EXPECT_EQ(vfs.Call(__x64_sys_unlink, vfs.Text("/f")), 0);
  });
}

TEST_P(Polling, SleepsUntilAFileIsReady) {
  WithPipe([&] {
    Later(20, [&] { Write(); });
    const ktime_t start = ktime_get();
    EXPECT_EQ(Poll({{0, EPOLLIN}}, -1), 1);
    EXPECT_THAT(revents, ElementsAre(EPOLLIN));
    EXPECT_GE(ktime_get() - start, 20 * NSEC_PER_MSEC);
    EXPECT_TRUE(vfs.Call(__x64_sys_read, 0, scratch, 10) == 1);
  });
}

TEST_P(Polling, SleepsNoLongerThanItIsTold) {
  WithPipe([&] {
    const ktime_t start = ktime_get();
    EXPECT_EQ(Poll({{0, EPOLLIN}}, 50), 0);
    EXPECT_GE(ktime_get() - start, 50 * NSEC_PER_MSEC);
    EXPECT_LT(ktime_get() - start, 51 * NSEC_PER_MSEC);
    EXPECT_THAT(revents, ElementsAre(0));
  });
}

// A wake-up that is about something else does not end the sleep; the key tells.
TEST_P(Polling, OtherEventsDoNotWakeIt) {
  WithPipe([&] {
    Write(65536);
    int writable = 0;
    Later(10, [&] {
      EXPECT_EQ(writable, 0);
      Read();  // no buffer is free yet: not writable
    });
    Later(30, [&] { Read(4096); });
    Later(20, [&] {
      kptr<file> file = fget(1);
      CallRecorder recorder(vfs.kernel.machine, "pollwake");
      wake_up_interruptible_sync_poll(
          &std::any_cast<kptr<pipe_inode_info>>(file->private_data)->wait, EPOLLIN);
      EXPECT_EQ(recorder.Take(), "pollwake\n");
      fput(file);
    });
    writable = static_cast<int>(Poll({{1, EPOLLOUT}}, -1));
    EXPECT_EQ(writable, 1);
    EXPECT_GE(ktime_get(), 30 * NSEC_PER_MSEC);
  });
}

// A file that becomes ready right after it has said that it is not.
struct late_file {
  wait_queue_head_t wait{"late_file.wait"};
  int asked = 0;
};
KernelGlobal<late_file> late;

__poll_t LatePoll(kptr<file> file, poll_table* table) {
  poll_wait(file, &late->wait, table);
  if (++late->asked > 1) return EPOLLIN;
  wake_up_poll(&late->wait, EPOLLIN);
  return 0;
}
constexpr file_operations kLateFile = {.name = "late_file", .poll = LatePoll};

TEST_P(Polling, AWakeUpBetweenAskingAndSleepingIsNotLost) {
  WithPipe([&] {
    ASSERT_EQ(anon_inode_getfd("[late]", &kLateFile, {}, O_RDWR), 2);
    EXPECT_EQ(Poll({{2, EPOLLIN}}, -1), 1);
    EXPECT_EQ(late->asked, 2);
    late->asked = 0;
    vfs.user.Write(sets[0], uint64_t{0b100});
    EXPECT_EQ(vfs.Call(__x64_sys_select, 3, sets[0], 0, 0, 0), 1);
  });
}

TEST_P(Polling, ASignalEndsItAndItCanGoOn) {
  WithPipe([&] {
    task_struct* poller = current;
    Later(10, [poller] {
      set_tsk_thread_flag(poller, TIF_SIGPENDING);
      wake_up_state(poller, TASK_INTERRUPTIBLE);
    });
    const user_ptr<pollfd> array = PutPollfds({{0, EPOLLIN}});
    EXPECT_EQ(vfs.Call(__x64_sys_poll, array, 1, 100), -ERESTART_RESTARTBLOCK);
    EXPECT_EQ(Why(), "ERESTART_RESTARTBLOCK: a signal came while no file was ready");
    clear_tsk_thread_flag(current, TIF_SIGPENDING);
    restart_block* restart = &current->restart_block;
    EXPECT_EQ(restart->fn(restart), 0);  // no longer than it would have been
    EXPECT_LT(ktime_get(), 102 * NSEC_PER_MSEC);
    EXPECT_GE(ktime_get(), 100 * NSEC_PER_MSEC);
  });
}

TEST_P(Polling, ManyDescriptors) {
  WithPipe([&] {
    // More than on the stack, more than on a page; more entries than on the stack.
    const TestLimit limit(RLIMIT_NOFILE, 1100);
    std::vector<std::pair<int, uint16_t>> fds(1000, {0, EPOLLIN});
    fds.back() = {1, EPOLLOUT};
    EXPECT_EQ(Poll(fds, -1), 1);
    EXPECT_EQ(revents.back(), EPOLLOUT);
    fds.back() = {0, EPOLLIN};
    Later(10, [&] { Write(); });
    EXPECT_EQ(Poll(fds, -1), 1000);
    EXPECT_EQ(fdget(0).file->f_count, 1);  // all entries are gone
    const TestLimit lower(RLIMIT_NOFILE, 999);
    EXPECT_EQ(Poll(fds, 0), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: 1000 descriptors are more than RLIMIT_NOFILE, 999");
  });
}

TEST_P(Polling, BadMemory) {
  WithPipe([&] {
    EXPECT_EQ(vfs.Call(__x64_sys_poll, user_ptr<char>(0x9000), 1, 0), -EFAULT);
    EXPECT_EQ(vfs.Call(__x64_sys_poll, user_ptr<char>(0x9000), 0, 0), 0);
  });
}

class FailOne : public Chooser {
 public:
  explicit FailOne(int which) : left_(which) {}
  int Choose(uint64_t, ChoiceKind kind, int) override {
    return kind == ChoiceKind::kFailAlloc && left_-- == 0 ? 1 : 0;
  }

 private:
  int left_;
};

TEST_P(Polling, EveryAllocationMayFailAndNothingLeaks) {
  WithPipe([&] {
    const std::vector<std::pair<int, uint16_t>> fds(540, {0, EPOLLIN});
    int failed = 0;
    for (int which = 0; which < 20; ++which) {
      current->machine->SetChooser(std::make_unique<FailOne>(which));
      const long result = Poll(fds, 10);
      EXPECT_TRUE(result == 0 || result == -ENOMEM) << result;
      failed += result == -ENOMEM;
      EXPECT_EQ(fdget(0).file->f_count, 1);
    }
    EXPECT_EQ(failed, 10);  // a piece of the array, nine pages of entries
  });
}

// ---- ppoll ----

struct mask_log {
  std::vector<std::string> calls;
};
KernelGlobal<mask_log> masks;

void LogMasks() {
  sigmask_hooks->block = [](uint64_t mask) {
    masks->calls.push_back("block " + std::to_string(mask));
    return uint64_t{7};
  };
  sigmask_hooks->restore = [](uint64_t saved, bool by_signal) {
    masks->calls.push_back((by_signal ? "later " : "now ") + std::to_string(saved));
  };
}

TEST_P(Polling, PpollTellsWhatTimeIsLeft) {
  WithPipe([&] {
    Later(10, [&] { Write(); });
    const user_ptr<pollfd> array = PutPollfds({{0, EPOLLIN}});
    vfs.user.Write(time, int64_t{2});
    vfs.user.Write(time + 1, int64_t{500});
    EXPECT_EQ(vfs.Call(__x64_sys_ppoll, array, 1, time, 0, 0), 1);
    EXPECT_EQ(vfs.user.Read(time), 1);
    const int64_t left = vfs.user.Read(time + 1);
    EXPECT_LT(left, 990 * NSEC_PER_MSEC);
    EXPECT_GT(left, 980 * NSEC_PER_MSEC);
  });
}

TEST_P(Polling, PpollChecksItsArguments) {
  WithPipe([&] {
    const user_ptr<pollfd> array = PutPollfds({{0, EPOLLIN}});
    vfs.user.Write(time, int64_t{0});
    vfs.user.Write(time + 1, int64_t{NSEC_PER_SEC});
    EXPECT_EQ(vfs.Call(__x64_sys_ppoll, array, 1, time, 0, 0), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: 0 s and 1000000000 ns are no length of time");
    EXPECT_EQ(vfs.Call(__x64_sys_ppoll, array, 1, user_ptr<char>(0x9000), 0, 0), -EFAULT);
    vfs.user.Write(time + 1, int64_t{0});
    EXPECT_EQ(vfs.Call(__x64_sys_ppoll, array, 1, time, scratch, 4), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: a mask of signals has 8 bytes, not 4");
    EXPECT_EQ(vfs.Call(__x64_sys_ppoll, array, 1, time, user_ptr<char>(0x9000), 8), -EFAULT);
    EXPECT_EQ(vfs.Call(__x64_sys_ppoll, array, 1, time, scratch, 8), 0);
  });
}

TEST_P(Polling, PpollsMaskIsInForceMeanwhile) {
  WithPipe([&] {
    LogMasks();
    const user_ptr<pollfd> array = PutPollfds({{0, EPOLLIN}});
    vfs.user.Write(scratch.cast<uint64_t>(), uint64_t{0x100});
    vfs.user.Write(time, int64_t{0});
    vfs.user.Write(time + 1, int64_t{1000});
    EXPECT_EQ(vfs.Call(__x64_sys_ppoll, array, 1, time, scratch, 8), 0);
    set_tsk_thread_flag(current, TIF_SIGPENDING);
    EXPECT_EQ(vfs.Call(__x64_sys_ppoll, array, 1, 0, scratch, 8), -ERESTARTNOHAND);
    // Where the time that is left cannot be stored, it is not made again.
    vfs.user.Write(time, int64_t{9});
    clear_tsk_thread_flag(current, TIF_SIGPENDING);
    EXPECT_THAT(masks->calls, ElementsAre("block 256", "now 7", "block 256", "later 7"));
  });
}

// ---- select ----

TEST_P(Polling, SelectTellsWhichAreReady) {
  WithPipe([&] {
    vfs.user.Write(sets[0], uint64_t{0b01});
    vfs.user.Write(sets[1], uint64_t{0b10});
    vfs.user.Write(sets[2], uint64_t{0b11});
    EXPECT_EQ(vfs.Call(__x64_sys_select, 2, sets[0], sets[1], sets[2], 0), 1);
    EXPECT_EQ(vfs.user.Read(sets[0]), 0u);
    EXPECT_EQ(vfs.user.Read(sets[1]), 0b10u);
    EXPECT_EQ(vfs.user.Read(sets[2]), 0u);
    Write();
    vfs.user.Write(sets[0], uint64_t{0b01});
    EXPECT_EQ(vfs.Call(__x64_sys_select, 2, sets[0], sets[1], 0, 0), 2);
    EXPECT_EQ(vfs.user.Read(sets[0]), 0b01u);
  });
}

TEST_P(Polling, SelectChecksItsArguments) {
  WithPipe([&] {
    EXPECT_EQ(vfs.Call(__x64_sys_select, -1, 0, 0, 0, 0), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: n=-1 is negative");
    vfs.user.Write(sets[0], uint64_t{0b101});
    EXPECT_EQ(vfs.Call(__x64_sys_select, 3, sets[0], 0, 0, 0), -EBADF);
    EXPECT_EQ(Why(), "EBADF: fd 2 is not open");
    // Beyond n nothing is looked at; neither beyond the table.
    EXPECT_EQ(vfs.Call(__x64_sys_select, 2, 0, sets[0], 0, time), 0);
    vfs.user.Write(sets[1], uint64_t{0b10});
    EXPECT_EQ(vfs.Call(__x64_sys_select, 1 << 20, 0, sets[1], 0, 0), 1);
    EXPECT_EQ(vfs.Call(__x64_sys_select, 2, user_ptr<char>(0x9000), 0, 0, 0), -EFAULT);
    vfs.user.Write(time, int64_t{-1});
    EXPECT_EQ(vfs.Call(__x64_sys_select, 0, 0, 0, 0, time), -EINVAL);
  });
}

TEST_P(Polling, SelectSleepsAndTellsWhatTimeIsLeft) {
  WithPipe([&] {
    Later(10, [&] { Write(); });
    vfs.user.Write(sets[0], uint64_t{1});
    vfs.user.Write(time, int64_t{1});
    vfs.user.Write(time + 1, int64_t{1'500'000});  // µs: more than a second is taken, too
    EXPECT_EQ(vfs.Call(__x64_sys_select, 1, sets[0], 0, 0, time), 1);
    EXPECT_EQ(vfs.user.Read(time), 2);
    EXPECT_LT(vfs.user.Read(time + 1), 490'000);
    EXPECT_GT(vfs.user.Read(time + 1), 480'000);
    Read();
    vfs.user.Write(time, int64_t{0});
    vfs.user.Write(time + 1, int64_t{3000});
    EXPECT_EQ(vfs.Call(__x64_sys_select, 1, sets[0], 0, 0, time), 0);
    EXPECT_EQ(vfs.user.Read(time + 1), 0);
    EXPECT_EQ(vfs.user.Read(sets[0]), 0u);
  });
}

TEST_P(Polling, SelectAfterASignal) {
  WithPipe([&] {
    set_tsk_thread_flag(current, TIF_SIGPENDING);
    vfs.user.Write(sets[0], uint64_t{1});
    EXPECT_EQ(vfs.Call(__x64_sys_select, 1, sets[0], 0, 0, 0), -ERESTARTNOHAND);
    EXPECT_EQ(vfs.user.Read(sets[0]), 1u);  // untouched: it is made again
    // Files that are ready come first.
    vfs.user.Write(sets[1], uint64_t{0b10});
    EXPECT_EQ(vfs.Call(__x64_sys_select, 2, 0, sets[1], 0, 0), 1);
    // A time in memory that cannot be written: not made again.
    vfs.user.Map(0x200000, kPageSize, /*writable=*/false);
    vfs.user.Bytes(0x200000)[0] = 5;
    EXPECT_EQ(vfs.Call(__x64_sys_select, 1, sets[0], 0, 0, user_ptr<char>(0x200000)), -EINTR);
    clear_tsk_thread_flag(current, TIF_SIGPENDING);
  });
}

TEST_P(Polling, LargeSetsNeedMemory) {
  WithPipe([&] {
    const TestLimit limit(RLIMIT_NOFILE, 1024);
    ASSERT_EQ(f_dupfd(700, fdget(1).file, 0), 700);
    for (int64_t i = 0; i < 16; ++i) vfs.user.Write(sets[1] + i, uint64_t{0});
    vfs.user.Write(sets[1] + 700 / 64, uint64_t{1} << 700 % 64);
    EXPECT_EQ(vfs.Call(__x64_sys_select, 701, 0, sets[1], 0, 0), 1);
    EXPECT_EQ(vfs.user.Read(sets[1] + 700 / 64), uint64_t{1} << 700 % 64);
    current->machine->SetChooser(std::make_unique<FailOne>(0));
    EXPECT_EQ(vfs.Call(__x64_sys_select, 701, 0, sets[1], 0, 0), -ENOMEM);
    EXPECT_EQ(Why(), "ENOMEM: no memory for six sets of 701 descriptors");
  });
}

TEST_P(Polling, Pselect6TakesAMaskBesideItsSize) {
  WithPipe([&] {
    LogMasks();
    vfs.user.Write(scratch.cast<uint64_t>(), uint64_t{0x30});
    const user_ptr<uint64_t> sig = vfs.Buffer(16).cast<uint64_t>();
    vfs.user.Write(sig, scratch.address());
    vfs.user.Write(sig + 1, uint64_t{8});
    vfs.user.Write(sets[1], uint64_t{0b10});
    EXPECT_EQ(vfs.Call(__x64_sys_pselect6, 2, 0, sets[1], 0, 0, sig), 1);
    EXPECT_THAT(masks->calls, ElementsAre("block 48", "now 7"));
    vfs.user.Write(sig + 1, uint64_t{16});
    EXPECT_EQ(vfs.Call(__x64_sys_pselect6, 2, 0, sets[1], 0, 0, sig), -EINVAL);
    EXPECT_EQ(vfs.Call(__x64_sys_pselect6, 2, 0, sets[1], 0, 0, user_ptr<char>(0x9000)), -EFAULT);
  });
}

// ---- How it looks ----

TEST_P(Polling, TheCallsAreThoseOfARealKernel) {
  WithPipe([&] {
    CallRecorder recorder(vfs.kernel.machine, "do_sys_poll");
    EXPECT_EQ(Poll({{0, EPOLLIN}}, 0), 0);
    EXPECT_EQ(recorder.Take({"copy_from_user", "_copy_from_user", "vfs_poll", "fdget", "put_user",
                             "__put_user_2", "access_ok"}),
              "do_sys_poll\n"
              "  poll_initwait\n"
              "  do_poll\n"
              "    do_pollfd\n"
              "      __fdget\n"
              "        __fget_light\n"
              "      pipe_poll\n"
              "  poll_freewait\n");
  });
}

// ---- Any order of events ----

// Pollers and writers on all CPUs: no byte is waited for in vain.
TEST(PollingSeeds, NoWakeUpIsLost) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    TestVfs vfs(3, std::make_unique<SeededChooser>(seed, 4));
    const user_ptr<char> scratch = vfs.Buffer(64);
    const user_ptr<pollfd> array = vfs.Buffer(16).cast<pollfd>();
    int read = 0;
    vfs.Process("reader", [&] {
      ASSERT_EQ(vfs.Call(__x64_sys_pipe2, vfs.Buffer(8), O_NONBLOCK), 0);
      ASSERT_EQ(vfs.Call(__x64_sys_eventfd2, 0, O_NONBLOCK), 2);
      for (int i = 0; i < 2; ++i) {
        ++current->files->count;
        vfs.Process(
            "writer",
            [&, i] {
              const user_ptr<char> buf = vfs.Buffer(8);
              vfs.user.Write(buf.cast<uint64_t>(), uint64_t{1});
              for (int n = 0; n < 30; ++n) {
                vfs.Call(__x64_sys_write, i == 0 ? 1 : 2, buf, i == 0 ? 1 : 8);
                if (n % 4 == 0) msleep(1);
              }
            },
            current->files);
      }
      while (read < 60) {
        vfs.user.Write(array, pollfd{0, EPOLLIN, 0});
        vfs.user.Write(array + 1, pollfd{2, EPOLLIN, 0});
        ASSERT_GT(vfs.Call(__x64_sys_poll, array, 2, -1), 0);
        if (vfs.user.Read(array).revents != 0) {
          read += static_cast<int>(vfs.Call(__x64_sys_read, 0, scratch, 64));
        }
        if (vfs.user.Read(array + 1).revents != 0) {
          ASSERT_EQ(vfs.Call(__x64_sys_read, 2, scratch, 8), 8);
          read += static_cast<int>(vfs.user.Read(scratch.cast<uint64_t>()));
        }
      }
    });
    ASSERT_EQ(vfs.Run(), "") << "seed " << seed;
    EXPECT_EQ(read, 60);
  }
}

}  // namespace
}  // namespace kpath
