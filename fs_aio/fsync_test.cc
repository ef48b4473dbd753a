// SPDX-License-Identifier: Apache-2.0
//
// IOCB_CMD_FSYNC and IOCB_CMD_FDSYNC.
#include "fs_aio/aio_test_program.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;

TEST(Fsync, TheEventComesFromAWorker) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    for (user::iocb cb : {user::FsyncIocb(p.fd), user::FdsyncIocb(p.fd)}) {
      cb.aio_data = cb.aio_lio_opcode;
      ASSERT_EQ(p.Submit({cb}), 1);
      ASSERT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, {}), 1);
      EXPECT_EQ(p.Event(0).data, cb.aio_lio_opcode);
      EXPECT_EQ(p.Event(0).obj, p.iocbs[0].address());
      EXPECT_EQ(p.Event(0).res, 0);
      EXPECT_EQ(p.Event(0).res2, 0);
      p.ExpectSlotsBalance();
    }
  });
}

TEST(Fsync, ManyAtATime) {
  for (const int cpus : {1, 2, 4}) {
    SystemOptions options;
    options.cpus = cpus;
    RunAio(options, [](AioProgram& p) {
      ASSERT_EQ(p.Setup(8), 0);
      ASSERT_EQ(p.Submit(std::vector<user::iocb>(40, user::FsyncIocb(p.fd))), 40);
      ASSERT_EQ(user::io_getevents(p.ctx, 40, 40, p.events, {}), 40);
      p.ExpectSlotsBalance();
    });
  }
}

TEST(Fsync, HowTheFileWasOpenedDoesNotMatter) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int fd = static_cast<int>(user::open("/tmp/file", O_RDONLY));
    ASSERT_EQ(p.Submit({user::FsyncIocb(fd)}), 1);
    // It goes on with the file that was named, closed or not.
    ASSERT_EQ(user::close(fd), 0);
    ASSERT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, {}), 1);
    EXPECT_EQ(p.Event(0).res, 0);
  });
}

TEST(Fsync, FieldsWithoutAMeaningMustBeZero) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    for (int field = 0; field < 4; ++field) {
      user::iocb cb = user::FsyncIocb(9999);  // looked at before the descriptor is
      if (field == 0) cb.aio_buf = 1;
      if (field == 1) cb.aio_offset = 1;
      if (field == 2) cb.aio_nbytes = 1;
      if (field == 3) cb.aio_rw_flags = 1;
      EXPECT_EQ(p.Submit({cb}), -EINVAL) << field;
      EXPECT_THAT(p.Reason(), HasSubstr("fields that fsync has no use for must be 0")) << field;
      cb.aio_lio_opcode = user::IOCB_CMD_FDSYNC;
      EXPECT_EQ(p.Submit({cb}), -EINVAL) << field;
    }
    p.ExpectSlotsBalance();
  });
}

TEST(Fsync, DescriptorThatIsNotOpen) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(p.Submit({user::FsyncIocb(9999)}), -EBADF);
    EXPECT_EQ(p.Reason(), "EBADF: fd 9999 is not open");
    p.ExpectSlotsBalance();
  });
}

TEST(Fsync, FileWithoutFsync) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int eventfd = static_cast<int>(user::eventfd(0, 0));
    EXPECT_EQ(p.Submit({user::FsyncIocb(eventfd)}), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("has no fsync"));
    EXPECT_EQ(user::close(eventfd), 0);  // nobody else holds it: RunAio would see it left
    p.ExpectSlotsBalance();
  });
}

TEST(Fsync, AnEventfdIsToldByTheWorker) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int eventfd = static_cast<int>(user::eventfd(0, 0));
    ASSERT_EQ(p.Submit({user::WithEventfd(user::FsyncIocb(p.fd), eventfd)}), 1);
    ASSERT_EQ(user::read(eventfd, p.buffer, 8), 8);  // waits for it
    EXPECT_EQ(user::Load<uint64_t>(p.buffer), 1u);
    EXPECT_EQ(p.Reap(1, 1), 1);
  });
}

TEST(Fsync, CannotBeCancelled) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit({user::FsyncIocb(p.fd)}), 1);
    EXPECT_EQ(user::io_cancel(p.ctx, p.iocbs[0], p.events), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("none of the 0 requests that can be cancelled"));
    EXPECT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, {}), 1);
  });
}

TEST(Fsync, DestroyingTheContextWaitsForIt) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit(std::vector<user::iocb>(3, user::FsyncIocb(p.fd))), 3);
    const kptr<kioctx> ctx = p.Kioctx();
    EXPECT_EQ(user::io_destroy(p.ctx), 0);
    EXPECT_TRUE(!ctx.alive() || CountSlots(ctx).in_flight == 0);
  });
}

TEST(Fsync, ExitingWithOneInFlight) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit({user::FsyncIocb(p.fd)}), 1);
  });
}

}  // namespace
}  // namespace kpath
