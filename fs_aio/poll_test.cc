// SPDX-License-Identifier: Apache-2.0
//
// IOCB_CMD_POLL and io_cancel.
#include <poll.h>

#include "fs_aio/aio_test_program.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMillisecond = 1'000'000;

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe MakePipe(AioProgram& p, int flags = 0) {
  const auto fds = p.arena.New<int32_t>(2);
  EXPECT_EQ(user::pipe2(fds.address(), flags), 0);
  return {fds.Load(), (fds + 1).Load()};
}

// Runs `code` as a second thread of the program, and afterwards `then` in the first, which waits
// for the end of the second.
void Beside(const user::Code& code, const user::Code& then) {
  const int64_t thread = Thread(code);
  ASSERT_GT(thread, 0);
  then();
  Join(thread);
}

TEST(Poll, AFileThatIsReadyIsAnEventAtOnce) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const Pipe pipe = MakePipe(p);
    user::write(pipe.write_end, "x");
    ASSERT_EQ(
        p.Submit({user::PollIocb(pipe.read_end, POLLIN), user::PollIocb(pipe.write_end, POLLOUT)}),
        2);
    EXPECT_TRUE(p.Kioctx()->active_reqs.empty());
    ASSERT_EQ(p.Reap(2, 2), 2);
    EXPECT_EQ(p.Event(0).res, POLLIN);  // not POLLRDNORM, which was not asked for
    EXPECT_EQ(p.Event(1).res, POLLOUT);
    EXPECT_EQ(p.Event(0).res2, 0);
    p.ExpectSlotsBalance();
  });
}

TEST(Poll, TheWriterCompletesIt) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const Pipe pipe = MakePipe(p);
    ASSERT_EQ(p.Submit({user::PollIocb(pipe.read_end, POLLIN)}), 1);
    EXPECT_EQ(p.Kioctx()->active_reqs.size(), 1u);
    p.ExpectSlotsBalance(1);
    EXPECT_EQ(p.Reap(0, 1), 0);
    user::write(pipe.write_end, "x");
    EXPECT_TRUE(p.Kioctx()->active_reqs.empty());
    ASSERT_EQ(p.Reap(0, 1), 1);
    // The waker's mask as it is: POLLRDNORM was not asked for.
    EXPECT_EQ(p.Event(0).res, POLLIN | POLLRDNORM);
    p.ExpectSlotsBalance();
  });
}

TEST(Poll, AWakeUpForOtherEventsLeavesItWaiting) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const Pipe pipe = MakePipe(p);
    user::write(pipe.write_end, "x");
    ASSERT_EQ(p.Submit({user::PollIocb(pipe.read_end, POLLPRI)}), 1);
    EXPECT_EQ(user::read(pipe.read_end, p.buffer, 1), 1);  // wakes writers: POLLOUT
    EXPECT_EQ(p.Kioctx()->active_reqs.size(), 1u);
    EXPECT_EQ(p.Reap(0, 1), 0);
    EXPECT_EQ(user::io_cancel(p.ctx, p.iocbs[0], p.events), -EINPROGRESS);
    EXPECT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, {}), 1);
  });
}

TEST(Poll, AWaiterIsWoken) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const Pipe pipe = MakePipe(p);
    ASSERT_EQ(p.Submit({user::PollIocb(pipe.read_end, POLLIN)}), 1);
    Beside(
        [&] {
          user::nanosleep(kMillisecond);
          user::write(pipe.write_end, "x");
        },
        [&] {
          ASSERT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, {}), 1);
          EXPECT_EQ(p.Event(0).res, POLLIN | POLLRDNORM);
        });
  });
}

TEST(Poll, TheLastWriterThatGoesIsAHangUp) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const Pipe pipe = MakePipe(p);
    ASSERT_EQ(p.Submit({user::PollIocb(pipe.read_end, 0)}), 1);  // POLLHUP need not be asked for
    user::close(pipe.write_end);
    ASSERT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, {}), 1);
    EXPECT_NE(p.Event(0).res & POLLHUP, 0);
    p.ExpectSlotsBalance();
  });
}

