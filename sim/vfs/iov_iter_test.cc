// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/iov_iter.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "sim/vfs/test_vfs.h"

namespace kpath {
namespace {

// Runs `body` in a process of a machine with user memory.
void InProcess(TestVfs& vfs, std::function<void()> body) {
  vfs.Process("a", std::move(body));
  EXPECT_EQ(vfs.Run(), "");
}

TEST(IovIter, CopiesOverSegmentsAndSkipsEmptyOnes) {
  TestVfs vfs;
  const user_ptr<char> a = vfs.Buffer(3), b = vfs.Buffer(4);
  InProcess(vfs, [&] {
    const iovec iov[] = {{a, 3}, {b, 0}, {b, 4}};
    iov_iter to;
    iov_iter_init(&to, READ, iov, 3, 7);
    EXPECT_EQ(iov_iter_rw(to), READ);
    EXPECT_EQ(copy_to_iter("abcde", 5, &to), 5u);
    EXPECT_EQ(iov_iter_count(to), 2u);
    EXPECT_EQ(iov_iter_single_seg_count(to), 2u);
    EXPECT_EQ(copy_to_iter("fghij", 5, &to), 2u);
    EXPECT_EQ(vfs.Get(a, 3) + vfs.Get(b, 4), "abcdefg");

    iov_iter from;
    iov_iter_init(&from, WRITE, iov, 3, 7);
    char bytes[8] = {};
    EXPECT_EQ(CopyFromIterInPlace(bytes, 4, from), 4u);
    EXPECT_STREQ(bytes, "abcd");
    EXPECT_EQ(copy_from_iter(bytes, 8, &from), 7u);
    EXPECT_STREQ(bytes, "abcdefg");
    EXPECT_EQ(iov_iter_count(from), 0u);
  });
}

TEST(IovIter, StopsAtAPageThatIsNotThere) {
  TestVfs vfs;
  InProcess(vfs, [&] {
    const user_ptr<char> near_end(TestVfs::kUserBase + TestVfs::kUserBytes - 3);
    iovec iov;
    iov_iter iter;
    EXPECT_EQ(import_single_range(READ, near_end, 10, &iov, &iter), 0);
    EXPECT_EQ(copy_to_iter("0123456789", 10, &iter), 3u);
    EXPECT_EQ(iov_iter_count(iter), 7u);
    EXPECT_EQ(Why(), "EFAULT: 0x50000 is not mapped");
    EXPECT_EQ(copy_to_iter("0123456789", 7, &iter), 0u);
    EXPECT_EQ(iov_iter_fault_in_readable(iter, 7), -EFAULT);
    EXPECT_EQ(iov_iter_zero(7, &iter), 0u);
  });
}

TEST(IovIter, FaultsInEveryPageOfTheRange) {
  TestVfs vfs;
  InProcess(vfs, [&] {
    const uint64_t end = TestVfs::kUserBase + TestVfs::kUserBytes;
    const iovec iov = {user_ptr<void>(end - 4096 - 100), 8192};
    iov_iter iter;
    iov_iter_init(&iter, WRITE, &iov, 1, 8192);
    EXPECT_EQ(iov_iter_fault_in_readable(iter, 4096 + 100), 0);
    EXPECT_EQ(iov_iter_fault_in_readable(iter, 4096 + 101), -EFAULT);
    EXPECT_EQ(iov_iter_count(iter), 8192u);
  });
}

TEST(IovIter, AdvanceRevertTruncateZero) {
  TestVfs vfs;
  const user_ptr<char> a = vfs.Buffer(8), b = vfs.Buffer(8);
  vfs.Put(a, "aaaaaaaa");
  vfs.Put(b, "bbbbbbbb");
  InProcess(vfs, [&] {
    const iovec iov[] = {{a, 8}, {b, 8}};
    iov_iter iter;
    iov_iter_init(&iter, READ, iov, 2, 16);
    iov_iter_advance(&iter, 11);
    EXPECT_EQ(iov_iter_count(iter), 5u);
    iov_iter_revert(&iter, 9);
    EXPECT_EQ(iov_iter_count(iter), 14u);
    iov_iter_truncate(&iter, 8);
    EXPECT_EQ(iov_iter_zero(100, &iter), 8u);
    EXPECT_EQ(vfs.Get(a, 8), std::string("aa\0\0\0\0\0\0", 8));
    EXPECT_EQ(vfs.Get(b, 8), std::string("\0\0bbbbbb", 8));
    iov_iter_reexpand(&iter, 6);
    EXPECT_EQ(copy_to_iter("cccccccc", 8, &iter), 6u);
    EXPECT_EQ(vfs.Get(b, 8), std::string("\0\0cccccc", 8));
  });
}

TEST(IovIter, KernelMemory) {
  TestVfs vfs;
  InProcess(vfs, [&] {
    char first[4] = {}, second[4] = {};
    const kvec kvec[] = {{first, 3}, {second, 3}};
    iov_iter iter;
    iov_iter_kvec(&iter, READ, kvec, 2, 6);
    EXPECT_FALSE(iter_is_iovec(iter));
    EXPECT_EQ(copy_to_iter("abcdef", 6, &iter), 6u);
    EXPECT_STREQ(first, "abc");
    EXPECT_STREQ(second, "def");
    iov_iter_revert(&iter, 6);
    EXPECT_EQ(iov_iter_zero(1, &iter), 1u);
    EXPECT_EQ(first[0], '\0');
    EXPECT_EQ(iov_iter_fault_in_readable(iter, 5), 0);
  });
}

TEST(IovIter, AlignmentIsThatOfAddressesAndLengthsTogether) {
  TestVfs vfs;
  InProcess(vfs, [&] {
    const iovec iov[] = {{user_ptr<void>(0x1000), 512}, {user_ptr<void>(0x2200), 512}};
    iov_iter iter;
    iov_iter_init(&iter, READ, iov, 2, 1024);
    EXPECT_EQ(iov_iter_alignment(iter) & 511, 0u);
    EXPECT_EQ(iov_iter_alignment(iter) & 4095, 0x200u);
    iov_iter_advance(&iter, 8);
    EXPECT_EQ(iov_iter_alignment(iter) & 511, 0x1f8u | 8u);
  });
}

TEST(ImportSingleRange, ClipsTheLengthAndThenChecksTheRange) {
  TestVfs vfs;
  InProcess(vfs, [&] {
    iovec iov;
    iov_iter iter;
    EXPECT_EQ(import_single_range(READ, user_ptr<void>(0x1000), ~size_t{0}, &iov, &iter), 0);
    EXPECT_EQ(iov_iter_count(iter), 0x7ffff000u);
    const user_ptr<void> last(kUserAddressEnd - 16);
    EXPECT_EQ(import_single_range(READ, last, 16, &iov, &iter), 0);
    EXPECT_EQ(import_single_range(READ, last, 17, &iov, &iter), -EFAULT);
    EXPECT_EQ(Why(), "EFAULT: 17 bytes at 0x7fffffffeff0 are beyond the user's addresses");
  });
}

class ImportIovec : public ::testing::Test {
 protected:
  // Puts the segments into user memory.
  user_ptr<const iovec> Vector(const std::vector<iovec>& segments) {
    const user_ptr<char> at = vfs.Buffer(segments.size() * sizeof(iovec));
    vfs.Put(at, std::string(reinterpret_cast<const char*>(segments.data()),
                            segments.size() * sizeof(iovec)));
    return at.cast<const iovec>();
  }
  int Import(user_ptr<const iovec> vector, unsigned count) {
    const int result = import_iovec(READ, vector, count, &buffer, &iter);
    allocated = static_cast<bool>(buffer.allocated);
    kfree(buffer.allocated);
    buffer.allocated = nullptr;
    return result;
  }

