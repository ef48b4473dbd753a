// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/pipe.h"

#include <gtest/gtest.h>

#include <random>

#include "sim/kernel/test_limits.h"
#include "sim/kernel/timer.h"
#include "sim/machine/test_chooser.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/test_vfs.h"

namespace kpath {

long __x64_sys_pipe(const pt_regs* regs);
long __x64_sys_pipe2(const pt_regs* regs);
long __x64_sys_read(const pt_regs* regs);
long __x64_sys_write(const pt_regs* regs);
long __x64_sys_close(const pt_regs* regs);
long __x64_sys_fcntl(const pt_regs* regs);

namespace {

constexpr size_t kCapacity = PIPE_DEF_BUFFERS * kPipePageBytes;

class Pipe : public ::testing::TestWithParam<int> {
 protected:
  Pipe() : vfs(GetParam()) {}

  // A process with a pipe: fd 0 reads, fd 1 writes.
  void WithPipe(unsigned flags, std::function<void()> body) {
    vfs.Process("a", [this, flags, body] {
      const user_ptr<char> fds = vfs.Buffer(8);
      ASSERT_EQ(vfs.Call(__x64_sys_pipe2, fds, flags), 0);
      EXPECT_EQ(vfs.Get(fds, 8), std::string("\0\0\0\0\1\0\0\0", 8));
      body();
    });
    EXPECT_EQ(vfs.Run(), "");
  }
  // Another process with copies of all descriptors, save those in `without`.
  void Fork(std::vector<int> without, std::function<void()> body) {
    vfs.Process(
        "child",
        [this, without, body] {
          for (int fd : without) vfs.Call(__x64_sys_close, fd);
          body();
        },
        dup_fd(current->files));
  }
  long Close(int fd) {
    const long result = vfs.Call(__x64_sys_close, fd);
    TestVfs::ReturnToUserMode();
    return result;
  }
  long Write(const std::string& bytes) {
    vfs.Put(scratch, bytes);
    return vfs.Call(__x64_sys_write, 1, scratch, bytes.size());
  }
  // The bytes read, or the errno.
  std::string Read(size_t count) {
    const long n = vfs.Call(__x64_sys_read, 0, sink, count);
    return n < 0 ? std::to_string(n) : vfs.Get(sink, static_cast<size_t>(n));
  }
  kptr<pipe_inode_info> Info() {
    return std::any_cast<kptr<pipe_inode_info>>(fdget(1).file->private_data);
  }
  __poll_t Poll(int fd) { return vfs_poll(fdget(static_cast<unsigned>(fd)).file, nullptr); }

