// SPDX-License-Identifier: Apache-2.0

#include "syscall_table/generators.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "syscall_table/fidelity.h"
#include "syscall_table/tbl_parser.h"

namespace kpath {
namespace {

std::vector<SyscallInfo> SomeSyscalls() {
  const auto table = ParseTbl("t.tbl",
                              "101 64     ptrace      __x64_sys_ptrace\n"
                              "134 64     uselib\n"
                              "206 64     io_setup    __x64_sys_io_setup\n"
                              "207 common io_destroy  __x64_sys_io_destroy/ptregs\n"
                              "543 x32    io_setup    __x32_compat_sys_io_setup\n");
  const auto fidelity = ParseFidelity("f.tbl", "io_setup full\nio_destroy partial no AIO\n");
  return *DescribeSyscalls(*table, *fidelity);
}

// The lines of `text` that begin with `prefix`, joined.
std::string LinesThatBegin(absl::string_view prefix, absl::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const absl::string_view line = text.substr(0, text.find('\n') + 1);
    if (absl::StartsWith(line, prefix)) lines += std::string(line);
    text.remove_prefix(line.size());
  }
  return lines;
}

TEST(GenerateNumbers, WritesAConstantPerRowAndTheSizes) {
  EXPECT_EQ(LinesThatBegin("inline", GenerateNumbers(SomeSyscalls())),
            "inline constexpr int NR_ptrace = 101;\n"
            "inline constexpr int NR_uselib = 134;\n"
            "inline constexpr int NR_io_setup = 206;\n"
            "inline constexpr int NR_io_destroy = 207;\n"
            "inline constexpr int NR_x32_io_setup = 543;\n"
            "inline constexpr int NR_syscall_max = 543;\n"
            "inline constexpr int NR_syscalls = 544;\n"
            "inline constexpr int NR_syscalls_without_x32 = 208;\n"
            "inline constexpr int X32_SYSCALL_BIT = 0x40000000;\n");
}

TEST(GenerateRows, TellsModelledFromNotModelledFromNoEntry) {
  EXPECT_EQ(LinesThatBegin("SYSCALL", GenerateRows(SomeSyscalls())),
            "SYSCALL_NOT_MODELLED(101, \"64\", \"ptrace\", __x64_sys_ptrace)\n"
            "SYSCALL_NO_ENTRY(134, \"64\", \"uselib\")\n"
            "SYSCALL_ROW(206, \"64\", \"io_setup\", __x64_sys_io_setup)\n"
            "SYSCALL_ROW(207, \"common\", \"io_destroy\", __x64_sys_io_destroy)\n"
            "SYSCALL_NOT_MODELLED(543, \"x32\", \"io_setup\", __x32_compat_sys_io_setup)\n");
}

TEST(GenerateText, KeepsEveryByte) {
  const std::string source = GenerateText("kName", "a \"b\"\\\n\n\tc\xC3\xA9");
  EXPECT_TRUE(absl::StrContains(source,
                                "extern const char kName[];\nconst char kName[] =\n"
                                "    \"a \\\"b\\\"\\\\\\n\"\n"
                                "    \"\\n\"\n"
                                "    \"\\tc\\303\\251\"\n"
                                "    \"\";\n"))
      << source;
}

}  // namespace
}  // namespace kpath
