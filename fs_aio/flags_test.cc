// SPDX-License-Identifier: Apache-2.0
//
// What an iocb can ask for besides its operation: aio_rw_flags, aio_reqprio, aio_flags.
#include "fs_aio/aio_test_program.h"
#include "sim/kernel/capability.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;

constexpr int kHipri = 1, kDsync = 2, kSync = 4, kNowait = 8, kAppend = 16;

user::iocb WithFlags(user::iocb cb, int rw_flags) {
  cb.aio_rw_flags = rw_flags;
  return cb;
}

user::iocb WithPriority(user::iocb cb, int ioprio) {
  cb.aio_flags = user::IOCB_FLAG_IOPRIO;
  cb.aio_reqprio = static_cast<int16_t>(ioprio);
  return cb;
}

TEST(RwFlags, TheOnesThatAMemoryFileTakes) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    for (const int flags : {kHipri, kDsync, kSync, kHipri | kDsync | kSync}) {
      ASSERT_EQ(p.Submit({WithFlags(p.Write(512), flags)}), 1) << flags;
      ASSERT_EQ(p.Reap(1, 1), 1);
      EXPECT_EQ(p.Event(0).res, 512);
    }
  });
}

TEST(RwFlags, AppendWritesAtTheEndWhateverTheOffset) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit({WithFlags(p.Write(100, 7), kAppend)}), 1);
    EXPECT_EQ(user::lseek(p.fd, 0, SEEK_END), 4096 + 100);
  });
}

TEST(RwFlags, OAppendDoesTheSame) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    p.fd = static_cast<int>(user::open("/tmp/file", O_RDWR | O_APPEND));
    ASSERT_EQ(p.Submit({p.Write(100, 0)}), 1);
    EXPECT_EQ(user::lseek(p.fd, 0, SEEK_END), 4096 + 100);
  });
}

TEST(RwFlags, NowaitNeedsAFileThatCanPromiseIt) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(p.Submit({WithFlags(p.Read(512), kNowait)}), -EOPNOTSUPP);
    EXPECT_THAT(p.Reason(), HasSubstr("RWF_NOWAIT on a file without FMODE_NOWAIT"));
    p.ExpectSlotsBalance();
  });
}

TEST(RwFlags, UnknownBitsComeBeforeNowait) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(p.Submit({WithFlags(p.Read(512), kNowait | 32)}), -EOPNOTSUPP);
    EXPECT_THAT(p.Reason(), HasSubstr("have bits outside of"));
  });
}

TEST(Priority, ClassesAndLevels) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const struct {
      int ioprio;
      int64_t result;
    } kCases[] = {
        {0, 1},        {1, -EINVAL},                                    // no class
        {1 << 13, 1},  {1 << 13 | 7, 1},       {1 << 13 | 8, -EINVAL},  // realtime
        {2 << 13, 1},  {2 << 13 | 8, -EINVAL},                          // best effort
        {3 << 13, 1},  {3 << 13 | 0x1fff, 1},                           // idle
        {-1, -EINVAL}, {-32768, -EINVAL},
    };
    for (const auto& c : kCases) {
      EXPECT_EQ(p.Submit({WithPriority(p.Read(512), c.ioprio)}), c.result) << c.ioprio;
    }
    EXPECT_EQ(p.Reap(6, 6), 6);
    p.ExpectSlotsBalance();
  });
}

TEST(Priority, TheRealtimeClassNeedsTheCapability) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    current->cap_effective &= ~(uint64_t{1} << CAP_SYS_ADMIN);
    EXPECT_EQ(p.Submit({WithPriority(p.Read(512), 1 << 13 | 8)}), -EPERM);  // before the level
    EXPECT_EQ(p.Reason(), "EPERM: the realtime class needs CAP_SYS_ADMIN");
    EXPECT_EQ(p.Submit({WithPriority(p.Read(512), 2 << 13)}), 1);
    p.ExpectSlotsBalance();
  });
}

TEST(Priority, WithoutTheFlagItIsNotLookedAt) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::iocb cb = p.Read(512);
    cb.aio_reqprio = -1;
    EXPECT_EQ(p.Submit({cb}), 1);
  });
}

TEST(AioFlags, UnknownBitsAreIgnored) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::iocb cb = p.Read(512);
    cb.aio_flags = ~(user::IOCB_FLAG_RESFD | user::IOCB_FLAG_IOPRIO);
    cb.aio_resfd = 9999;  // not looked at
    EXPECT_EQ(p.Submit({cb}), 1);
  });
}

TEST(AioFlags, TheEventfdIsHeldWithoutItsDescriptor) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int eventfd = static_cast<int>(user::eventfd(0, 0));
    ASSERT_EQ(p.Submit({user::WithEventfd(user::FsyncIocb(p.fd), eventfd)}), 1);
    EXPECT_EQ(user::close(eventfd), 0);
    EXPECT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, {}), 1);
  });
}

TEST(AioFlags, AFullEventfdStaysFull) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int eventfd = static_cast<int>(user::eventfd(0, 0));
    user::Store<uint64_t>(p.buffer, UINT64_MAX - 1);
    ASSERT_EQ(user::write(eventfd, p.buffer, 8), 8);
    ASSERT_EQ(p.Submit({user::WithEventfd(p.Read(16, 100), eventfd),
                        user::WithEventfd(p.Read(16, 100), eventfd)}),
              2);  // it never waits
    ASSERT_EQ(user::read(eventfd, p.buffer, 8), 8);
    EXPECT_EQ(user::Load<uint64_t>(p.buffer), UINT64_MAX);
  });
}

TEST(AioFlags, ARefusedRequestTellsNobody) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int eventfd = static_cast<int>(user::eventfd(0, O_NONBLOCK));
    user::iocb cb = user::WithEventfd(p.Read(512), eventfd);
    cb.aio_fildes = 9999;
    EXPECT_EQ(p.Submit({cb}), -EBADF);
    EXPECT_EQ(user::read(eventfd, p.buffer, 8), -EAGAIN);
    EXPECT_EQ(user::close(eventfd), 0);  // RunAio would see a reference that was left
  });
}

}  // namespace
}  // namespace kpath
