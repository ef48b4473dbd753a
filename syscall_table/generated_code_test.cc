// SPDX-License-Identifier: Apache-2.0
//
// The headers that tbl_gen wrote from the real tables, as their users see them. That this file
// compiles with the host's system call headers in front is the first thing it tests.

#include <asm/unistd.h>
#include <sys/syscall.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "syscall_table/fidelity.h"
#include "syscall_table/numbers_64.h"
#include "syscall_table/tables.h"
#include "syscall_table/tbl_parser.h"

namespace kpath {
namespace {

static_assert(NR_read == 0);
static_assert(NR_io_setup == 206 && NR_io_destroy == 207 && NR_io_getevents == 208);
static_assert(NR_io_submit == 209 && NR_io_cancel == 210 && NR_io_pgetevents == 333);
static_assert(NR_x32_io_setup == 543 && NR_x32_io_submit == 544);
static_assert(NR_restart_syscall == 219);
static_assert(NR_rseq == 334 && NR_x32_pwritev2 == 547);
static_assert(NR_syscall_max == 547 && NR_syscalls == 548);
static_assert(NR_syscalls_without_x32 == 335);
static_assert(X32_SYSCALL_BIT == __X32_SYSCALL_BIT);
static_assert(NR_io_submit == __NR_io_submit && NR_rseq == SYS_rseq);

enum class Kind { kModelled, kNotModelled, kNoEntry };

struct GeneratedRow {
  int number;
  std::string abi;
  std::string name;
  std::string entry;
  Kind kind;
};

const GeneratedRow kGeneratedRows[] = {
#define SYSCALL_ROW(nr, abi, name, entry) {nr, abi, name, #entry, Kind::kModelled},
#define SYSCALL_NOT_MODELLED(nr, abi, name, entry) {nr, abi, name, #entry, Kind::kNotModelled},
#define SYSCALL_NO_ENTRY(nr, abi, name) {nr, abi, name, "", Kind::kNoEntry},
#include "syscall_table/syscalls_64.inc"
};

#if defined(SYSCALL_ROW) || defined(SYSCALL_NOT_MODELLED) || defined(SYSCALL_NO_ENTRY)
#error "syscalls_64.inc left a macro defined"
#endif

Kind KindOf(const SyscallInfo& call) {
  if (!call.HasEntry()) return Kind::kNoEntry;
  return call.IsModelled() ? Kind::kModelled : Kind::kNotModelled;
}

TEST(GeneratedRows, AreTheRowsOfTheTable) {
  const std::vector<SyscallInfo>& calls = Syscalls64();
  ASSERT_EQ(std::size(kGeneratedRows), calls.size());
  for (size_t i = 0; i < calls.size(); ++i) {
    SCOPED_TRACE(calls[i].row.name);
    EXPECT_EQ(kGeneratedRows[i].number, calls[i].row.number);
    EXPECT_EQ(kGeneratedRows[i].abi, SyscallAbiName(calls[i].row.abi));
    EXPECT_EQ(kGeneratedRows[i].name, calls[i].row.name);
    EXPECT_EQ(kGeneratedRows[i].entry, calls[i].row.entry);
    EXPECT_EQ(kGeneratedRows[i].kind, KindOf(calls[i]));
  }
}

TEST(GeneratedRows, HoldAModelledCall) {
  const auto io_submit = std::find_if(std::begin(kGeneratedRows), std::end(kGeneratedRows),
                                      [](const GeneratedRow& r) { return r.number == 209; });
  ASSERT_NE(io_submit, std::end(kGeneratedRows));
  EXPECT_EQ(io_submit->entry, "__x64_sys_io_submit");
  EXPECT_EQ(io_submit->kind, Kind::kModelled);
}

}  // namespace
}  // namespace kpath
