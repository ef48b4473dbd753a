// SPDX-License-Identifier: Apache-2.0
//
// Reads a system call table in the kernel's own format (syscall_64.tbl, syscall_32.tbl):
//
//   # number  abi     name      entry[/qualifier]   compat entry[/qualifier]
//   206       64      io_setup  __x64_sys_io_setup
//   245       i386    io_setup  sys_io_setup        __ia32_compat_sys_io_setup
//
// Fields are separated by blanks or tabs, rows may stand in any order, and lines that begin with
// '#' are comments. A row without an entry keeps its number: the slot holds sys_ni_syscall.
//
// What a table must obey; each broken rule is an error that names file and line:
//   1. A number is decimal, from 0 to kMaxSyscallNumber, and stands in one row only. The 64-bit and
//      the x32 rows fill one array, so this holds across ABIs.
//   2. A table is 64-bit (abi common, 64, x32) or 32-bit (abi i386), never both.
//   3. x32 rows have numbers from kFirstX32Number up; the numbers from there to kLastX32Number
//      belong to x32 alone.
//   4. A program sees each name once: `common` clashes with 64 and with x32, 64 and x32 do not
//      clash with each other.
//   5. Names and entries are C identifiers; the only qualifier is `ptregs`; only i386 rows have a
//      compat entry.
//
// Thread safety: a SyscallTable is a value; const use from several threads is fine.

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace kpath {

// The largest number a table may use. Far above v4.19 (547): the table's size follows from its
// largest number, and this keeps a slip of the finger from making a huge one.
inline constexpr int kMaxSyscallNumber = 1023;

inline constexpr int kFirstX32Number = 512;
inline constexpr int kLastX32Number = 547;

// The second column: which programs use the row.
enum class SyscallAbi {
  kCommon,  // 64-bit and x32
  k64,      // 64-bit only
  kX32,     // x32 only
  kI386,    // 32-bit
};

// The ABI as the table spells it: "common", "64", "x32" or "i386".
absl::string_view SyscallAbiName(SyscallAbi abi);

// The reverse of SyscallAbiName; nullopt for any other text.
absl::optional<SyscallAbi> ParseSyscallAbi(absl::string_view text);

// True when some program could use rows of both ABIs (rule 4). Symmetric.
bool AbisOverlap(SyscallAbi a, SyscallAbi b);

struct SyscallRow {
  int number = 0;                        // index in the table, without x32's bit 30
  SyscallAbi abi = SyscallAbi::kCommon;  // which programs use the row
  std::string name;                      // "io_setup"
  std::string entry;                     // "__x64_sys_io_setup"; empty: sys_ni_syscall
  std::string qualifier;                 // "ptregs" or empty
  std::string compat_entry;              // i386 on a 64-bit kernel; empty: same as `entry`
  std::string compat_qualifier;          // "ptregs" or empty
  int line = 0;                          // where the row stands in the file, from 1
};

struct SyscallTable {
  std::string file_name;         // as given to ParseTbl, for messages
  std::vector<SyscallRow> rows;  // by ascending number; never empty after ParseTbl

  // The row with this number, or nullptr. The pointer lives as long as `rows` is unchanged.
  const SyscallRow* FindNumber(int number) const;

  // The row that a program of this ABI means by `name`, or nullptr. `abi` is k64, kX32 or kI386;
  // kCommon takes a row of any 64-bit or x32 ABI, the lowest number first.
  const SyscallRow* FindName(absl::string_view name, SyscallAbi abi) const;
};

// Parses `text`, the content of a table. `file_name` is only used in messages.
//
// Errors (InvalidArgument, one line, the first one in the file):
//   syscall_64.tbl:7: bad number '2o6', expected a decimal number from 0 to 1023
//   syscall_64.tbl:9: number 206 is taken by io_setup (line 7), expected a free number
absl::StatusOr<SyscallTable> ParseTbl(absl::string_view file_name, absl::string_view text);

}  // namespace kpath
