// SPDX-License-Identifier: Apache-2.0
#include "syscall_table/check_table.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscall_table/tables.h"

namespace kpath {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Check(const std::string& text, CheckTableOptions options = {}) {
  return CheckTable({.name = "t.tbl", .text = text}, options);
}

TEST(CheckTable, TheTablesOfV419AreGood) {
  EXPECT_THAT(Check(std::string(Syscall64TblText())), IsEmpty());
  EXPECT_THAT(Check(std::string(Syscall32TblText())), IsEmpty());
}

TEST(CheckTable, FindsNumbersAndNamesThatAreTakenTwice) {
  EXPECT_THAT(Check("0 common read __x64_sys_read\n"
                    "0 common write __x64_sys_write\n"
                    "1 common read __x64_sys_read\n"),
              ElementsAre("t.tbl:2: number 0 is taken by read (line 1)",
                          "t.tbl:3: read is listed already (line 1)"));
}

TEST(CheckTable, ANameMayStandOnceForEachAbi) {
  EXPECT_THAT(Check("0 64 readv __x64_sys_readv\n"
                    "# 1-511 are empty\n"
                    "512 x32 readv __x32_compat_sys_readv\n"),
              ElementsAre());
}

TEST(CheckTable, FindsGapsThatNoCommentSpeaksOf) {
  const std::string rows =
      "0 common read __x64_sys_read\n"
      "2 common open __x64_sys_open\n"
      "5 common fstat __x64_sys_newfstat\n";
  EXPECT_THAT(Check(rows), ElementsAre("t.tbl:2: gap: nothing has the number 1",
                                       "t.tbl:3: gap: nothing has the numbers 3 to 4"));
  EXPECT_THAT(Check(rows + "# 1 is unused\n# 3-4 are empty.\n"), IsEmpty());
  EXPECT_THAT(Check(rows + "# 1 is unused, unlike 3 and 4\n"),
              ElementsAre("t.tbl:3: gap: nothing has the numbers 3 to 4"));
}

TEST(CheckTable, FindsMissingCompatEntries) {
  EXPECT_THAT(Check("0 i386 io_setup sys_io_setup\n"
                    "1 i386 exit sys_exit __ia32_sys_exit\n"
                    "2 i386 break\n"),
              ElementsAre("t.tbl:1: io_setup has no compat entry"));
}

TEST(CheckTable, FindsEntryPointsWithoutAFunction) {
  const std::string rows =
      "0 common read __x64_sys_raed\n"
      "1 common mine __x64_sys_mine\n";
  EXPECT_THAT(Check(rows), ElementsAre("t.tbl:1: there is no function __x64_sys_raed",
                                       "t.tbl:2: there is no function __x64_sys_mine"));
  EXPECT_THAT(Check(rows, {.functions = {"__x64_sys_mine"}}),
              ElementsAre("t.tbl:1: there is no function __x64_sys_raed"));
}

TEST(CheckTable, OneDefinitionMakesTheEntriesOfAllAbis) {
  EXPECT_THAT(Check("0 i386 mine sys_mine __ia32_sys_mine\n", {.functions = {"__x64_sys_mine"}}),
              IsEmpty());
}

TEST(CheckTable, FindsWhatMovedAndWhatIsGone) {
  const TableFile old = {.name = "old.tbl",
                         .text =
                             "0 common read __x64_sys_read\n"
                             "1 common write __x64_sys_write\n"
                             "2 common open __x64_sys_open\n"
                             "3 common close __x64_sys_close\n"};
  EXPECT_THAT(Check("0 common read __x64_sys_read\n"
                    "1 common open __x64_sys_open\n"
                    "2 common poll __x64_sys_poll\n",
                    {.against = &old, .functions = {}}),
              ElementsAre("t.tbl:2: open has number 1, 2 in old.tbl (line 3)",
                          "old.tbl:2: write is gone, its number 1 is open's",
                          "old.tbl:4: close is gone, its number 3 is free"));
}

TEST(CheckTable, ALineThatIsNoRowIsAFinding) {
  EXPECT_THAT(Check("zero common read __x64_sys_read\n0 sparc read __x64_sys_read\n"),
              ElementsAre(testing::StartsWith("t.tbl:1: bad number 'zero'"),
                          testing::StartsWith("t.tbl:2: ")));
}

}  // namespace
}  // namespace kpath
