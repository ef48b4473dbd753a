// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/aio.h"

#include "inspect/info/address.h"
#include "inspect/info/stopped.h"
#include "inspect/info/text.h"

namespace kpath {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST(InfoKioctx, EmptyOnAMachineWithoutContexts) {
  Stopped run;
  EXPECT_EQ(InfoKioctx(run.view()), "There are no contexts.\n");
  EXPECT_EQ(InfoRing(run.view()).value(), "swapper/0 has no contexts.\n");
  EXPECT_EQ(InfoRing(run.view(), 0x1234).status().message(), "No context has the address 0x1234");
}

TEST(InfoKioctx, WhereTheSlotsOfEachContextAre) {
  Stopped run(WithDisk(2));
  run.system.Start("prog", ReadFourPages);
  run.system.Start("waiter", WaitForEver);
  ASSERT_TRUE(run.At("io_submit_one", 4));
  const std::string text = InfoKioctx(run.view(0));
  EXPECT_THAT(text, StartsWith("kioctx 0x7ffff7fee000 of waiter/2, id 0, at 0xffff88810001"));
  EXPECT_THAT(text,
              HasSubstr("\n  slots: 126 in reqs_available + 0 on CPUs (0 0) + 0 in flight + 0 "
                        "completed and unread = 126, nr_events - 1\n"
                        "  0 requests not freed, 0 cancellable\n"
                        "  waited for by waiter/2\n"));
  EXPECT_THAT(text, HasSubstr("kioctx 0x7ffff7fea000 of prog/1, id 0, at 0xffff88810001"));
  EXPECT_THAT(text, EndsWith("\n  max_reqs 8, nr_events 127, req_batch 15, 1 page, tail 0, "
                             "completed_events 0\n"
                             "  slots: 111 in reqs_available + 12 on CPUs (12 0) + 3 in flight + 0 "
                             "completed and unread = 126, nr_events - 1\n"
                             "  3 requests not freed, 0 cancellable\n"
                             "    request of iocb 0x7ffff7fef008, data 0x10: /dev/vda at 0\n"
                             "    request of iocb 0x7ffff7fef048, data 0x11: /dev/vda at 4096\n"
                             "    request of iocb 0x7ffff7fef088, data 0x12: /dev/vda at 8192\n"));
}

// Submits `count` reads of a memory file, which complete at once, and reads `reaped` of the events.
void CompleteAndReap(int64_t count, int64_t reaped) {
  user::Arena arena(1 << 16);
  const auto ctxp = arena.New<user::io_context_t>();
  const auto fd = static_cast<int>(user::open("/tmp/file", O_RDWR | O_CREAT, 0600));
  const uint64_t buffer = arena.Bytes(512, 512);
  user::write(fd, buffer, 512);
  user::io_setup(8, ctxp);
  const auto iocb = arena.New<user::iocb>();
  const auto pointer = arena.New<user::Pointer<user::iocb>>();
  pointer.Store(iocb);
  const auto submit = [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) {
      user::iocb read = user::PreadIocb(fd, buffer, 512, i == 1 ? 512 : 0);
      read.aio_data = static_cast<uint64_t>(i);
      iocb.Store(read);
      user::io_submit(ctxp.Load(), 1, pointer);
    }
  };
  const auto events = arena.New<user::io_event>(256);
  submit(0, std::min<int64_t>(count, 100));
  if (reaped > 0) user::io_getevents(ctxp.Load(), 1, reaped, events, {});
  submit(100, count);
  user::nanosleep(1'000'000);
}