TEST(Poll, AnEventfd) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int eventfd = static_cast<int>(user::eventfd(0, 0));
    ASSERT_EQ(p.Submit({user::PollIocb(eventfd, POLLIN)}), 1);
    p.ExpectSlotsBalance(1);
    user::Store<uint64_t>(p.buffer, 5);
    EXPECT_EQ(user::write(eventfd, p.buffer, 8), 8);
    ASSERT_EQ(p.Reap(1, 1), 1);
    EXPECT_EQ(p.Event(0).res, POLLIN);
    ASSERT_EQ(p.Submit({user::PollIocb(eventfd, POLLIN | POLLOUT)}), 1);
    ASSERT_EQ(p.Reap(1, 1), 1);
    EXPECT_EQ(p.Event(0).res, POLLIN | POLLOUT);
  });
}

TEST(Poll, TheRequestHoldsTheFile) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const Pipe pipe = MakePipe(p);
    ASSERT_EQ(p.Submit({user::PollIocb(pipe.read_end, POLLIN)}), 1);
    EXPECT_EQ(user::close(pipe.read_end), 0);
    user::write(pipe.write_end, "x");  // no EPIPE: there is a reader still
    ASSERT_EQ(p.Reap(1, 1), 1);
    EXPECT_EQ(p.Event(0).res, POLLIN | POLLRDNORM);
    user::IgnoreSignal(SIGPIPE);
    EXPECT_EQ(user::write(pipe.write_end, p.buffer, 1), -EPIPE);
  });
}

// ---- What is refused ----

TEST(Poll, EventsAboveSixteenBits) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::iocb cb = user::PollIocb(9999, 0);
    cb.aio_buf = 0x10001;
    EXPECT_EQ(p.Submit({cb}), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("aio_buf=0x10001 has bits above the 16"));
    p.ExpectSlotsBalance();
  });
}

TEST(Poll, FieldsWithoutAMeaningMustBeZero) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    for (int field = 0; field < 3; ++field) {
      user::iocb cb = user::PollIocb(9999, POLLIN);
      if (field == 0) cb.aio_offset = 1;
      if (field == 1) cb.aio_nbytes = 1;
      if (field == 2) cb.aio_rw_flags = 1;
      EXPECT_EQ(p.Submit({cb}), -EINVAL) << field;
      EXPECT_THAT(p.Reason(), HasSubstr("fields that poll has no use for must be 0")) << field;
    }
    p.ExpectSlotsBalance();
  });
}

TEST(Poll, DescriptorThatIsNotOpen) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(p.Submit({user::PollIocb(9999, POLLIN)}), -EBADF);
    EXPECT_EQ(p.Reason(), "EBADF: fd 9999 is not open");
    p.ExpectSlotsBalance();
  });
}

TEST(Poll, AFileWithoutAQueueIsRefusedThoughItIsReady) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(p.Submit({user::PollIocb(p.fd, POLLIN)}), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("has no queue on which it announces that it is ready"));
    p.ExpectSlotsBalance();
    EXPECT_EQ(p.Reap(0, 1), 0);
  });
}

// ---- io_cancel ----

TEST(IoCancel, TheEventOfACancelledPollComesThroughTheRing) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const Pipe pipe = MakePipe(p);
    ASSERT_EQ(p.Submit({user::PollIocb(pipe.read_end, POLLIN)}), 1);
    p.events.Store({.data = 77});
    EXPECT_EQ(user::io_cancel(p.ctx, p.iocbs[0], p.events), -EINPROGRESS);
    EXPECT_EQ(p.Event(0).data, 77u);                                   // nothing is stored there
    EXPECT_EQ(user::io_cancel(p.ctx, p.iocbs[0], p.events), -EINVAL);  // once only
    ASSERT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, {}), 1);
    EXPECT_EQ(p.Event(0).obj, p.iocbs[0].address());
    EXPECT_EQ(p.Event(0).res, 0);
    p.ExpectSlotsBalance();
  });
}

TEST(IoCancel, OfSeveralRequestsOfOneIocbTheOldest) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const Pipe pipe = MakePipe(p);
    for (uint64_t data = 1; data <= 2; ++data) {
      user::iocb cb = user::PollIocb(pipe.read_end, POLLIN);
      cb.aio_data = data;
      ASSERT_EQ(p.Submit({cb}), 1);
    }
    EXPECT_EQ(user::io_cancel(p.ctx, p.iocbs[0], p.events), -EINPROGRESS);
    ASSERT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, {}), 1);
    EXPECT_EQ(p.Event(0).data, 1u);
    EXPECT_EQ(user::io_cancel(p.ctx, p.iocbs[0], p.events), -EINPROGRESS);
    ASSERT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, {}), 1);
    EXPECT_EQ(p.Event(0).data, 2u);
  });
}