  TestVfs vfs;
  user_ptr<char> scratch = vfs.Buffer(kCapacity + 8192);
  user_ptr<char> sink = vfs.Buffer(kCapacity + 8192);
};

INSTANTIATE_TEST_SUITE_P(OnCpus, Pipe, ::testing::Values(1, 2));

TEST_P(Pipe, HandsBytesOn) {
  WithPipe(0, [&] {
    EXPECT_EQ(Write("hello"), 5);
    EXPECT_EQ(Read(2), "he");
    EXPECT_EQ(Read(100), "llo");
  });
}

TEST_P(Pipe, Pipe2ChecksItsArguments) {
  vfs.Process("a", [&] {
    EXPECT_EQ(vfs.Call(__x64_sys_pipe2, scratch, O_APPEND), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: flags 1024 has bits that pipe2 does not know");
    EXPECT_EQ(vfs.Call(__x64_sys_pipe2, 0xdead0000, 0), -EFAULT);
    EXPECT_EQ(current->files->next_fd, 0u);
    EXPECT_EQ(vfs.Call(__x64_sys_pipe2, scratch, O_CLOEXEC | O_NONBLOCK), 0);
    EXPECT_TRUE(get_close_on_exec(0));
    EXPECT_TRUE(get_close_on_exec(1));
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_GETFL, 0), O_RDONLY | O_NONBLOCK);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 1, F_GETFL, 0), O_WRONLY | O_NONBLOCK);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 1, F_GETPIPE_SZ, 0), 65536);
    EXPECT_EQ(vfs.Call(__x64_sys_pipe, scratch), 0);
    const TestLimit limit(RLIMIT_NOFILE, 5);
    EXPECT_EQ(vfs.Call(__x64_sys_pipe, scratch), -EMFILE);
    EXPECT_EQ(current->files->next_fd, 4u);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST_P(Pipe, EveryAllocationMayFailAndNothingLeaks) {
  vfs.Process("a", [&] {
    for (int n = 0; n < 6; ++n) {
      current->machine->SetChooser(std::make_unique<FailOneAllocation>(n));
      EXPECT_EQ(vfs.Call(__x64_sys_pipe, scratch), n < 3 ? -ENFILE : -ENOMEM) << n;
      TestVfs::ReturnToUserMode();
    }
    current->machine->SetChooser(std::make_unique<FailOneAllocation>(6));
    EXPECT_EQ(vfs.Call(__x64_sys_pipe, scratch), 0);
    current->machine->SetChooser(std::make_unique<FailOneAllocation>(0));
    EXPECT_EQ(Write("x"), -ENOMEM);
    EXPECT_EQ(Why(), "ENOMEM: no memory for a page");
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST_P(Pipe, EachEndHasItsDirection) {
  WithPipe(0, [&] {
    EXPECT_EQ(vfs.Call(__x64_sys_read, 1, sink, 1), -EBADF);
    EXPECT_EQ(vfs.Call(__x64_sys_write, 0, scratch, 1), -EBADF);
  });
}

TEST_P(Pipe, NothingToMoveIsNoReasonToWait) {
  WithPipe(0, [&] {
    EXPECT_EQ(Read(0), "");
    EXPECT_EQ(Write(""), 0);
    Close(0);
    EXPECT_EQ(Write(""), 0);
  });
}

TEST_P(Pipe, EmptyAndNonblocking) {
  WithPipe(O_NONBLOCK, [&] {
    EXPECT_EQ(Read(1), std::to_string(-EAGAIN));
    EXPECT_EQ(Why(), "EAGAIN: the pipe is empty and O_NONBLOCK is set, 1 writers");
    Close(1);
    EXPECT_EQ(Read(1), "");
  });
}

TEST_P(Pipe, FullAndNonblocking) {
  WithPipe(O_NONBLOCK, [&] {
    EXPECT_EQ(Write(std::string(kCapacity + 100, 'x')), static_cast<long>(kCapacity));
    EXPECT_EQ(Write("y"), -EAGAIN);
    EXPECT_EQ(Why(), "EAGAIN: all 16 buffers are full and O_NONBLOCK is set");
    // A buffer is free again when it has been read to its end.
    EXPECT_EQ(Read(4095).size(), 4095u);
    EXPECT_EQ(Write("y"), -EAGAIN);
    EXPECT_EQ(Read(1), "x");
    EXPECT_EQ(Write("y"), 1);
  });
}

TEST_P(Pipe, SmallWritesShareABuffer) {
  WithPipe(O_NONBLOCK, [&] {
    for (int i = 0; i < 40; ++i) EXPECT_EQ(Write(std::string(100, 'a' + i % 26)), 100);
    EXPECT_EQ(Info()->nrbufs, 1u);
    EXPECT_EQ(Write(std::string(97, 'z')), 97);  // 4097 do not fit
    EXPECT_EQ(Info()->nrbufs, 2u);
    EXPECT_EQ(Read(8000).size(), 4097u);
  });
}

TEST_P(Pipe, TheOddEndOfALongWriteFillsTheLastBufferFirst) {
  WithPipe(O_NONBLOCK, [&] {
    EXPECT_EQ(Write("head"), 4);
    EXPECT_EQ(Write(std::string(3, 'b') + std::string(4096, 'c')), 4099);
    EXPECT_EQ(Info()->nrbufs, 2u);
    EXPECT_EQ(Info()->bufs->slots[0].len, 7u);
    EXPECT_EQ(Read(9), "headbbbcc");
  });
}

TEST_P(Pipe, ItsSizeCanBeChanged) {
  WithPipe(O_NONBLOCK, [&] {
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_SETPIPE_SZ, 1), 4096);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 1, F_GETPIPE_SZ, 0), 4096);
    EXPECT_EQ(Write(std::string(5000, 'a')), 4096);
    EXPECT_EQ(Write("b"), -EAGAIN);
    EXPECT_EQ(Why(), "EAGAIN: all 1 buffers are full and O_NONBLOCK is set");
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_SETPIPE_SZ, 3 * 4096), 16384);  // a power of two
    EXPECT_EQ(Write(std::string(20000, 'b')), 3 * 4096);
    EXPECT_EQ(Read(4096), std::string(4096, 'a'));
    EXPECT_EQ(Write("c"), 1);  // the ring wraps around
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_SETPIPE_SZ, 8192), -EBUSY);
    EXPECT_EQ(Why(), "EBUSY: 4 buffers are in use, more than 2");
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_SETPIPE_SZ, 1 << 20), 1 << 20);
    EXPECT_EQ(Read(20000), std::string(3 * 4096, 'b') + "c");
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_SETPIPE_SZ, 1ul << 32), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: 4294967296 bytes are too many");
  });
}

