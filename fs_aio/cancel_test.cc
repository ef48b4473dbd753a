// SPDX-License-Identifier: Apache-2.0
//
// kiocb_set_cancel_fn: reads that a driver (in Linux: USB gadgets) takes, completes later, and can
// end early. The driver here is a file without a name, made and driven by system calls of the test.
#include "fs_aio/aio.h"
#include "fs_aio/aio_test_program.h"
#include "sim/vfs/anon_inodes.h"
#include "syscall_table/sys_call_table.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kMakeGadget = 400;      // returns a descriptor
constexpr uint64_t kCompleteGadget = 401;  // (res): ends the read that was taken last
constexpr uint64_t kListTwice = 402;       // the driver makes a mistake

struct Gadget {
  kiocb* taken = nullptr;
  int cancelled = 0;
  int cancel_result = 0;
};
KernelGlobal<Gadget> gadget;

int CancelGadget(kiocb*) {
  ++gadget->cancelled;
  return gadget->cancel_result;
}

ssize_t GadgetRead(kiocb* iocb, iov_iter*) {
  gadget->taken = iocb;
  kiocb_set_cancel_fn(iocb, CancelGadget);
  return -EIOCBQUEUED;
}

constexpr file_operations kGadgetOperations = {.name = "gadget_fops", .read_iter = GadgetRead};

long MakeGadget(const pt_regs*) {
  return anon_inode_getfd("[gadget]", &kGadgetOperations, {}, O_RDWR);
}
long CompleteGadget(const pt_regs* regs) {
  kiocb* iocb = std::exchange(gadget->taken, nullptr);
  iocb->ki_complete(iocb, static_cast<long>(regs->di), 0);
  return 0;
}
long ListTwice(const pt_regs*) {
  kiocb_set_cancel_fn(gadget->taken, CancelGadget);
  return 0;
}

// Runs `body` with a read of a gadget in flight. Returns the kernel's report.
std::string RunGadget(const std::function<void(AioProgram& p)>& body) {
  System system;
  {
    EnterMachine enter(system.machine());
    sys_call_table->Set(kMakeGadget, {MakeGadget});
    sys_call_table->Set(kCompleteGadget, {CompleteGadget});
    sys_call_table->Set(kListTwice, {ListTwice});
  }
  system.Start("aio", [&] {
    AioProgram p;
    ASSERT_EQ(p.Setup(8), 0);
    p.fd = static_cast<int>(user::Syscall(kMakeGadget));
    ASSERT_EQ(p.Submit({p.Read(16)}), 1);
    ASSERT_EQ(p.Kioctx()->active_reqs.size(), 1u);
    p.ExpectSlotsBalance(1);
    body(p);
  });
  return system.Run();
}

TEST(CancelFn, ACancelledReadEndsWhenTheDriverSaysSo) {
  EXPECT_EQ(RunGadget([](AioProgram& p) {
              EXPECT_EQ(user::io_cancel(p.ctx, p.iocbs[0], p.events), -EINPROGRESS);
              EXPECT_EQ(gadget->cancelled, 1);
              EXPECT_TRUE(p.Kioctx()->active_reqs.empty());
              EXPECT_EQ(p.Reap(0, 1), 0);
              user::Syscall(kCompleteGadget, -ECONNRESET);
              ASSERT_EQ(p.Reap(1, 1), 1);
              EXPECT_EQ(p.Event(0).res, -ECONNRESET);  // as it is
              p.ExpectSlotsBalance();
            }),
            "");
}

TEST(CancelFn, WhatTheDriverAnswersIsReturnedAsItIs) {
  EXPECT_EQ(RunGadget([](AioProgram& p) {
              gadget->cancel_result = -EIO;
              EXPECT_EQ(user::io_cancel(p.ctx, p.iocbs[0], p.events), -EIO);
              // It is off the list whatever the answer.
              EXPECT_EQ(user::io_cancel(p.ctx, p.iocbs[0], p.events), -EINVAL);
              user::Syscall(kCompleteGadget, 3);
              EXPECT_EQ(p.Reap(1, 1), 1);
            }),
            "");
}

TEST(CancelFn, ACompletedReadIsOffTheList) {
  EXPECT_EQ(RunGadget([](AioProgram& p) {
              user::Syscall(kCompleteGadget, 16);
              EXPECT_TRUE(p.Kioctx()->active_reqs.empty());
              EXPECT_EQ(user::io_cancel(p.ctx, p.iocbs[0], p.events), -EINVAL);
              ASSERT_EQ(p.Reap(1, 1), 1);
              EXPECT_EQ(p.Event(0).res, 16);
              EXPECT_EQ(gadget->cancelled, 0);
            }),
            "");
}

TEST(CancelFn, DestroyingTheContextCancelsAndWaits) {
  EXPECT_EQ(RunGadget([](AioProgram& p) {
              const int64_t thread = user::clone(CLONE_VM | CLONE_FILES, 0, 0, 0, user::Program([] {
                                                   while (gadget->cancelled == 0) {
                                                     user::nanosleep(1'000'000);
                                                   }
                                                   user::Syscall(kCompleteGadget, -ECANCELED);
                                                 }));
              EXPECT_EQ(user::io_destroy(p.ctx), 0);
              EXPECT_EQ(gadget->cancelled, 1);
              EXPECT_EQ(gadget->taken, nullptr);  // io_destroy has waited for it
              user::wait4(static_cast<int>(thread), 0, __WALL);
            }),
            "");
}

TEST(CancelFn, ListingARequestTwiceIsReported) {
  EXPECT_THAT(RunGadget([](AioProgram&) { user::Syscall(kListTwice); }),
              HasSubstr("kiocb_set_cancel_fn: the request is on active_reqs already"));
}

}  // namespace
}  // namespace kpath
