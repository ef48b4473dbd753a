// SPDX-License-Identifier: Apache-2.0
//
// The list of system calls that `./kpath syscalls` prints:
//
//    NR  ABI     ENTRY POINT              FIDELITY  NOTE
//   206  64      __x64_sys_io_setup       partial   64-bit layout; no memory cgroup is charged
//                                                   for the ring
//   ...
//   371 calls: 0 full, 35 partial, 321 not modelled, 15 without an entry point

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "syscall_table/fidelity.h"

namespace kpath {

// Which rows to list, and how wide. The filters add up: a row must pass all of them.
struct SyscallsReportOptions {
  // Rows whose ABI column says this: "common", "64", "x32", or "i386" for the table of 32-bit
  // calls. Empty: all of the 64-bit table. (A 64-bit program can make the calls of `common` and of
  // `64`.)
  std::string abi;

  // Rows whose name or entry point contains this text. Empty: all.
  std::string name;

  // Only rows that are full or partial.
  bool modelled = false;

  // Columns of the terminal. Notes are broken at blanks to stay within it, but never to less than
  // 20 columns. 0: no breaking, one line per call, as a pipe wants it.
  int width = 80;
};

// The list over the tables that kpath was built from. Ends in a newline; the last line counts the
// listed rows. When no row passes the filters the text is one line that says so.
//
// Errors (InvalidArgument): an ABI that no table has:
//   --abi=sparc: unknown ABI, expected common, 64, x32 or i386
absl::StatusOr<std::string> RenderSyscalls(const SyscallsReportOptions& options);

// The same over other rows.
absl::StatusOr<std::string> RenderSyscalls(const std::vector<SyscallInfo>& calls,
                                           const SyscallsReportOptions& options);

}  // namespace kpath
