// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/uaccess.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/test_kernel.h"
#include "sim/kernel/test_user_memory.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kPage = 0x7f0000001000;  // writable; the page after it is not mapped
constexpr uint64_t kReadOnly = 0x7f0000004000;
constexpr uint64_t kPair = 0x7f0000006000;  // two writable pages
constexpr uint64_t kLastPage = TASK_SIZE_MAX - kPageSize;

class UaccessTest : public ::testing::Test {
 protected:
  UaccessTest() {
    user_.Map(kPage, kPageSize);
    user_.Map(kReadOnly, kPageSize, /*writable=*/false);
    user_.Map(kPair, 2 * kPageSize);
    user_.Map(kLastPage, kPageSize);
  }

  // Runs `body` in a task; keeps that task's last reason.
  void InTask(const std::function<void()>& body) {
    kernel_.Spawn("test", [&] {
      body();
      reason_ = current->reason.ToString();
    });
    EXPECT_EQ(kernel_.Run(), "");
  }

  TestKernel kernel_;
  TestUserMemory user_{kernel_.machine};
  std::string reason_;
};

TEST(UserPtrTest, CountsInObjectsAndFindsMembers) {
  struct pair {
    uint64_t first;
    uint32_t second;
  };
  const user_ptr<pair> p(0x1000);
  EXPECT_EQ((p + 2).address(), 0x1020u);
  EXPECT_EQ((p - 1).address(), 0xff0u);
  EXPECT_EQ(p.member(&pair::second).address(), 0x1008u);
  EXPECT_EQ(user_ptr<const void>(p).address(), 0x1000u);
  EXPECT_EQ(MakeValue(p).ToString(), "0x1000");
  EXPECT_FALSE(user_ptr<pair>(nullptr));
}

TEST(AccessOkTest, EndsAtTheUserLimitAndDoesNotWrap) {
  EXPECT_TRUE(access_ok(user_ptr<void>(TASK_SIZE_MAX - 8), 8));
  EXPECT_FALSE(access_ok(user_ptr<void>(TASK_SIZE_MAX - 7), 8));
  EXPECT_FALSE(access_ok(user_ptr<void>(~uint64_t{0}), 2));
  EXPECT_FALSE(access_ok(user_ptr<void>(16), ~uint64_t{0}));
  EXPECT_TRUE(access_ok(user_ptr<void>(TASK_SIZE_MAX), 0));
}

TEST_F(UaccessTest, GetUserReadsEachWidthAndConverts) {
  user_.Write<uint64_t>(user_ptr<uint64_t>(kPage), 0x8877665544332281);
  InTask([] {
    uint64_t u64;
    EXPECT_EQ(get_user(u64, user_ptr<const uint64_t>(kPage)), 0);
    EXPECT_EQ(u64, 0x8877665544332281u);
    EXPECT_EQ(get_user(u64, user_ptr<uint32_t>(kPage)), 0);
    EXPECT_EQ(u64, 0x44332281u);
    EXPECT_EQ(get_user(u64, user_ptr<uint16_t>(kPage)), 0);
    EXPECT_EQ(u64, 0x2281u);
    int narrow;
    EXPECT_EQ(get_user(narrow, user_ptr<int8_t>(kPage)), 0);
    EXPECT_EQ(narrow, -127);
    user_ptr<char> pointer;
    EXPECT_EQ(get_user(pointer, user_ptr<user_ptr<char>>(kPage)), 0);
    EXPECT_EQ(pointer.address(), 0x8877665544332281u);
  });
}

TEST_F(UaccessTest, PutUserWritesOnlyItsWidthAndMarksThePageDirty) {
  user_.Write<uint64_t>(user_ptr<uint64_t>(kPage), ~uint64_t{0});
  EXPECT_FALSE(user_.space().Find(kPage)->dirty);
  InTask([] { EXPECT_EQ(put_user(0x1234, user_ptr<uint16_t>(kPage + 2)), 0); });
  EXPECT_EQ(user_.Read(user_ptr<uint64_t>(kPage)), 0xffffffff1234ffffu);
  EXPECT_TRUE(user_.space().Find(kPage)->dirty);
}

