// SPDX-License-Identifier: Apache-2.0

#include "syscall_table/tbl_parser.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

// The table in `text`; a failure of the test if there is an error.
SyscallTable Parse(absl::string_view text) {
  absl::StatusOr<SyscallTable> table = ParseTbl("t.tbl", text);
  EXPECT_TRUE(table.ok()) << table.status();
  return table.ok() ? *table : SyscallTable();
}

// The error in `text`, or "no error".
std::string ErrorOf(absl::string_view text) {
  absl::StatusOr<SyscallTable> table = ParseTbl("t.tbl", text);
  return table.ok() ? "no error" : std::string(table.status().message());
}

TEST(ParseTbl, ReadsEachColumnOfA64BitRow) {
  const SyscallTable table = Parse("56\tcommon\tclone\t\t\t__x64_sys_clone/ptregs\n");
  ASSERT_EQ(table.rows.size(), 1u);
  const SyscallRow& row = table.rows[0];
  EXPECT_EQ(row.number, 56);
  EXPECT_EQ(row.abi, SyscallAbi::kCommon);
  EXPECT_EQ(row.name, "clone");
  EXPECT_EQ(row.entry, "__x64_sys_clone");
  EXPECT_EQ(row.qualifier, "ptregs");
  EXPECT_EQ(row.compat_entry, "");
  EXPECT_EQ(row.line, 1);
  EXPECT_EQ(table.file_name, "t.tbl");
}

TEST(ParseTbl, ReadsEachColumnOfA32BitRow) {
  const SyscallTable table = Parse(
      "248 i386 io_submit sys_io_submit __ia32_compat_sys_io_submit\n"
      "11  i386 execve    sys_execve    __ia32_compat_sys_execve/ptregs\n"
      "17  i386 break\n");
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_EQ(table.rows[2].abi, SyscallAbi::kI386);
  EXPECT_EQ(table.rows[2].entry, "sys_io_submit");
  EXPECT_EQ(table.rows[2].compat_entry, "__ia32_compat_sys_io_submit");
  EXPECT_EQ(table.rows[2].compat_qualifier, "");
  EXPECT_EQ(table.rows[0].compat_entry, "__ia32_compat_sys_execve");
  EXPECT_EQ(table.rows[0].compat_qualifier, "ptregs");
  EXPECT_EQ(table.rows[1].entry, "");
}

TEST(ParseTbl, ARowMayHaveNoEntry) {
  const SyscallTable table = Parse("134 64 uselib\n");
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0].entry, "");
  EXPECT_EQ(table.rows[0].qualifier, "");
}

TEST(ParseTbl, SkipsCommentsAndBlanksButCountsTheirLines) {
  const SyscallTable table = Parse("# head\n\n  \t\n  # indented\r\n  5 common fstat f\r\n");
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0].line, 5);
  EXPECT_EQ(table.rows[0].entry, "f");
}

TEST(ParseTbl, SortsRowsByNumber) {
  const SyscallTable table = Parse("9 common mmap f\n512 x32 readv g\n0 common read h");
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_EQ(table.rows[0].name, "read");
  EXPECT_EQ(table.rows[0].line, 3);
  EXPECT_EQ(table.rows[1].name, "mmap");
  EXPECT_EQ(table.rows[2].name, "readv");
}

TEST(ParseTbl, AcceptsTheEdgesOfEachNumberRange) {
  EXPECT_EQ(ErrorOf("0 64 a\n511 64 b\n512 x32 c\n547 x32 d\n548 64 e\n1023 common f\n"),
            "no error");
}

TEST(ParseTbl, TheSameNameMayBe64AndX32) {
  EXPECT_EQ(ErrorOf("206 64 io_setup f\n543 x32 io_setup g\n"), "no error");
}

struct BadTable {
  const char* text;
  const char* error;
};

class ParseTblError : public testing::TestWithParam<BadTable> {};

