// SPDX-License-Identifier: Apache-2.0
//
// The real tables: v4.19's facts that are easy to get wrong.

#include "syscall_table/tables.h"

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "syscall_table/tbl_parser.h"

namespace kpath {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// Entry with its qualifier, as the table spells it, or "no such number".
std::string EntryOf(int number) {
  const SyscallInfo* call = FindSyscall64(number);
  if (call == nullptr) return "no such number";
  return call->row.entry + (call->row.qualifier.empty() ? "" : "/" + call->row.qualifier);
}

TEST(Tables, TextsAreTheFiles) {
  EXPECT_EQ(Syscall64TblText(), ReadFile("syscall_table/syscall_64.tbl"));
  EXPECT_EQ(FidelityTblText(), ReadFile("syscall_table/fidelity.tbl"));
}

TEST(Tables, HasAllNumbersOfV419) {
  std::vector<int> expected;
  for (int number = 0; number <= 334; ++number) expected.push_back(number);
  for (int number = 512; number <= 547; ++number) expected.push_back(number);
  std::vector<int> actual;
  for (const SyscallInfo& call : Syscalls64()) actual.push_back(call.row.number);
  EXPECT_EQ(actual, expected);
}

TEST(Tables, CountsPerAbi) {
  std::map<absl::string_view, int> count;
  for (const SyscallInfo& call : Syscalls64()) ++count[SyscallAbiName(call.row.abi)];
  EXPECT_EQ(count, (std::map<absl::string_view, int>{{"common", 288}, {"64", 47}, {"x32", 36}}));
}

TEST(Tables, NumbersWithoutAnEntry) {
  std::vector<int> actual;
  for (const SyscallInfo& call : Syscalls64()) {
    if (!call.HasEntry()) actual.push_back(call.row.number);
  }
  EXPECT_EQ(actual, (std::vector<int>{134, 174, 177, 178, 180, 181, 182, 183, 184, 185, 205, 211,
                                      214, 215, 236}));
}

TEST(Tables, EntriesThatHaveAnotherNameThanTheCall) {
  EXPECT_EQ(EntryOf(4), "__x64_sys_newstat");
  EXPECT_EQ(EntryOf(5), "__x64_sys_newfstat");
  EXPECT_EQ(EntryOf(6), "__x64_sys_newlstat");
  EXPECT_EQ(EntryOf(40), "__x64_sys_sendfile64");
  EXPECT_EQ(EntryOf(63), "__x64_sys_newuname");
  EXPECT_EQ(EntryOf(156), "__x64_sys_sysctl");
  EXPECT_EQ(EntryOf(166), "__x64_sys_umount");
  EXPECT_EQ(EntryOf(513), "sys32_x32_rt_sigreturn");
  EXPECT_EQ(EntryOf(534), "__x32_compat_sys_preadv64");
  EXPECT_EQ(EntryOf(547), "__x32_compat_sys_pwritev64v2");
}

TEST(Tables, CallsThatTakeTheWholeRegisterFrame) {
  std::vector<int> actual;
  for (const SyscallInfo& call : Syscalls64()) {
    if (call.row.qualifier == "ptregs") actual.push_back(call.row.number);
  }
  EXPECT_EQ(actual, (std::vector<int>{15, 56, 57, 58, 59, 172, 322, 520, 545}));
}

TEST(FindSyscall64, FindsByNumber) {
  EXPECT_EQ(EntryOf(209), "__x64_sys_io_submit");
  EXPECT_EQ(EntryOf(544), "__x32_compat_sys_io_submit");
  EXPECT_EQ(EntryOf(335), "no such number");
  EXPECT_EQ(EntryOf(548), "no such number");
  EXPECT_EQ(EntryOf(-1), "no such number");
}

TEST(FindSyscall64, FindsByNameAsAProgramOfThatAbiMeansIt) {
  EXPECT_EQ(FindSyscall64("io_submit", SyscallAbi::k64)->row.number, 209);
  EXPECT_EQ(FindSyscall64("io_submit", SyscallAbi::kX32)->row.number, 544);
  EXPECT_EQ(FindSyscall64("io_destroy", SyscallAbi::k64)->row.number, 207);
  EXPECT_EQ(FindSyscall64("io_destroy", SyscallAbi::kX32)->row.number, 207);
  EXPECT_EQ(FindSyscall64("uselib", SyscallAbi::kX32), nullptr) << "a row of 64-bit programs only";
  EXPECT_EQ(FindSyscall64("io_uring_setup", SyscallAbi::k64), nullptr) << "newer than v4.19";
}

TEST(Tables, TheAioPathIsModelled) {
  for (absl::string_view name : {"io_setup", "io_submit", "io_getevents", "io_destroy"}) {
    const SyscallInfo* call = FindSyscall64(name, SyscallAbi::k64);
    ASSERT_NE(call, nullptr) << name;
    EXPECT_TRUE(call->IsModelled()) << name;
  }
}

}  // namespace
}  // namespace kpath