TEST_P(Pipe, PacketsAreReadOneByOne) {
  WithPipe(O_DIRECT | O_NONBLOCK, [&] {
    EXPECT_EQ(Write("one"), 3);
    EXPECT_EQ(Write("two"), 3);
    EXPECT_EQ(Read(100), "one");
    EXPECT_EQ(Read(2), "tw");
    EXPECT_EQ(Read(2), std::to_string(-EAGAIN));
  });
}

TEST_P(Pipe, AnUnmappedBuffer) {
  WithPipe(O_NONBLOCK, [&] {
    EXPECT_EQ(vfs.Call(__x64_sys_write, 1, 0xdead0000, 10), -EFAULT);
    EXPECT_EQ(Info()->nrbufs, 0u);
    EXPECT_EQ(Write("hello"), 5);
    EXPECT_EQ(vfs.Call(__x64_sys_write, 1, 0xdead0000, 10), -EFAULT);
    EXPECT_EQ(vfs.Call(__x64_sys_read, 0, 0xdead0000, 3), -EFAULT);
    EXPECT_EQ(Read(10), "hello");
  });
}

TEST_P(Pipe, TheEndOfTheFile) {
  WithPipe(0, [&] {
    EXPECT_EQ(Write("last"), 4);
    Close(1);
    EXPECT_EQ(Read(10), "last");
    EXPECT_EQ(Read(10), "");
  });
}

TEST_P(Pipe, NoReaders) {
  static int signals;
  signals = 0;
  sched_hooks.Get(vfs.kernel.machine).send_sig = [](int sig, task_struct*, int) {
    EXPECT_EQ(sig, SIGPIPE);
    ++signals;
  };
  WithPipe(0, [&] {
    Close(0);
    EXPECT_EQ(Write("x"), -EPIPE);
    EXPECT_EQ(Why(), "EPIPE: the pipe has no readers");
    EXPECT_EQ(signals, 1);
  });
}

TEST_P(Pipe, AReaderSleepsUntilThereIsSomething) {
  std::string order;
  WithPipe(0, [&] {
    Fork({1}, [&] {
      order += "reading ";
      EXPECT_EQ(Read(10), "hello");
      order += "read ";
      EXPECT_EQ(Read(10), "");
    });
    schedule_timeout_uninterruptible(2);
    order += "writing ";
    EXPECT_EQ(Write("hello"), 5);
  });
  EXPECT_EQ(order, "reading writing read ");
}

TEST_P(Pipe, AWriterSleepsUntilThereIsRoomAndWritesAll) {
  WithPipe(0, [&] {
    std::string read;
    Fork({0}, [&] {
      EXPECT_EQ(Write(std::string(kCapacity + 5000, 'w')), static_cast<long>(kCapacity + 5000));
    });
    Close(1);
    schedule_timeout_uninterruptible(2);
    while (true) {
      const std::string part = Read(3000);
      if (part.empty()) break;
      read += part;
    }
    EXPECT_EQ(read, std::string(kCapacity + 5000, 'w'));
  });
}

TEST_P(Pipe, AWriterWhoseReaderLeavesGetsWhatItHasWritten) {
  WithPipe(0, [&] {
    Fork({0}, [&] {
      EXPECT_EQ(Write(std::string(kCapacity + 1, 'w')), static_cast<long>(kCapacity));
      EXPECT_EQ(Write("w"), -EPIPE);
    });
    Close(1);
    schedule_timeout_uninterruptible(2);
    Close(0);
  });
}

// Syscall merging: a reader who has something already waits on, while a writer sleeps in the kernel
// with more.
TEST_P(Pipe, AReadGoesOnWhileAWriterWaits) {
  WithPipe(0, [&] {
    Fork({0}, [&] { Write(std::string(kCapacity + 2000, 'w')); });
    Close(1);
    schedule_timeout_uninterruptible(2);
    EXPECT_EQ(Read(kCapacity + 2000).size(), kCapacity + 2000);
  });
}

TEST_P(Pipe, ASignalEndsTheWait) {
  WithPipe(0, [&] {
    task_struct* reader = current;
    Fork({}, [&, reader] {
      schedule_timeout_uninterruptible(2);
      set_tsk_thread_flag(reader, TIF_SIGPENDING);
      wake_up_state(reader, TASK_INTERRUPTIBLE);
    });
    EXPECT_EQ(Read(1), std::to_string(-ERESTARTSYS));
    EXPECT_EQ(Why(), "ERESTARTSYS: a signal came while the pipe was empty");
    EXPECT_EQ(Write(std::string(kCapacity, 'x')), static_cast<long>(kCapacity));
    EXPECT_EQ(Write("x"), -ERESTARTSYS);
    EXPECT_EQ(Why(), "ERESTARTSYS: a signal came while the pipe was full");
    clear_tsk_thread_flag(reader, TIF_SIGPENDING);
  });
}