TEST_P(ParseTblError, IsOneLineThatSaysWhereWhatAndWhatWasExpected) {
  EXPECT_EQ(ErrorOf(GetParam().text), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Number, ParseTblError,
    testing::Values(
        BadTable{"# head\n12x common read f\n",
                 "t.tbl:2: bad number '12x', expected a decimal number from 0 to 1023"},
        BadTable{"-1 common read f\n",
                 "t.tbl:1: bad number '-1', expected a decimal number from 0 to 1023"},
        BadTable{"0x10 common read f\n",
                 "t.tbl:1: bad number '0x10', expected a decimal number from 0 to 1023"},
        BadTable{"010 common read f\n",
                 "t.tbl:1: bad number '010', expected a decimal number from 0 to 1023"},
        BadTable{"read common read f\n",
                 "t.tbl:1: bad number 'read', expected a decimal number from 0 to 1023"},
        BadTable{"1024 common read f\n",
                 "t.tbl:1: number 1024 is out of range, expected 0 to 1023"},
        BadTable{"99999999999999999999 common read f\n",
                 "t.tbl:1: number 99999999999999999999 is out of range, expected 0 to 1023"},
        BadTable{"511 x32 readv f\n",
                 "t.tbl:1: number 511 is too low for abi x32, expected 512 or more"},
        BadTable{"512 64 readv f\n",
                 "t.tbl:1: number 512 belongs to abi x32, expected a number outside 512 to 547"},
        BadTable{"547 common readv f\n",
                 "t.tbl:1: number 547 belongs to abi x32, expected a number outside 512 to 547"}));

INSTANTIATE_TEST_SUITE_P(
    Abi, ParseTblError,
    testing::Values(
        BadTable{"0\n", "t.tbl:1: missing abi, expected 'number abi name entry'"},
        BadTable{"0 x86 read f\n", "t.tbl:1: unknown abi 'x86', expected common, 64, x32 or i386"},
        BadTable{"0 common read f\n\n3 i386 write f g\n",
                 "t.tbl:3: abi i386 in a table with abi common (line 1), expected common, 64 or "
                 "x32"},
        BadTable{"3 i386 read f g\n0 x32 write f\n",
                 "t.tbl:2: number 0 is too low for abi x32, expected 512 or more"},
        BadTable{"3 i386 read f g\n0 64 write f\n",
                 "t.tbl:2: abi 64 in a table with abi i386 (line 1), expected i386"}));

INSTANTIATE_TEST_SUITE_P(
    Name, ParseTblError,
    testing::Values(
        BadTable{"0 common\n", "t.tbl:1: missing name, expected 'number abi name entry'"},
        BadTable{"0 i386\n",
                 "t.tbl:1: missing name, expected 'number abi name entry compat-entry'"},
        BadTable{"0 common io-setup f\n",
                 "t.tbl:1: bad name 'io-setup', expected letters, digits and '_'"},
        BadTable{"0 common 9p f\n", "t.tbl:1: bad name '9p', expected letters, digits and '_'"}));

INSTANTIATE_TEST_SUITE_P(
    Entry, ParseTblError,
    testing::Values(
        BadTable{"0 common read sys-read\n",
                 "t.tbl:1: bad entry 'sys-read', expected a function name"},
        BadTable{"0 common read /ptregs\n",
                 "t.tbl:1: bad entry '/ptregs', expected a function name"},
        BadTable{"0 common read f/regs\n",
                 "t.tbl:1: unknown qualifier '/regs', expected /ptregs or no qualifier"},
        BadTable{"0 common read f/\n",
                 "t.tbl:1: unknown qualifier '/', expected /ptregs or no qualifier"},
        BadTable{"0 i386 read f g/regs\n",
                 "t.tbl:1: unknown qualifier '/regs', expected /ptregs or no qualifier"}));

INSTANTIATE_TEST_SUITE_P(
    Columns, ParseTblError,
    testing::Values(
        BadTable{"0 common read f __ia32_sys_read\n",
                 "t.tbl:1: one column too many, '__ia32_sys_read', expected 'number abi name "
                 "entry' for abi common"},
        BadTable{"512 x32 readv f g\n",
                 "t.tbl:1: one column too many, 'g', expected 'number abi name entry' for abi x32"},
        BadTable{"0 i386 read f g h\n",
                 "t.tbl:1: one column too many, 'h', expected 'number abi name entry "
                 "compat-entry' for abi i386"},
        BadTable{"0 common read f # fast\n",
                 "t.tbl:1: '#' inside a row, expected comments on lines of their own"},
        BadTable{"", "t.tbl:1: no rows, expected at least one 'number abi name entry'"},
        BadTable{"# only\n# comments\n",
                 "t.tbl:1: no rows, expected at least one 'number abi name entry'"}));

INSTANTIATE_TEST_SUITE_P(
    Duplicate, ParseTblError,
    testing::Values(
        BadTable{"7 common read f\n\n7 common write g\n",
                 "t.tbl:3: number 7 is taken by read (line 1), expected a free number"},
        BadTable{"600 64 read f\n600 x32 write g\n",
                 "t.tbl:2: number 600 is taken by read (line 1), expected a free number"},
        BadTable{"7 common read f\n8 common read f\n",
                 "t.tbl:2: name read is number 7 of abi common (line 1), expected each name once "
                 "per ABI"},
        BadTable{"7 common read f\n512 x32 read f\n",
                 "t.tbl:2: name read is number 7 of abi common (line 1), expected each name once "
                 "per ABI"},
        BadTable{"7 64 read f\n8 common read f\n",
                 "t.tbl:2: name read is number 7 of abi 64 (line 1), expected each name once per "
                 "ABI"},
        BadTable{"7 i386 read f\n8 i386 read f\n",
                 "t.tbl:2: name read is number 7 of abi i386 (line 1), expected each name once "
                 "per ABI"}));

TEST(ParseTbl, ReportsTheFirstOfSeveralErrors) {
  EXPECT_EQ(ErrorOf("0 common read f\n1 bad write f\nx common open f\n"),
            "t.tbl:2: unknown abi 'bad', expected common, 64, x32 or i386");
}

TEST(SyscallTable, FindsRowsByNumber) {
  const SyscallTable table = Parse("9 common mmap f\n0 common read h\n");
  ASSERT_NE(table.FindNumber(9), nullptr);
  EXPECT_EQ(table.FindNumber(9)->name, "mmap");
  EXPECT_EQ(table.FindNumber(0)->name, "read");
  EXPECT_EQ(table.FindNumber(5), nullptr);
  EXPECT_EQ(table.FindNumber(10), nullptr);
  EXPECT_EQ(table.FindNumber(-1), nullptr);
}

TEST(SyscallTable, FindsTheRowThatAProgramOfAnAbiMeans) {
  const SyscallTable table =
      Parse("206 64 io_setup f\n207 common io_destroy g\n543 x32 io_setup h\n");
  EXPECT_EQ(table.FindName("io_setup", SyscallAbi::k64)->number, 206);
  EXPECT_EQ(table.FindName("io_setup", SyscallAbi::kX32)->number, 543);
  EXPECT_EQ(table.FindName("io_setup", SyscallAbi::kCommon)->number, 206);
  EXPECT_EQ(table.FindName("io_destroy", SyscallAbi::k64)->number, 207);
  EXPECT_EQ(table.FindName("io_destroy", SyscallAbi::kX32)->number, 207);
  EXPECT_EQ(table.FindName("io_destroy", SyscallAbi::kI386), nullptr);
  EXPECT_EQ(table.FindName("io_", SyscallAbi::k64), nullptr);
}

TEST(SyscallAbi, NamesReadBackAsThemselves) {
  for (SyscallAbi abi :
       {SyscallAbi::kCommon, SyscallAbi::k64, SyscallAbi::kX32, SyscallAbi::kI386}) {
    EXPECT_EQ(ParseSyscallAbi(SyscallAbiName(abi)), abi);
  }
  EXPECT_EQ(ParseSyscallAbi("X32"), absl::nullopt);
  EXPECT_EQ(ParseSyscallAbi(""), absl::nullopt);
}

}  // namespace
}  // namespace kpath
