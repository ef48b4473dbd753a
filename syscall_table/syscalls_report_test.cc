// SPDX-License-Identifier: Apache-2.0

#include "syscall_table/syscalls_report.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "syscall_table/fidelity.h"
#include "syscall_table/tbl_parser.h"

namespace kpath {
namespace {

std::vector<SyscallInfo> SomeSyscalls() {
  const auto table = ParseTbl("t.tbl",
                              "5   common fstat    __x64_sys_newfstat\n"
                              "39  common getpid   __x64_sys_getpid\n"
                              "101 64     ptrace   __x64_sys_ptrace\n"
                              "134 64     uselib\n"
                              "206 64     io_setup __x64_sys_io_setup\n"
                              "543 x32    io_setup __x32_compat_sys_io_setup\n");
  const auto fidelity =
      ParseFidelity("f.tbl",
                    "getpid full\n"
                    "ptrace none stops, but no tracer\n"
                    "io_setup partial the ring is made of ordinary pages that nobody migrates\n");
  return *DescribeSyscalls(*table, *fidelity);
}

std::string Render(const SyscallsReportOptions& options) {
  const absl::StatusOr<std::string> text = RenderSyscalls(SomeSyscalls(), options);
  return text.ok() ? *text : "error: " + std::string(text.status().message());
}

TEST(RenderSyscalls, AlignsColumnsAndBreaksNotesAt80) {
  EXPECT_EQ(Render({}),
            R"( NR  ABI     ENTRY POINT                FIDELITY  NOTE
  5  common  __x64_sys_newfstat         none
 39  common  __x64_sys_getpid           full
101  64      __x64_sys_ptrace           none      stops, but no tracer
134  64      sys_ni_syscall             -         uselib: no entry
206  64      __x64_sys_io_setup         partial   the ring is made of ordinary
                                                  pages that nobody migrates
543  x32     __x32_compat_sys_io_setup  none
6 calls: 1 full, 1 partial, 3 not modelled, 1 without an entry point
)");
}

TEST(RenderSyscalls, WidthZeroKeepsEachCallOnOneLine) {
  SyscallsReportOptions options;
  options.width = 0;
  options.modelled = true;
  EXPECT_EQ(Render(options),
            R"( NR  ABI     ENTRY POINT         FIDELITY  NOTE
 39  common  __x64_sys_getpid    full
206  64      __x64_sys_io_setup  partial   the ring is made of ordinary pages that nobody migrates
2 calls: 1 full, 1 partial, 0 not modelled, 0 without an entry point
)");
}

TEST(RenderSyscalls, ANarrowTerminalLeavesNotes20Columns) {
  SyscallsReportOptions options;
  options.width = 1;
  options.name = "io_setup";
  options.abi = "64";
  EXPECT_EQ(Render(options),
            R"( NR  ABI  ENTRY POINT         FIDELITY  NOTE
206  64   __x64_sys_io_setup  partial   the ring is made of
                                        ordinary pages that
                                        nobody migrates
1 call: 0 full, 1 partial, 0 not modelled, 0 without an entry point
)");
}

TEST(RenderSyscalls, FiltersByAbi) {
  SyscallsReportOptions options;
  options.abi = "x32";
  EXPECT_EQ(Render(options),
            R"( NR  ABI  ENTRY POINT                FIDELITY  NOTE
543  x32  __x32_compat_sys_io_setup  none
1 call: 0 full, 0 partial, 1 not modelled, 0 without an entry point
)");
}

TEST(RenderSyscalls, FindsTextInNameOrEntry) {
  SyscallsReportOptions options;
  options.name = "newf";
  EXPECT_TRUE(absl::StrContains(Render(options), "__x64_sys_newfstat"));
  options.name = "uselib";
  EXPECT_TRUE(absl::StrContains(Render(options), "134"));
  EXPECT_FALSE(absl::StrContains(Render(options), "206"));
}

TEST(RenderSyscalls, SaysWhenNothingMatches) {
  SyscallsReportOptions options;
  options.abi = "x32";
  options.name = "getpid";
  options.modelled = true;
  EXPECT_EQ(Render(options), "no system call matches --abi=x32 --name=getpid --modelled\n");
}

TEST(RenderSyscalls, UnknownAbiIsAnError) {
  SyscallsReportOptions options;
  options.abi = "arm";
  EXPECT_EQ(Render(options), "error: --abi=arm: unknown ABI, expected common, 64, x32 or i386");
}

TEST(RenderSyscalls, TheRealListFitsIn80Columns) {
  const absl::StatusOr<std::string> text = RenderSyscalls(SyscallsReportOptions());
  ASSERT_TRUE(text.ok()) << text.status();
  size_t widest = 0;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    widest = std::max(widest, line.size());
  }
  EXPECT_LE(widest, 80u);
  EXPECT_TRUE(absl::StrContains(*text, "\n371 calls: ")) << *text;
}

}  // namespace
}  // namespace kpath
