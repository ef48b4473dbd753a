// SPDX-License-Identifier: Apache-2.0
//
// How faithfully each system call is modelled: the parser of fidelity.tbl, and the join of it with
// a system call table.
//
//   # name[/abi]  full|partial|none  note
//   io_submit      partial            IOCB_CMD_PREAD and IOCB_CMD_PWRITE on memory files only
//   io_submit/x32  none               compat iocbs are not read
//
// A plain name speaks of the common or 64 row of that name, name/x32 and name/i386 of the row of
// that ABI. The note is the rest of the line; only a `full` row may go without one.

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "syscall_table/tbl_parser.h"

namespace kpath {

enum class Fidelity {
  kNone,     // not modelled: dispatch answers -ENOSYS and says so
  kPartial,  // runs, the note says what is left out
  kFull,     // same checks, same order, same results as v4.19
};

// The level as fidelity.tbl spells it: "none", "partial" or "full".
absl::string_view FidelityName(Fidelity fidelity);

struct FidelityRow {
  std::string name;                  // "io_submit"
  SyscallAbi abi = SyscallAbi::k64;  // k64 for a plain name, else kX32 or kI386
  Fidelity fidelity = Fidelity::kNone;
  std::string note;  // one line, may be empty if `fidelity` is kFull
  int line = 0;      // from 1
};

struct FidelityTable {
  std::string file_name;
  std::vector<FidelityRow> rows;  // in the order of the file
};

// Parses `text`, the content of a fidelity.tbl. `file_name` is only used in messages.
//
// Errors (InvalidArgument, one line, the first one in the file):
//   fidelity.tbl:4: unknown level 'most', expected full, partial or none
//   fidelity.tbl:5: no note, expected what io_submit leaves out
absl::StatusOr<FidelityTable> ParseFidelity(absl::string_view file_name, absl::string_view text);

// A row of the system call table with what kpath makes of it.
struct SyscallInfo {
  SyscallRow row;
  Fidelity fidelity = Fidelity::kNone;
  std::string note;

  // True when sys_call_table holds a function of kpath for this call.
  bool IsModelled() const { return fidelity != Fidelity::kNone; }

  // False for a number that v4.19 names but has no function for: sys_ni_syscall.
  bool HasEntry() const { return !row.entry.empty(); }
};

// Joins the two: one SyscallInfo per row of `table`, in its order. A call that `fidelity` does not
// mention is kNone with an empty note. Rows of `fidelity` for the ABIs of another table are
// ignored.
//
// Errors (InvalidArgument): a row of `fidelity` that speaks of no call, or of a call with no entry:
//   fidelity.tbl:8: no call io_sumbit in syscall_64.tbl, expected one of its names
//   fidelity.tbl:9: uselib has no entry in syscall_64.tbl, expected a call with one
absl::StatusOr<std::vector<SyscallInfo>> DescribeSyscalls(const SyscallTable& table,
                                                          const FidelityTable& fidelity);

}  // namespace kpath
