// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/rwsem.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct things {
  things() { init_rwsem(&sem); }
  rw_semaphore sem;
  int readers = 0;
  int writers = 0;
};
KernelGlobal<things> t;

void yield(int times = 1) {
  for (int i = 0; i < times; ++i) {
    set_tsk_thread_flag(current, TIF_NEED_RESCHED);
    cond_resched();
  }
}

TEST(Rwsem, ManyReadersOrOneWriter) {
  int most_readers = 0;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    TestKernel kernel(3, std::make_unique<SeededChooser>(seed, 2));
    for (int i = 0; i < 5; ++i) {
      kernel.Spawn("reader", [&] {
        for (int j = 0; j < 5; ++j) {
          down_read(&t->sem);
          most_readers = std::max(most_readers, ++t->readers);
          yield();
          EXPECT_EQ(t->writers, 0);
          --t->readers;
          up_read(&t->sem);
        }
      });
    }
    for (int i = 0; i < 3; ++i) {
      kernel.Spawn("writer", [&] {
        for (int j = 0; j < 5; ++j) {
          down_write(&t->sem);
          EXPECT_EQ(++t->writers, 1);
          yield();
          EXPECT_EQ(t->readers, 0);
          --t->writers;
          if (j % 2 == 0) {
            downgrade_write(&t->sem);
            ++t->readers;
            yield();
            EXPECT_EQ(t->writers, 0);
            --t->readers;
            up_read(&t->sem);
          } else {
            up_write(&t->sem);
          }
        }
      });
    }
    ASSERT_EQ(kernel.Run(), "") << "seed " << seed;
    EXPECT_FALSE(rwsem_is_locked(&t.Get(kernel.machine).sem));
  }
  EXPECT_GT(most_readers, 1);
}

TEST(Rwsem, AReaderWaitsBehindAWaitingWriter) {
  TestKernel kernel;
  std::string order;
  kernel.Spawn("first", [&] {
    down_read(&t->sem);
    yield(3);
    order += "r";
    up_read(&t->sem);
  });
  kernel.Spawn("writer", [&] {
    down_write(&t->sem);
    order += "W";
    up_write(&t->sem);
  });
  kernel.Spawn("late", [&] {
    EXPECT_EQ(down_read_trylock(&t->sem), 0);
    down_read(&t->sem);
    order += "l";
    up_read(&t->sem);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(order, "rWl");
}

TEST(Rwsem, AllReadersAtTheHeadGetInTogether) {
  TestKernel kernel;
  int together = 0;
  kernel.Spawn("writer", [&] {
    down_write(&t->sem);
    yield(4);
    up_write(&t->sem);
  });
  for (int i = 0; i < 3; ++i) {
    kernel.Spawn("reader", [&] {
      down_read(&t->sem);
      ++t->readers;
      yield(3);
      together = std::max(together, t->readers);
      up_read(&t->sem);
    });
  }
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(together, 3);
}

TEST(Rwsem, AKilledWriterLetsThoseBehindItIn) {
  TestKernel kernel;
  std::string order;
  kernel.Spawn("first", [&] {
    down_read(&t->sem);
    yield(6);
    order += "first ";
    up_read(&t->sem);
  });
  task_struct* writer = kernel.Spawn("writer", [&] {
    EXPECT_EQ(down_write_killable(&t->sem), -EINTR);
    EXPECT_EQ(current->reason.ToString(), "EINTR: killed while waiting for &sem");
    order += "killed ";
  });
  kernel.Spawn("reader", [&] {
    down_read(&t->sem);
    order += "reader ";
    up_read(&t->sem);
  });
  kernel.Spawn("killer", [&] {
    yield();
    sigaddset(&writer->pending.signal, SIGKILL);
    set_tsk_thread_flag(writer, TIF_SIGPENDING);
    wake_up_state(writer, TASK_WAKEKILL);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(order, "killed reader first ");
}

TEST(Rwsem, TrylocksNeverWait) {
  TestKernel kernel;
  kernel.Spawn("a", [] {
    EXPECT_EQ(down_read_trylock(&t->sem), 1);
    EXPECT_EQ(down_write_trylock(&t->sem), 0);
    up_read(&t->sem);
    EXPECT_EQ(down_write_trylock(&t->sem), 1);
    EXPECT_EQ(down_read_trylock(&t->sem), 0);
    up_write(&t->sem);
    EXPECT_EQ(down_write_killable(&t->sem), 0);
    up_write(&t->sem);
  });
  EXPECT_EQ(kernel.Run(), "");
}

// ---- Reports ----

TEST(RwsemReport, ATaskThatReadsTwice) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    down_read(&t->sem);
    down_read(&t->sem);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("WARNING: possible recursive locking detected\n"));
}

TEST(RwsemReport, ReleasedByATaskThatHasNotTakenIt) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] { up_read(&t->sem); });
  EXPECT_THAT(kernel.Run(), StartsWith("WARNING: bad unlock balance detected!\n"));
}

TEST(RwsemReport, AWriterWaitsForEver) {
  TestKernel kernel;
  kernel.Spawn("reader", [] { down_read(&t->sem); });
  kernel.Spawn("writer", [] { down_write(&t->sem); });
  EXPECT_THAT(kernel.Run(), HasSubstr("INFO: task writer:2 blocked for ever. State: D\n"
                                      "It waits for &sem\nCall Trace:\n schedule\n"
                                      " rwsem_down_write_failed\n down_write"));
}

}  // namespace
}  // namespace kpath