  TestVfs vfs;
  iovec_buffer buffer;
  iov_iter iter;
  bool allocated = false;
};

TEST_F(ImportIovec, NoSegmentsAreAllowed) {
  InProcess(vfs, [&] {
    EXPECT_EQ(Import(user_ptr<const iovec>(0xdead), 0), 0);
    EXPECT_EQ(iov_iter_count(iter), 0u);
  });
}

TEST_F(ImportIovec, MoreThanEightAreAllocated) {
  const auto vector = Vector(std::vector<iovec>(9, {user_ptr<void>(0x1000), 2}));
  InProcess(vfs, [&] {
    EXPECT_EQ(Import(vector, 8), 0);
    EXPECT_FALSE(allocated);
    EXPECT_EQ(iov_iter_count(iter), 16u);
    EXPECT_EQ(Import(vector, 9), 0);
    EXPECT_TRUE(allocated);
    EXPECT_EQ(iov_iter_count(iter), 18u);
  });
}

TEST_F(ImportIovec, NoMemoryForMoreThanEight) {
  const auto vector = Vector(std::vector<iovec>(9, {user_ptr<void>(0x1000), 2}));
  InProcess(vfs, [&] {
    class Exhausted : public Chooser {
      int Choose(uint64_t, ChoiceKind kind, int) override {
        return kind == ChoiceKind::kFailAlloc ? 1 : 0;
      }
    };
    current->machine->SetChooser(std::make_unique<Exhausted>());
    EXPECT_EQ(Import(vector, 9), -ENOMEM);
    EXPECT_EQ(Why(), "ENOMEM: no memory for 9 segments");
  });
}

TEST_F(ImportIovec, MoreThan1024AreTooMany) {
  InProcess(vfs, [&] {
    EXPECT_EQ(Import(user_ptr<const iovec>(0xdead), 1025), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: 1025 segments, the limit is 1024");
    EXPECT_EQ(Import(user_ptr<const iovec>(0xdead), 1024), -EFAULT);
  });
}

TEST_F(ImportIovec, AnUnreadableArray) {
  InProcess(vfs, [&] {
    EXPECT_EQ(Import(user_ptr<const iovec>(0xdead0), 2), -EFAULT);
    EXPECT_EQ(Why(), "EFAULT: 0xdead0 is not mapped; it is in the list of 2 segments at 0xdead0");
  });
}

TEST_F(ImportIovec, ANegativeLengthComesBeforeABadRangeInALaterSegment) {
  const auto vector = Vector({{user_ptr<void>(0x1000), 1},
                              {user_ptr<void>(0x1000), ~uint64_t{0}},
                              {user_ptr<void>(kUserAddressEnd), 1}});
  InProcess(vfs, [&] {
    EXPECT_EQ(Import(vector, 3), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: segment 1 has the length -1");
    EXPECT_EQ(Import(vector + 2, 1), -EFAULT);
    EXPECT_EQ(Why(),
              "EFAULT: segment 0, 1 bytes at 0x7ffffffff000, is beyond the user's addresses");
  });
}

TEST_F(ImportIovec, TheTotalIsClipped) {
  const auto vector = Vector({{user_ptr<void>(0x1000), 0x7fffe000},
                              {user_ptr<void>(0x1000), 0x2000},
                              {user_ptr<void>(0x1000), 0x10}});
  InProcess(vfs, [&] {
    EXPECT_EQ(Import(vector, 3), 0);
    EXPECT_EQ(iov_iter_count(iter), 0x7ffff000u);
    EXPECT_EQ(buffer.fast[1].iov_len, 0x1000u);
    EXPECT_EQ(buffer.fast[2].iov_len, 0u);
  });
}

// Random walks over random segments, compared with a plain string.
TEST(IovIter, AgreesWithAPlainStringOnRandomWalks) {
  TestVfs vfs;
  std::mt19937 dice(7);
  const user_ptr<char> memory = vfs.Buffer(4096);
  InProcess(vfs, [&] {
    for (int round = 0; round < 200; ++round) {
      std::vector<iovec> iov;
      std::vector<int64_t> order;  // the user byte behind each byte of the iter
      int64_t at = 0;
      for (unsigned n = dice() % 6; n > 0; --n) {
        const uint64_t length = dice() % 9;
        iov.push_back({memory + at, length});
        for (uint64_t i = 0; i < length; ++i) order.push_back(at++);
        at += dice() % 3;
      }
      vfs.Put(memory, std::string(64, '.'));
      std::string naive(64, '.');
      iov_iter iter;
      iov_iter_init(&iter, READ, iov.data(), iov.size(), order.size());
      size_t place = 0;
      for (int move = 0; move < 12; ++move) {
        const size_t amount = dice() % 7;
        switch (dice() % 3) {
          case 0: {
            const size_t expected = std::min(amount, order.size() - place);
            ASSERT_EQ(copy_to_iter("ABCDEFG", amount, &iter), expected);
            for (size_t i = 0; i < expected; ++i) naive[order[place + i]] = "ABCDEFG"[i];
            place += expected;
            break;
          }
          case 1:
            iov_iter_advance(&iter, amount);
            place = std::min(place + amount, order.size());
            break;
          case 2: {
            const size_t back = std::min(amount, place);
            iov_iter_revert(&iter, back);
            place -= back;
            break;
          }
        }
        ASSERT_EQ(iov_iter_count(iter), order.size() - place);
      }
      ASSERT_EQ(vfs.Get(memory, 64), naive);
    }
  });
}

}  // namespace
}  // namespace kpath