TEST_F(UaccessTest, AnUnmappedAddressIsEfaultByTheExceptionTable) {
  InTask([] {
    const Registers before = current->cpu->regs;
    uint64_t value = 7;
    EXPECT_EQ(get_user(value, user_ptr<uint64_t>(0x1234000)), -EFAULT);
    EXPECT_EQ(value, 0u);
    EXPECT_EQ(current->cpu->cr2, 0x1234000u);
    EXPECT_EQ(current->cpu->regs.rip, kExtableGetUser8.fixup);
    EXPECT_EQ(current->cpu->regs[Reg::rsp], before[Reg::rsp]);
    EXPECT_EQ(current->cpu->regs.rflags, before.rflags);
    EXPECT_EQ(current->cpu->regs.cs, __KERNEL_CS);
  });
  EXPECT_EQ(reason_, "EFAULT: 0x1234000 is not mapped");
}

TEST_F(UaccessTest, AnAddressAtTheLimitIsEfaultWithoutAFault) {
  InTask([] {
    current->cpu->cr2 = 0x5a;
    uint64_t value;
    EXPECT_EQ(get_user(value, user_ptr<uint64_t>(TASK_SIZE_MAX - 8)), 0);
    EXPECT_EQ(get_user(value, user_ptr<uint64_t>(TASK_SIZE_MAX - 7)), -EFAULT);
    EXPECT_EQ(get_user(value, user_ptr<uint64_t>(0xfffffffffffffffc)), -EFAULT);
    EXPECT_EQ(put_user(0, user_ptr<uint32_t>(0xffff888000001000)), -EFAULT);
    EXPECT_EQ(current->cpu->cr2, 0x5au);
  });
  EXPECT_EQ(reason_,
            "EFAULT: 0xffff888000001000 (4 bytes) is beyond the user address limit 0x7ffffffff000");
}

TEST_F(UaccessTest, AReadOnlyPageCanBeReadAndNotWritten) {
  InTask([] {
    uint32_t value;
    EXPECT_EQ(get_user(value, user_ptr<uint32_t>(kReadOnly)), 0);
    EXPECT_EQ(put_user(1u, user_ptr<uint32_t>(kReadOnly + 8)), -EFAULT);
  });
  EXPECT_EQ(reason_, "EFAULT: 0x7f0000004008 is mapped read-only");
}

TEST_F(UaccessTest, AWordMayCrossIntoTheNextPage) {
  InTask([] {
    const user_ptr<uint64_t> across(kPair + kPageSize - 3);
    EXPECT_EQ(put_user(0x1122334455667788u, across), 0);
    uint64_t value;
    EXPECT_EQ(get_user(value, across), 0);
    EXPECT_EQ(value, 0x1122334455667788u);
  });
  EXPECT_EQ(user_.Read(user_ptr<uint8_t>(kPair + kPageSize)), 0x55);
}

TEST_F(UaccessTest, AWordThatCrossesIntoAnAbsentPageStoresNothing) {
  InTask([] {
    const user_ptr<uint64_t> across(kPage + kPageSize - 3);
    EXPECT_EQ(put_user(~uint64_t{0}, across), -EFAULT);
    EXPECT_EQ(current->cpu->cr2, kPage + kPageSize);
  });
  EXPECT_EQ(user_.Read(user_ptr<uint8_t>(kPage + kPageSize - 1)), 0);
}

TEST_F(UaccessTest, CopyFromUserStopsAtTheAbsentPageAndZeroesTheRest) {
  std::memset(user_.Bytes(kPage + kPageSize - 10), 0xaa, 10);
  InTask([] {
    uint8_t buffer[32];
    std::memset(buffer, 0x55, sizeof(buffer));
    EXPECT_EQ(copy_from_user(buffer, user_ptr<void>(kPage + kPageSize - 10), 32), 22u);
    for (int i = 0; i < 32; ++i) EXPECT_EQ(buffer[i], i < 10 ? 0xaa : 0) << i;
  });
  EXPECT_EQ(reason_, "EFAULT: 0x7f0000002000 is not mapped");
}

TEST_F(UaccessTest, CopyFromUserBeyondTheLimitCopiesNothing) {
  user_.Write<uint8_t>(user_ptr<uint8_t>(TASK_SIZE_MAX - 1), 0xaa);
  InTask([] {
    uint8_t buffer[2] = {1, 1};
    EXPECT_EQ(copy_from_user(buffer, user_ptr<void>(TASK_SIZE_MAX - 1), 2), 2u);
    EXPECT_EQ(buffer[0], 0);
  });
  EXPECT_THAT(reason_, HasSubstr("beyond the user address limit"));
}

TEST_F(UaccessTest, CopyToUserStopsAtTheAbsentPage) {
  InTask([] {
    const std::string text(300, 'x');
    EXPECT_EQ(copy_to_user(user_ptr<void>(kPage + kPageSize - 100), text.data(), 300), 200u);
  });
  EXPECT_EQ(user_.Read(user_ptr<char>(kPage + kPageSize - 1)), 'x');
}

