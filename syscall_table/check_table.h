// SPDX-License-Identifier: Apache-2.0
//
// Holds a system call table against the rules that keep dispatch and user space together: what
// `./kpath check-table` prints. One line per finding, by line of the file:
//
//   my.tbl:12: number 206 is taken by io_setup (line 9)                        duplicate
//   my.tbl:14: io_setup is listed already (line 9)                             duplicate
//   my.tbl:20: gap: nothing has the numbers 335 to 423                         gap
//   my.tbl:30: io_submit has number 210, 209 in old.tbl (line 17)              moved
//   old.tbl:17: io_submit is gone, its number 209 is free                      moved
//   my.tbl:31: io_setup has no compat entry                                    compat
//   my.tbl:32: there is no function __x64_sys_io_sumbit                        entry point
//
// A gap is none where a comment of the file says so: a line with the word `empty` or `unused` and
// the numbers, `335-511 are empty`. Functions are those that v4.19's tables name, and those that
// the caller names.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace kpath {

struct TableFile {
  std::string name;  // for messages
  std::string text;
};

struct CheckTableOptions {
  const TableFile* against = nullptr;  // an earlier version; null: none
  std::set<std::string> functions;     // entry points that exist besides those of v4.19
};

// The findings; empty: none. A line that is no row is a finding, too.
std::vector<std::string> CheckTable(const TableFile& table, const CheckTableOptions& options);

}  // namespace kpath