TEST(InfoRing, HeadTailAndUnreadEvents) {
  Stopped run;
  run.system.Start("prog", [] { CompleteAndReap(5, 2); });
  ASSERT_TRUE(run.At("do_nanosleep"));
  const std::string dots(59, '.');
  EXPECT_THAT(InfoRing(run.view()).value(),
              testing::MatchesRegex(
                  "Ring of 0x7ffff7[0-9a-f]+ \\(prog/1\\): 127 slots, head 2, tail 5, 3 unread\n"
                  "    0 > ..H##T" +
                  std::string(58, '.') +
                  " > 63\n"
                  "  126 <  " +
                  std::string(63, '.') +
                  " < 64\n"
                  "  H the next to be read, T the next to be written, # unread, . free\n"
                  "  \\[2\\] data=0x2 obj=0x7ffff7[0-9a-f]+ res=512 res2=0\n"
                  "  \\[3\\] data=0x3 obj=0x7ffff7[0-9a-f]+ res=512 res2=0\n"
                  "  \\[4\\] data=0x4 obj=0x7ffff7[0-9a-f]+ res=512 res2=0\n"));
}

TEST(InfoRing, OverTheEndAndMoreThanAreListed) {
  Stopped run;
  run.system.Start("prog", [] { CompleteAndReap(140, 80); });
  ASSERT_TRUE(run.At("do_nanosleep"));
  const std::string text = InfoRing(run.view()).value();
  EXPECT_THAT(text, HasSubstr(": 127 slots, head 80, tail 13, 60 unread\n"));
  EXPECT_THAT(
      text, HasSubstr("    0 > " + std::string(13, '#') + "T" + std::string(50, '.') + " > 63\n"));
  EXPECT_THAT(
      text, HasSubstr("  126 <  " + std::string(46, '#') + "H" + std::string(16, '.') + " < 64\n"));
  EXPECT_THAT(text, EndsWith("\n  and 28 more\n"));
}

TEST(InfoRing, ByHandleOrByTheAddressOfTheContext) {
  Stopped run(WithDisk(2));
  run.system.Start("prog", ReadFourPages);
  run.system.Start("waiter", WaitForEver);
  ASSERT_TRUE(run.At("io_submit_one", 4));
  const std::string of_waiter = InfoRing(run.view(), 0x7ffff7fee000).value();
  EXPECT_THAT(of_waiter, StartsWith("Ring of 0x7ffff7fee000 (waiter/2): 127 slots, head 0, tail 0, "
                                    "0 unread\n    0 > *..."));
  EXPECT_EQ(InfoRing(run.ViewOf(2)).value(), of_waiter);
  const std::string contexts = InfoKioctx(run.view(0));
  const uint64_t address =
      std::stoull(contexts.substr(contexts.find(", at ") + 5), nullptr, /*base=*/16);
  EXPECT_EQ(InfoRing(run.view(), address).value(), of_waiter);
  EXPECT_FALSE(InfoRing(run.view(), 0x1000).ok());
}

TEST(InfoRing, OnANarrowScreenACellIsSeveralSlots) {
  Stopped run;
  run.system.Start("prog", [] { CompleteAndReap(5, 2); });
  ASSERT_TRUE(run.At("do_nanosleep"));
  const std::string text = InfoRing(run.view(40)).value();
  EXPECT_THAT(text, HasSubstr("\n    0 > HT.................... > 65\n"
                              "  126 <  ..................... < 66\n"));
  EXPECT_THAT(text, HasSubstr("each is\n  3 slots, % has head and tail\n"));
}

// The header is in memory that the process may write.
TEST(InfoRing, AHeadThatTheProcessHasSpoilt) {
  Stopped run;
  run.system.Start("prog", [] {
    user::Arena arena;
    const auto ctxp = arena.New<user::io_context_t>();
    user::io_setup(8, ctxp);
    user::Store<uint32_t>(ctxp.Load() + 8, 1000);
    user::Store<uint32_t>(ctxp.Load() + 12, 3);
    user::nanosleep(1'000'000);
  });
  ASSERT_TRUE(run.At("do_nanosleep"));
  EXPECT_THAT(InfoRing(run.view(0)).value(),
              HasSubstr("head 1000, tail 3, 19 unread; taken modulo 127; the kernel's own tail is "
                        "0\n"));
}

}  // namespace
}  // namespace kpath
