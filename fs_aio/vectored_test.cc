// SPDX-License-Identifier: Apache-2.0
//
// IOCB_CMD_PREADV and IOCB_CMD_PWRITEV, and what a list of segments is refused for.
#include <sys/mman.h>

#include "fs_aio/aio_test_program.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// `count` segments of `bytes` bytes, one behind the other in the program's buffer.
user::Pointer<user::iovec> Segments(AioProgram& p, size_t count, uint64_t bytes) {
  const auto segments = p.arena.New<user::iovec>(count + 1);
  for (size_t i = 0; i < count; ++i) {
    (segments + static_cast<int64_t>(i)).Store({p.buffer + i * bytes, bytes});
  }
  return segments;
}

TEST(Vectored, WritesFromAndReadsIntoSeveralPlaces) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::WriteString(p.buffer, "one");
    user::WriteString(p.buffer + 100, "three");
    const auto out = p.arena.New<user::iovec>(2);
    out.Store({p.buffer, 3});
    (out + 1).Store({p.buffer + 100, 5});
    ASSERT_EQ(p.Submit({user::PwritevIocb(p.fd, out.address(), 2, 7)}), 1);
    ASSERT_EQ(p.Reap(1, 1), 1);
    EXPECT_EQ(p.Event(0).res, 8);
    const auto in = p.arena.New<user::iovec>(3);
    in.Store({p.buffer + 200, 5});
    (in + 1).Store({p.buffer + 300, 0});
    (in + 2).Store({p.buffer + 400, 3});
    ASSERT_EQ(p.Submit({user::PreadvIocb(p.fd, in.address(), 3, 7)}), 1);
    ASSERT_EQ(p.Reap(1, 1), 1);
    EXPECT_EQ(p.Event(0).res, 8);
    EXPECT_EQ(user::ReadText(p.buffer + 200, 5), "oneth");
    EXPECT_EQ(user::ReadText(p.buffer + 400, 3), "ree");
    p.ExpectSlotsBalance();
  });
}

TEST(Vectored, NoSegmentsIsAnEmptyRead) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    // The list is not even looked at; of its length the upper 32 bits are lost.
    ASSERT_EQ(p.Submit({user::PreadvIocb(p.fd, 0, 0, 0)}), 1);
    ASSERT_EQ(p.Submit({user::PwritevIocb(p.fd, 0, uint64_t{1} << 32, 0)}), 1);
    ASSERT_EQ(p.Reap(2, 2), 2);
    EXPECT_EQ(p.Event(0).res, 0);
    EXPECT_EQ(p.Event(1).res, 0);
  });
}

TEST(Vectored, AThousandAndTwentyFourSegmentsAndNotOneMore) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const auto segments = Segments(p, 1025, 1);
    ASSERT_EQ(p.Submit({user::PreadvIocb(p.fd, segments.address(), 1024, 0)}), 1);
    ASSERT_EQ(p.Reap(1, 1), 1);
    EXPECT_EQ(p.Event(0).res, 1024);
    EXPECT_EQ(p.Submit({user::PreadvIocb(p.fd, segments.address(), 1025, 0)}), -EINVAL);
    EXPECT_EQ(p.Reason(), "EINVAL: 1025 segments, the limit is 1024");
    EXPECT_EQ(p.Submit({user::PwritevIocb(p.fd, segments.address(), 1025, 0)}), -EINVAL);
    p.ExpectSlotsBalance();
  });
}

TEST(Vectored, MoreThanEightSegmentsNeedMemory) {
  class Exhausted : public Chooser {
   public:
    explicit Exhausted(int skip) : skip_(skip) {}
    int Choose(uint64_t, ChoiceKind kind, int) override {
      return kind == ChoiceKind::kFailAlloc && skip_-- <= 0;
    }

   private:
    int skip_;
  };
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const auto segments = Segments(p, 9, 8);
    for (const auto& [count, result] : {std::pair{8, int64_t{1}}, {9, int64_t{-ENOMEM}}}) {
      const user::iocb cb = user::PreadvIocb(p.fd, segments.address(), count, 0);
      p.Submit({});  // no page of the program is new any more
      p.places.Store(cb);
      p.pointers.Store(p.places);
      current->machine->SetChooser(std::make_unique<Exhausted>(1));  // the request can be had
      const int64_t got = user::io_submit(p.ctx, 1, p.pointers);
      current->machine->SetChooser(nullptr);
      EXPECT_EQ(got, result) << count;
    }
    EXPECT_EQ(p.Reason(), "ENOMEM: no memory for 9 segments");
    p.ExpectSlotsBalance();
  });
}

TEST(Vectored, UnreadableList) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(p.Submit({user::PreadvIocb(p.fd, 0x10000, 2, 0)}), -EFAULT);
    EXPECT_EQ(p.Reason(),
              "EFAULT: 0x10000 is not mapped; it is in the list of 2 segments at 0x10000");
    p.ExpectSlotsBalance();
  });
}

TEST(Vectored, NegativeLengthOfASegment) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const auto segments = Segments(p, 3, 8);
    (segments + 1).Store({p.buffer, uint64_t{1} << 63});
    EXPECT_EQ(p.Submit({user::PwritevIocb(p.fd, segments.address(), 3, 0)}), -EINVAL);
    EXPECT_THAT(p.Reason(), StartsWith("EINVAL: segment 1 has the length -9223372036854775808"));
    p.ExpectSlotsBalance();
  });
}

TEST(Vectored, SegmentBeyondTheUsersAddresses) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const auto segments = Segments(p, 3, 8);
    (segments + 2).Store({0xffffffff81000000, 8});
    EXPECT_EQ(p.Submit({user::PreadvIocb(p.fd, segments.address(), 3, 0)}), -EFAULT);
    EXPECT_THAT(p.Reason(), HasSubstr("segment 2, 8 bytes at 0xffffffff81000000"));
    p.ExpectSlotsBalance();
  });
}

TEST(Vectored, TheTotalIsClippedNotRefused) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const auto segments = p.arena.New<user::iovec>(2);
    segments.Store({p.buffer, 16});
    (segments + 1).Store({0x10000, 0x7fffffff});  // nothing is mapped there
    ASSERT_EQ(p.Submit({user::PreadvIocb(p.fd, segments.address(), 2, 4000)}), 1);
    ASSERT_EQ(p.Reap(1, 1), 1);
    EXPECT_EQ(p.Event(0).res, 16);
  });
}

TEST(Vectored, ASegmentThatIsNotMappedEndsTheReadThere) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const auto segments = Segments(p, 2, 512);
    (segments + 1).Store({0x10000, 512});
    ASSERT_EQ(p.Submit({user::PreadvIocb(p.fd, segments.address(), 2, 0)}), 1);
    ASSERT_EQ(p.Reap(1, 1), 1);
    EXPECT_EQ(p.Event(0).res, 512);
    segments.Store({0x10000, 512});
    ASSERT_EQ(p.Submit({user::PreadvIocb(p.fd, segments.address(), 2, 0)}), 1);
    ASSERT_EQ(p.Reap(1, 1), 1);
    EXPECT_EQ(p.Event(0).res, -EFAULT);
  });
}

}  // namespace
}  // namespace kpath
