// SPDX-License-Identifier: Apache-2.0

#include "syscall_table/fidelity.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "syscall_table/tbl_parser.h"

namespace kpath {
namespace {

constexpr absl::string_view kCalls =
    "134 64     uselib\n"
    "206 64     io_setup    __x64_sys_io_setup\n"
    "207 common io_destroy  __x64_sys_io_destroy\n"
    "543 x32    io_setup    __x32_compat_sys_io_setup\n";

std::string ParseErrorOf(absl::string_view fidelity) {
  absl::StatusOr<FidelityTable> table = ParseFidelity("f.tbl", fidelity);
  return table.ok() ? "no error" : std::string(table.status().message());
}

// The join of `calls` and `fidelity`, which both parse.
absl::StatusOr<std::vector<SyscallInfo>> Join(absl::string_view calls, absl::string_view fidelity) {
  return DescribeSyscalls(*ParseTbl("calls.tbl", calls), *ParseFidelity("f.tbl", fidelity));
}

std::string JoinErrorOf(absl::string_view fidelity) {
  const auto infos = Join(kCalls, fidelity);
  return infos.ok() ? "no error" : std::string(infos.status().message());
}

TEST(ParseFidelity, ReadsNameLevelAndNote) {
  const auto table = ParseFidelity("f.tbl",
                                   "# head\n"
                                   "read    partial   memory files,  and pipes \n"
                                   "getpid  full\n"
                                   "io_setup/x32 none compat pointers\n"
                                   "io_setup/i386 full all\n");
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_EQ(table->rows.size(), 4u);
  EXPECT_EQ(table->rows[0].name, "read");
  EXPECT_EQ(table->rows[0].abi, SyscallAbi::k64);
  EXPECT_EQ(table->rows[0].fidelity, Fidelity::kPartial);
  EXPECT_EQ(table->rows[0].note, "memory files,  and pipes");
  EXPECT_EQ(table->rows[0].line, 2);
  EXPECT_EQ(table->rows[1].fidelity, Fidelity::kFull);
  EXPECT_EQ(table->rows[1].note, "");
  EXPECT_EQ(table->rows[2].abi, SyscallAbi::kX32);
  EXPECT_EQ(table->rows[2].fidelity, Fidelity::kNone);
  EXPECT_EQ(table->rows[3].abi, SyscallAbi::kI386);
}

TEST(ParseFidelity, AnEmptyFileModelsNothing) {
  EXPECT_EQ(ParseErrorOf("# nothing\n"), "no error");
}

TEST(ParseFidelity, ErrorsSayWhereWhatAndWhatWasExpected) {
  EXPECT_EQ(ParseErrorOf("\nio-setup full\n"),
            "f.tbl:2: bad name 'io-setup', expected name, name/x32 or name/i386");
  EXPECT_EQ(ParseErrorOf("/x32 full\n"),
            "f.tbl:1: bad name '/x32', expected name, name/x32 or name/i386");
  EXPECT_EQ(ParseErrorOf("io_setup/x33 full\n"),
            "f.tbl:1: unknown abi '/x33', expected /x32, /i386 or no abi");
  EXPECT_EQ(ParseErrorOf("io_setup/64 full\n"),
            "f.tbl:1: unknown abi '/64', expected /x32, /i386 or no abi");
  EXPECT_EQ(ParseErrorOf("io_setup\n"), "f.tbl:1: missing level, expected full, partial or none");
  EXPECT_EQ(ParseErrorOf("io_setup most of it\n"),
            "f.tbl:1: unknown level 'most', expected full, partial or none");
  EXPECT_EQ(ParseErrorOf("io_setup partial\n"),
            "f.tbl:1: no note, expected what io_setup leaves out");
  EXPECT_EQ(ParseErrorOf("io_setup/x32 none \n"),
            "f.tbl:1: no note, expected what io_setup/x32 leaves out");
  EXPECT_EQ(ParseErrorOf("io_setup/x32 full\nio_setup full\nio_setup/x32 none why\n"),
            "f.tbl:3: io_setup/x32 is listed already (line 1), expected each call once");
}

TEST(DescribeSyscalls, GivesEachCallItsLevelAndNote) {
  const auto infos = Join(kCalls,
                          "io_setup partial one process\n"
                          "io_destroy full\n");
  ASSERT_TRUE(infos.ok()) << infos.status();
  ASSERT_EQ(infos->size(), 4u);
  const SyscallInfo& uselib = (*infos)[0];
  const SyscallInfo& io_setup = (*infos)[1];
  const SyscallInfo& io_destroy = (*infos)[2];
  const SyscallInfo& x32_io_setup = (*infos)[3];

  EXPECT_FALSE(uselib.HasEntry());
  EXPECT_FALSE(uselib.IsModelled());

  EXPECT_EQ(io_setup.row.number, 206);
  EXPECT_TRUE(io_setup.HasEntry());
  EXPECT_TRUE(io_setup.IsModelled());
  EXPECT_EQ(io_setup.fidelity, Fidelity::kPartial);
  EXPECT_EQ(io_setup.note, "one process");

  EXPECT_EQ(io_destroy.fidelity, Fidelity::kFull);

  EXPECT_EQ(x32_io_setup.row.number, 543);
  EXPECT_FALSE(x32_io_setup.IsModelled()) << "a plain name does not speak of the x32 row";
}

TEST(DescribeSyscalls, ASuffixSpeaksOfTheX32Row) {
  const auto infos = Join(kCalls, "io_setup/x32 full\n");
  ASSERT_TRUE(infos.ok()) << infos.status();
  EXPECT_FALSE((*infos)[1].IsModelled());
  EXPECT_TRUE((*infos)[3].IsModelled());
}

TEST(DescribeSyscalls, RowsForAnotherTableAreIgnored) {
  EXPECT_EQ(JoinErrorOf("socketcall/i386 full\n"), "no error");
  const auto infos = Join("245 i386 io_setup f g\n", "read full\nio_setup/i386 full\n");
  ASSERT_TRUE(infos.ok()) << infos.status();
  EXPECT_TRUE((*infos)[0].IsModelled());
}

TEST(DescribeSyscalls, ErrorsSayWhereWhatAndWhatWasExpected) {
  EXPECT_EQ(JoinErrorOf("# head\nio_sumbit full\n"),
            "f.tbl:2: no call io_sumbit in calls.tbl, expected one of its names");
  EXPECT_EQ(JoinErrorOf("io_destroy/x32 full\n"),
            "f.tbl:1: no call io_destroy/x32 in calls.tbl, expected one of its names");
  EXPECT_EQ(JoinErrorOf("uselib full\n"),
            "f.tbl:1: uselib has no entry in calls.tbl, expected a call with one");
}

}  // namespace
}  // namespace kpath
