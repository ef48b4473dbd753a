// SPDX-License-Identifier: Apache-2.0
//
// The faults of Machine, and ForEachFailure.
#include "testing/faults.h"

#include <fcntl.h>

#include <csignal>

#include "gtest/gtest-spi.h"
#include "sim/process/signal.h"
#include "testing/kpath.h"

namespace kpath::testing {
namespace {

SystemOptions WithDisk() { return {.devices = {{.path = "/dev/vda", .latency_ns = 80'000}}}; }

// ---- Allocations ----

TEST_F(MachineTest, TheNthAllocationFails) {
  machine.Run([&] {
    user::Arena arena;
    const auto ctx = arena.New<user::io_context_t>();
    ctx.Store(0);  // the page is there
    machine.FailAllocation(1);
    EXPECT_THAT(Call([&] { return user::io_setup(8, ctx); }), FailsWith(ENOMEM));
    EXPECT_THAT(Call([&] { return user::io_setup(8, ctx); }), Returns(0));
    ctx.Store(0);
    machine.FailAllocation(2);
    const RecordedCall call = Call([&] { return user::io_setup(8, ctx); });
    EXPECT_THAT(call, AllOf(Returns(Le(-1)), PassesThrough("kmem_cache_alloc", "percpu_ref_init")));
  });
}

TEST_F(MachineTest, TheAllocationOfACacheFails) {
  machine.Run([&] {
    user::Arena arena;
    const auto ctx = arena.New<user::io_context_t>();
    EXPECT_EQ(user::io_setup(8, ctx), 0);
    const int64_t fd = user::open("/tmp/x", O_RDWR | O_CREAT, 0600);
    const auto iocbs =
        arena.Put(arena.Put(user::PreadIocb(static_cast<int>(fd), arena.Bytes(512), 512, 0)));
    machine.FailAllocation(1, "aio_kiocb");
    EXPECT_GE(user::open("/tmp/y", O_RDWR | O_CREAT, 0600), 0) << "other caches do not count";
    const RecordedCall call = Call([&] { return user::io_submit(ctx.Load(), 1, iocbs); });
    EXPECT_THAT(call, FailsWith(EAGAIN, "no memory for a request"));
  });
}

TEST_F(MachineTest, PagesFailByTheirAllocator) {
  machine.Run([&] {
    const int64_t fd = user::open("/tmp/x", O_RDWR | O_CREAT, 0600);
    machine.FailAllocation(1, "get_page_from_freelist");
    EXPECT_EQ(user::write(static_cast<int>(fd), "hello"), -ENOMEM);
  });
}

TEST_F(MachineTest, RefusesNonsense) {
  EXPECT_NONFATAL_FAILURE(machine.FailAllocation(0), "the next allocation is number 1");
  EXPECT_NONFATAL_FAILURE(machine.DelayDevice("/dev/vdz", 1),
                          "the machine's virtio_blk disks are: ");
}

// ---- User pages ----

TEST_F(MachineTest, APageGoesWhileACallIsUnderWay) {
  uint64_t buffer = 0;
  machine.Start("writer", [&] {
    user::Arena arena(4 * kPageSize);
    buffer = arena.Bytes(kPageSize, kPageSize);
    user::Store<uint64_t>(buffer, 7);
    const int64_t fd = user::open("/tmp/x", O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(user::write(static_cast<int>(fd), buffer, 512), -EFAULT);
  });
  ASSERT_TRUE(machine.RunTo("__x64_sys_write"));
  machine.FaultUserPage(buffer + 100);
}

TEST_F(MachineTest, AProgramFaultsAPageOfItsOwn) {
  const int pid = machine.Start("toucher", [&] {
    user::Arena arena(4 * kPageSize);
    const uint64_t page = arena.Bytes(kPageSize, kPageSize);
    user::Store<uint64_t>(page, 7);
    machine.FaultUserPage(page);
    user::Load<uint64_t>(page);
  });
  machine.Run();
  EXPECT_EQ(machine.ExitStatus(pid), SIGSEGV);
}

TEST_F(MachineTest, TellsWhenAPageCannotBeTaken) {
  machine.Start("mapper", [] { user::Arena arena; });
  ASSERT_TRUE(machine.RunTo("do_mmap"));
  EXPECT_NONFATAL_FAILURE(machine.FaultUserPage(0x100000000000), "holds the mmap_sem");
  EXPECT_NONFATAL_FAILURE(machine.FaultUserPage(0x100000000000, 4711), "no process 4711");
}

// ---- Devices ----

// How long a read of the disk takes, in nanoseconds of the machine's time.
int64_t TimeOfARead(Machine& machine, int64_t* result) {
  int64_t time = 0;
  machine.Run([&] {
    user::Arena arena;
    const int64_t fd = user::open("/dev/vda", O_RDONLY | O_DIRECT);
    const uint64_t buffer = arena.Bytes(512, 512);
    user::Store<char>(buffer, 0);
    const int64_t begin = machine.system().machine().now_ns();
    *result = user::pread(static_cast<int>(fd), buffer, 512, 0);
    time = machine.system().machine().now_ns() - begin;
  });
  return time;
}

TEST(Devices, AreDelayed) {
  int64_t result;
  Machine usual(WithDisk()), slow(WithDisk());
  const int64_t usual_ns = TimeOfARead(usual, &result);
  slow.DelayDevice("/dev/vda", 5'000'000);
  EXPECT_THAT(TimeOfARead(slow, &result),
              AllOf(Ge(usual_ns + 5'000'000), Le(usual_ns + 5'010'000)))  // and timer interrupts
      << usual_ns;
  slow.DelayDevice("/dev/vda", 0);
  EXPECT_LT(TimeOfARead(slow, &result), 1'000'000);
  EXPECT_THAT(slow, LeavesNothingBehind());
}

TEST(Devices, Fail) {
  Machine machine(WithDisk());
  machine.FailDevice("/dev/vda", 2);
  int64_t result;
  TimeOfARead(machine, &result);
  EXPECT_EQ(result, 512);
  TimeOfARead(machine, &result);
  EXPECT_EQ(result, -EIO);
  TimeOfARead(machine, &result);
  EXPECT_EQ(result, 512);
  EXPECT_THAT(machine, LeavesNothingBehind());
}

// The disk that the test has made itself stays in charge of the rest.
TEST(Devices, OfTheTestsOwn) {
  class SlowDisk final : public DiskModel {
   public:
    using DiskModel::DiskModel;
    DiskPlan Plan(::kpath::Machine&, const DiskCommand&) override {
      return {.latency_ns = 7'000'000};
    }
  };
  SystemOptions options = WithDisk();
  options.devices[0].make_disk = [](const DeviceOptions& device) {
    return std::make_unique<SlowDisk>(device.size, 0);
  };
  Machine machine(options);
  int64_t result;
  const int64_t once = TimeOfARead(machine, &result);
  EXPECT_GE(once, 7'000'000);
  machine.DelayDevice("/dev/vda", 1'000'000);
  EXPECT_GE(TimeOfARead(machine, &result), 8'000'000);
}

// ---- Signals ----

// A program that notes when its handler ran, and waits.
struct Waiter {
  int handled = 0;
  int64_t result = 0;
  user::Code program = [this] {
    user::sigaction(SIGUSR1, [this](const user::Signal&) { ++handled; });
    result = user::pause();
  };
};

TEST_F(MachineTest, ASignalComesAtItsPosition) {
  Waiter waiter;
  machine.Start("waiter", waiter.program);
  ASSERT_TRUE(machine.RunToSyscall("pause"));
  const Position position(machine.position().probes_passed() + 3);
  machine.SignalAt(position, SIGUSR1);
  machine.Run();
  EXPECT_EQ(waiter.handled, 1);
  EXPECT_EQ(waiter.result, -EINTR);
}

TEST_F(MachineTest, ASignalIsSentAtOnceWhereItsPositionIsPassed) {
  Waiter waiter;
  const int pid = machine.Start("waiter", waiter.program);
  ASSERT_TRUE(machine.RunToSyscall("rt_sigaction"));
  machine.SignalAt(Position(0), SIGUSR1, pid);  // before there is a handler: it is deadly
  machine.Run();
  EXPECT_EQ(waiter.handled, 0);
  EXPECT_EQ(machine.ExitStatus(pid), SIGUSR1);
}

TEST_F(MachineTest, AProgramAsksForSignals) {
  int handled = 0;
  machine.Start("waiter", [&] {
    user::sigaction(SIGUSR1, [&](const user::Signal&) { ++handled; });
    machine.SignalAt(machine.position(), SIGUSR1);
    user::getpid();
    EXPECT_EQ(handled, 1);
    machine.SignalAt(Position(machine.position().probes_passed() + 1'000'000), SIGUSR1);
    EXPECT_EQ(user::pause(), -EINTR) << "nothing else is left to happen";
  });
  machine.Run();
  EXPECT_EQ(handled, 2);
}

TEST(Signals, ThatWereNeverSentAreAFailure) {
  Machine machine;
  machine.SignalAt(Position(1'000'000), SIGUSR1);
  machine.Run([] {});
  EXPECT_NONFATAL_FAILURE(machine.Finish(), "SignalAt(#1000000, 10): the run ended at #");
}

TEST_F(MachineTest, TellsThatASignalHasNobodyToGoTo) {
  machine.Run([] {});
  EXPECT_NONFATAL_FAILURE(machine.SignalAt(machine.position(), SIGUSR1),
                          "there is no process any more");
}

// ---- Every point ----

TEST(ForEachFailure, FailsEachAllocationOfACall) {
  int runs = 0, refused = 0;
  const int points = ForEachFailure(
      [&] {
        ++runs;
        user::Arena arena;
        const auto ctx = arena.New<user::io_context_t>();
        const int64_t result = user::io_setup(8, ctx);
        if (result == 0) user::io_destroy(ctx.Load());
        refused += result < 0;
      },
      {.within = "__x64_sys_io_setup"});
  EXPECT_GE(points, 8);
  EXPECT_EQ(runs, points + 1) << "and once without a failure";
  EXPECT_GE(refused, points / 2);
}

TEST(ForEachFailure, FailsCommandsOfADisk) {
  std::vector<int64_t> results;
  const int points = ForEachFailure(
      [&](Machine& machine) {
        int64_t result = 0;
        TimeOfARead(machine, &result);
        results.push_back(result);
      },
      {.within = "virtio_queue_rq", .machine = WithDisk()});
  EXPECT_EQ(points, 2) << "memory for the ring's descriptors, for which there is another way; the "
                          "command itself";
  EXPECT_THAT(results, ElementsAre(512, 512, -EIO));
}

TEST(ForEachFailure, FailsTheBirthOfAProcess) {
  EXPECT_GE(ForEachFailure([] {}), 5);
}

// A program that leaks where an allocation fails is found, and the point is named.
TEST(ForEachFailure, NamesThePoint) {
  ::testing::TestPartResultArray failures;
  {
    ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
    ForEachFailure(
        [] {
          user::Arena arena;
          const auto ctx = arena.New<user::io_context_t>();
          if (user::io_setup(8, ctx) == -ENOMEM) kmem_cache_alloc(*sigqueue_cachep, GFP_ATOMIC);
        },
        {.within = "ioctx_alloc"});
  }
  ASSERT_GE(failures.size(), 2);
  const std::string text = failures.GetTestPartResult(0).message();
  EXPECT_THAT(text, HasSubstr("Expected: leaves nothing behind"));
  EXPECT_THAT(text, HasSubstr("BUG sigqueue: object 0x"));
  EXPECT_THAT(text, ::testing::ContainsRegex(
                        "failing: allocation of kioctx in ioctx_alloc < .*, at #[0-9]+ "
                        "\\(1 of [0-9]+\\)"));
}

}  // namespace
}  // namespace kpath::testing