TEST(IoCancel, TheKeyIsReadFirst) {
  RunAio({}, [](AioProgram& p) {
    EXPECT_EQ(user::io_cancel(0x1234, user::Pointer<user::iocb>(8), p.events), -EFAULT);
    EXPECT_EQ(p.Reason(), "EFAULT: aio_key of the iocb at 0x8 cannot be read");
    const auto cb = p.arena.Put(user::iocb{.aio_key = 5});
    EXPECT_EQ(user::io_cancel(0x1234, cb, p.events), -EINVAL);
    EXPECT_EQ(p.Reason(), "EINVAL: aio_key=5 is not what io_submit stores, 0");
    cb.Store({});
    EXPECT_EQ(user::io_cancel(0x1234, cb, p.events), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("no context 0x1234"));
  });
}

TEST(IoCancel, WhatIsNotThereOrIsDone) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(user::io_cancel(p.ctx, p.arena.New<user::iocb>(), p.events), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("none of the 0 requests that can be cancelled"));
    ASSERT_EQ(p.Submit({p.Read(512)}), 1);
    EXPECT_EQ(user::io_cancel(p.ctx, p.iocbs[0], p.events), -EINVAL);
    const Pipe pipe = MakePipe(p);
    ASSERT_EQ(p.Submit({user::PollIocb(pipe.read_end, POLLIN)}), 1);
    EXPECT_EQ(user::io_cancel(p.ctx, p.places + 5, p.events), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("none of the 1 requests that can be cancelled"));
  });
}

// ---- Ends ----

TEST(Poll, DestroyingTheContextCancelsIt) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const Pipe pipe = MakePipe(p);
    ASSERT_EQ(p.Submit(std::vector<user::iocb>(5, user::PollIocb(pipe.read_end, POLLIN))), 5);
    EXPECT_EQ(user::io_destroy(p.ctx), 0);
  });
}

TEST(Poll, ExitingCancelsIt) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const Pipe pipe = MakePipe(p);
    ASSERT_EQ(p.Submit(std::vector<user::iocb>(5, user::PollIocb(pipe.read_end, POLLIN))), 5);
  });
}

// ---- The paths that take luck ----

// Finds, among runs with different choices, one in which `name` was entered, and tells whether all
// runs ended well.
class Watch : public ProbeListener {
 public:
  explicit Watch(std::string label) : label_(std::move(label)) {}
  void OnProbe(const ProbeEvent& event) override {
    if (event.kind == ProbeEvent::Kind::kStep && label_ == event.step->label) seen_ = true;
  }
  bool seen() const { return seen_; }

 private:
  const std::string label_;
  bool seen_ = false;
};

// In how many of the runs the step was passed. Each run: polls on several CPUs, writers, cancels.
int RunsThatPass(const std::string& step, int runs) {
  int passed = 0;
  for (int seed = 1; seed <= runs; ++seed) {
    SystemOptions options;
    options.cpus = 3;
    options.seed = seed;
    System system(options);
    Watch watch(step);
    system.machine().AddListener(&watch);
    system.Start("aio", [] {
      AioProgram p;
      if (p.Setup(8) != 0) return;
      const Pipe pipe = MakePipe(p, O_NONBLOCK);
      Beside(
          [&] {
            for (int i = 0; i < 10; ++i) {
              user::write(pipe.write_end, p.buffer, 1);
              user::read(pipe.read_end, p.buffer + 100, 1);
            }
          },
          [&] {
            for (int i = 0; i < 10; ++i) {
              p.Submit(std::vector<user::iocb>(3, user::PollIocb(pipe.read_end, POLLIN)));
              user::io_cancel(p.ctx, p.iocbs[1], p.events);
              p.Reap(0, 3);
            }
          });
      // What is queued but not listed (the kernel's trap: woken for nothing while it was being
      // submitted) ends with a wake-up that matches.
      user::write(pipe.write_end, p.buffer, 1);
    });
    EXPECT_EQ(system.Run(), "") << "seed " << seed;
    if (watch.seen()) ++passed;
  }
  return passed;
}

TEST(Poll, WakersSubmittersAndCancellersMeet) {
  EXPECT_GT(RunsThatPass("woken already: the waker's", 40), 0);
  EXPECT_GT(RunsThatPass("ctx_lock is taken: a worker completes it", 40), 0);
  EXPECT_GT(RunsThatPass("not ready: waits again", 40), 0);
}

}  // namespace
}  // namespace kpath
