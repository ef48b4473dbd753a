// SPDX-License-Identifier: Apache-2.0
//
// The example of docs/add-a-syscall.md. That page shows parts of this file: they are compared.
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "entry/boot.h"
#include "gtest/gtest.h"
#include "sim/kernel/compat.h"
#include "sim/kernel/fail.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "syscall_table/check_table.h"
#include "syscall_table/ia32_sys_call_table.h"
#include "syscall_table/sys_call_table.h"
#include "syscall_table/tables.h"

namespace kpath {

// What the program passes, and the same with the longs of 32-bit programs.
struct byte_range {
  uint64_t start, size;
};
struct compat_byte_range {
  compat_uptr_t start;
  compat_ulong_t size;
};

// The work itself, whatever ABI asked for it.
long count_zeros(const byte_range& range, unsigned flags) {
  FUNCTION(Value::Address(range.start), range.size, flags);
  if (flags != 0) return fn.Return<long>(Fail(EINVAL, "unknown flags $0", flags));
  long zeros = 0;
  for (uint64_t i = 0; i < range.size; ++i) {
    uint8_t byte = 0;
    if (get_user(byte, user_ptr<uint8_t>(range.start + i)) != 0) return fn.Return<long>(-EFAULT);
    if (byte == 0) ++zeros;
  }
  return fn.Return(zeros);
}

SYSCALL_DEFINE2(count_zeros, user_ptr<const byte_range>, urange, unsigned, flags) {
  byte_range range;
  if (copy_from_user(&range, urange, sizeof(range)) != 0) return -EFAULT;
  return count_zeros(range, flags);
}

COMPAT_SYSCALL_DEFINE2(count_zeros, user_ptr<const compat_byte_range>, urange, unsigned, flags) {
  compat_byte_range range;
  if (copy_from_user(&range, urange, sizeof(range)) != 0) return -EFAULT;
  return count_zeros({range.start, range.size}, flags);
}

namespace {

constexpr char kRows64[] =
    "335 64     count_zeros  __x64_sys_count_zeros\n"
    "548 x32    count_zeros  __x32_compat_sys_count_zeros\n";
constexpr char kRows32[] =
    "387 i386   count_zeros  sys_count_zeros  __ia32_compat_sys_count_zeros\n";

void AddCountZeros(Machine& machine) {
  sys_call_table.Get(machine).Set(
      335, {.function = __x64_sys_count_zeros, .name = "count_zeros", .fidelity = Fidelity::kFull});
  sys_call_table.Get(machine).Set(548, {.function = __x32_compat_sys_count_zeros,
                                        .name = "count_zeros",
                                        .fidelity = Fidelity::kFull});
  ia32_sys_call_table.Get(machine).Set(387, {.function = __ia32_compat_sys_count_zeros,
                                             .name = "count_zeros",
                                             .fidelity = Fidelity::kFull});
}

TEST(AddASyscall, EveryAbiMakesTheCall) {
  System system;
  AddCountZeros(system.machine());
  system.Start("prog", [] {
    const user::Stack32 memory;  // below 4 GiB, so that every ABI can name it
    const uint32_t bytes = memory.top() - 512, range = memory.top() - 256;
    user::WriteString(bytes, "a");  // and its NUL
    user::Store<byte_range>(range, {bytes, 4});
    EXPECT_EQ(user::Syscall(335, range, 0), 3);
    user::Store<compat_byte_range>(range, {bytes, 4});
    EXPECT_EQ(user::Syscall(548 | X32_SYSCALL_BIT, range, 0), 3);
    EXPECT_EQ(user::Int80(387, {range, 0}), 3);
  });
  EXPECT_EQ(system.Run(), "");
}

TEST(AddASyscall, ItsErrors) {
  System system;
  AddCountZeros(system.machine());
  system.Start("prog", [] {
    const user::Stack32 memory;
    const uint32_t range = memory.top() - 256;
    EXPECT_EQ(user::Syscall(335, 1, 0), -EFAULT);
    user::Store<byte_range>(range, {range, 1});
    EXPECT_EQ(user::Syscall(335, range, 1), -EINVAL);
    user::Store<byte_range>(range, {1, 1});
    EXPECT_EQ(user::Syscall(335, range, 0), -EFAULT);
  });
  EXPECT_EQ(system.Run(), "");
}

TEST(AddASyscall, TheRowsFitIntoTheTables) {
  const TableFile old_64 = {"syscall_64.tbl", std::string(Syscall64TblText())};
  const TableFile old_32 = {"syscall_32.tbl", std::string(Syscall32TblText())};
  CheckTableOptions options;
  options.functions = {"__x64_sys_count_zeros", "__x32_compat_sys_count_zeros"};
  options.against = &old_64;
  EXPECT_TRUE(CheckTable({"new_64.tbl", absl::StrCat(old_64.text, kRows64)}, options).empty());
  options.against = &old_32;
  EXPECT_TRUE(CheckTable({"new_32.tbl", absl::StrCat(old_32.text, kRows32)}, options).empty());
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// Each block of code on the page stands in this file as it is, or, of the tables, in kRows*.
TEST(AddASyscall, ThePageShowsThisFile) {
  const std::string page = ReadFile("docs/add-a-syscall.md");
  const std::string source = ReadFile("entry/add_a_syscall_test.cc");
  int blocks = 0;
  for (const std::string begin : {"```cpp\n", "```tbl\n"}) {
    size_t at = 0;
    while ((at = page.find(begin, at)) != std::string::npos) {
      at += begin.size();
      const std::string block = page.substr(at, page.find("```", at) - at);
      const bool is_table = begin == "```tbl\n";
      EXPECT_TRUE(is_table ? absl::StrContains(absl::StrCat(kRows64, kRows32), block)
                           : absl::StrContains(source, block))
          << block;
      ++blocks;
    }
  }
  EXPECT_EQ(blocks, 7);
}

}  // namespace
}  // namespace kpath