TEST_F(UaccessTest, CopiesCrossMappedPages) {
  InTask([] {
    std::string text(kPageSize + 200, 'a');
    text.back() = 'z';
    EXPECT_EQ(copy_to_user(user_ptr<void>(kPair + 100), text.data(), text.size()), 0u);
    std::string read(text.size(), '\0');
    EXPECT_EQ(copy_from_user(read.data(), user_ptr<void>(kPair + 100), read.size()), 0u);
    EXPECT_EQ(read, text);
  });
}

TEST_F(UaccessTest, ClearUserZeroesUpToTheAbsentPage) {
  std::memset(user_.Bytes(kPage), 0xaa, kPageSize);
  InTask([] { EXPECT_EQ(clear_user(user_ptr<void>(kPage + kPageSize - 4), 6), 2u); });
  EXPECT_EQ(user_.Read(user_ptr<uint32_t>(kPage + kPageSize - 4)), 0u);
  EXPECT_EQ(user_.Read(user_ptr<uint8_t>(kPage + kPageSize - 5)), 0xaa);
}

TEST_F(UaccessTest, StrncpyFromUserStopsAtTheNulTheCountOrTheFault) {
  std::memcpy(user_.Bytes(kPair + kPageSize - 2), "ab", 2);
  std::memcpy(user_.Bytes(kPair + kPageSize), "cd", 3);
  std::memset(user_.Bytes(kPage + kPageSize - 3), 'x', 3);
  std::memset(user_.Bytes(TASK_SIZE_MAX - 2), 'y', 2);
  InTask([] {
    char buffer[16];
    EXPECT_EQ(strncpy_from_user(buffer, user_ptr<char>(kPair + kPageSize - 2), 16), 4);
    EXPECT_STREQ(buffer, "abcd");
    EXPECT_EQ(strncpy_from_user(buffer, user_ptr<char>(kPair + kPageSize - 2), 3), 3);
    EXPECT_EQ(strncpy_from_user(buffer, user_ptr<char>(kPage + kPageSize - 3), 16), -EFAULT);
    EXPECT_EQ(current->reason.ToString(), "EFAULT: 0x7f0000002000 is not mapped");
    EXPECT_EQ(strncpy_from_user(buffer, user_ptr<char>(TASK_SIZE_MAX - 2), 2), 2);
    EXPECT_EQ(strncpy_from_user(buffer, user_ptr<char>(TASK_SIZE_MAX - 2), 16), -EFAULT);
    EXPECT_EQ(strncpy_from_user(buffer, user_ptr<char>(TASK_SIZE_MAX), 16), -EFAULT);
  });
}

// A gate that maps the page makes the access succeed as if it had always been there.
TEST_F(UaccessTest, AHandledFaultIsRetried) {
  static AddressSpace* space = &user_.space();
  static uint64_t pfn = kernel_.machine.memory.AllocatePages(0);
  static unsigned long seen_error_code;
  kernel_.machine.cpu(0).idt[X86_TRAP_PF].handler = [](Cpu& cpu) {
    RunExceptionHandler(cpu, [](pt_regs* regs, unsigned long error_code) {
      seen_error_code = error_code;
      EXPECT_EQ(regs->ip, kExtablePutUser8.insn);
      space->Map(current->cpu->cr2, {.pfn = pfn, .writable = true});
    });
  };
  InTask([] { EXPECT_EQ(put_user(uint64_t{5}, user_ptr<uint64_t>(0x5000)), 0); });
  EXPECT_EQ(seen_error_code, 2u);  // a write to a page that is not present
  EXPECT_EQ(user_.Read(user_ptr<uint64_t>(0x5000)), 5u);
  EXPECT_EQ(reason_, ": ");
}

TEST_F(UaccessTest, AnInstructionWithoutAnEntryIsNotFixedUp) {
  InTask([] {
    EXPECT_EQ(search_exception_tables(kExtableGetUser4.insn), &kExtableGetUser4);
    EXPECT_EQ(search_exception_tables(kExtableGetUser4.fixup), nullptr);
    pt_regs regs = {};
    regs.ip = 0xffffffff81000000;
    EXPECT_EQ(fixup_exception(&regs, X86_TRAP_PF), 0);
    EXPECT_EQ(regs.ip, 0xffffffff81000000u);
  });
}

}  // namespace
}  // namespace kpath