TEST_P(Pipe, PollTellsWhatWouldNotWait) {
  WithPipe(O_NONBLOCK, [&] {
    EXPECT_EQ(Poll(0), 0u);
    EXPECT_EQ(Poll(1), EPOLLOUT | EPOLLWRNORM);
    Write("x");
    EXPECT_EQ(Poll(0), EPOLLIN | EPOLLRDNORM);
    Write(std::string(kCapacity, 'x'));
    EXPECT_EQ(Poll(1), 0u);
    kptr<file> writer = fget(1);
    Close(0);
    EXPECT_EQ(vfs_poll(writer, nullptr), EPOLLERR);
    fput(writer);
  });
}

TEST_P(Pipe, PollOfAPipeWithoutWriters) {
  WithPipe(0, [&] {
    Close(1);
    EXPECT_EQ(Poll(0), EPOLLHUP);
  });
}

struct Watcher {
  poll_table table;
  wait_queue_entry entry;
  wait_queue_head_t* head = nullptr;
  __poll_t woken_with = 0;
};

TEST_P(Pipe, PollRegistersForTheNextChange) {
  WithPipe(0, [&] {
    Watcher watcher;
    init_poll_funcptr(&watcher.table, [](kptr<file>, wait_queue_head_t* head, poll_table* table) {
      auto* watcher = reinterpret_cast<Watcher*>(table);
      watcher->head = head;
      add_wait_queue(head, &watcher->entry);
    });
    init_waitqueue_func_entry(
        &watcher.entry, [](wait_queue_entry* entry, unsigned, int, void* key) {
          auto* watcher =
              reinterpret_cast<Watcher*>(reinterpret_cast<char*>(entry) - offsetof(Watcher, entry));
          watcher->woken_with = key_to_poll(key);
          return 1;
        });
    EXPECT_EQ(vfs_poll(fdget(0).file, &watcher.table), 0u);
    EXPECT_EQ(watcher.head, &Info()->wait);
    Write("x");
    EXPECT_EQ(watcher.woken_with, EPOLLIN | EPOLLRDNORM);
    Read(1);
    EXPECT_EQ(watcher.woken_with, EPOLLOUT | EPOLLWRNORM);
    remove_wait_queue(watcher.head, &watcher.entry);
  });
}

// The recording io_submit_poll_pipe: pipe_poll calls nothing but the queue callback.
TEST_P(Pipe, TheCallsOfPollAreThoseOfARealKernel) {
  CallRecorder calls(vfs.kernel.machine, "pipe_poll");
  WithPipe(0, [&] { Poll(0); });
  EXPECT_EQ(calls.Take(), "pipe_poll\n");
}

// Writes of up to a page are never torn apart, whatever the order of events; every byte arrives
// once.
TEST(PipeOnTwoCpus, WritersDoNotMixTheirRecords) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    TestVfs vfs(2, std::make_unique<SeededChooser>(seed, 3));
    constexpr int kRecords = 30, kWriters = 2;
    std::string received;
    vfs.Process("reader", [&] {
      const user_ptr<char> fds = vfs.Buffer(8), sink = vfs.Buffer(4096);
      ASSERT_EQ(vfs.Call(__x64_sys_pipe2, fds, 0), 0);
      for (int who = 0; who < kWriters; ++who) {
        kptr<files_struct> files = dup_fd(current->files);
        vfs.Process(
            "writer",
            [&, who] {
              std::mt19937 dice(seed * 2 + who);
              const user_ptr<char> source = vfs.Buffer(4096);
              vfs.Call(__x64_sys_close, 0);
              for (int i = 0; i < kRecords; ++i) {
                const size_t length = 1 + dice() % 4096;
                vfs.Put(source, std::string(length, 'a' + who));
                vfs.user.Write(source + static_cast<int64_t>(length - 1), '\n');
                EXPECT_EQ(vfs.Call(__x64_sys_write, 1, source, length), static_cast<long>(length));
              }
            },
            files);
      }
      vfs.Call(__x64_sys_close, 1);
      TestVfs::ReturnToUserMode();
      while (true) {
        const long n = vfs.Call(__x64_sys_read, 0, sink, 4096);
        ASSERT_GE(n, 0);
        if (n == 0) break;
        received += vfs.Get(sink, static_cast<size_t>(n));
      }
    });
    ASSERT_EQ(vfs.Run(), "") << "seed " << seed;
    int records = 0;
    for (size_t begin = 0; begin < received.size(); ++records) {
      const size_t end = received.find('\n', begin);
      ASSERT_NE(end, std::string::npos);
      const std::string record = received.substr(begin, end - begin);
      EXPECT_EQ(record.find_first_not_of(record.empty() ? 'a' : record[0]), std::string::npos);
      begin = end + 1;
    }
    EXPECT_EQ(records, kRecords * kWriters);
  }
}

}  // namespace
}  // namespace kpath
