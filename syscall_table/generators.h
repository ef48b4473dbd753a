// SPDX-License-Identifier: Apache-2.0
//
// The C++ that tbl_gen writes at build time, as functions from tables to text. For the use of the
// results see //syscall_table:numbers (numbers_64.h), //syscall_table:rows (syscalls_64.inc) and
// //syscall_table:tables.

#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "syscall_table/fidelity.h"

namespace kpath {

// numbers_64.h: one `inline constexpr int NR_name` per row, and the size of the table.
// `syscalls` is a whole 64-bit table by ascending number; must not be empty.
std::string GenerateNumbers(const std::vector<SyscallInfo>& syscalls);

// syscalls_64.inc: one X-macro line per row, in the order of `syscalls`.
std::string GenerateRows(const std::vector<SyscallInfo>& syscalls);

// syscalls_32.inc: the same for a 32-bit table. `syscalls` are its rows with their own fidelity,
// `syscalls_64` those of the 64-bit table: an entry __ia32_sys_name is modelled if __x64_sys_name
// is.
std::string GenerateRows32(const std::vector<SyscallInfo>& syscalls,
                           const std::vector<SyscallInfo>& syscalls_64);

// A C++ source that defines `extern const char name[]` in namespace kpath with `text` as its value.
std::string GenerateText(absl::string_view name, absl::string_view text);

}  // namespace kpath
