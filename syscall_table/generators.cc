// SPDX-License-Identifier: Apache-2.0

#include "syscall_table/generators.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace kpath {
namespace {

constexpr absl::string_view kNumbersHead =
    R"(// SPDX-License-Identifier: Apache-2.0
// Written by tbl_gen from syscall_table/syscall_64.tbl. Change that, not this.
//
// The numbers of v4.19's system calls: NR_io_submit, NR_x32_io_submit, ...
//
// They are the kernel's __NR_* constants under another name: <sys/syscall.h> and <asm/unistd.h> of
// the host define __NR_io_submit as a macro, which would rewrite a constant of that name, with the
// host's numbers. NR_ is no prefix of theirs, so both headers can be included together.

#pragma once

namespace kpath {

)";

constexpr absl::string_view kRowsHead =
    R"(// SPDX-License-Identifier: Apache-2.0
// Written by tbl_gen from the tables of syscall_table/. Change those, not this.
//
// One line per number that v4.19 uses, ascending. Define the three macros, include this file; it
// undefines them again. All take (number, "abi", "name"), the first two also the entry point:
//   SYSCALL_ROW           kpath has a function of the entry's name
//   SYSCALL_NOT_MODELLED  v4.19 has that function, kpath does not; it is not declared anywhere
//   SYSCALL_NO_ENTRY      v4.19 has no function: sys_ni_syscall
// Numbers without a line hold sys_ni_syscall too. Rows of abi "x32" exist only with x32.

#if !defined(SYSCALL_ROW) || !defined(SYSCALL_NOT_MODELLED) || !defined(SYSCALL_NO_ENTRY)
#error "define SYSCALL_ROW, SYSCALL_NOT_MODELLED and SYSCALL_NO_ENTRY first"
#endif

)";

constexpr absl::string_view kRowsTail = R"(
#undef SYSCALL_ROW
#undef SYSCALL_NOT_MODELLED
#undef SYSCALL_NO_ENTRY
)";

std::string Constant(absl::string_view name, int value) {
  return absl::StrCat("inline constexpr int ", name, " = ", value, ";\n");
}

std::string NumberLine(const SyscallRow& row) {
  const absl::string_view prefix = row.abi == SyscallAbi::kX32 ? "NR_x32_" : "NR_";
  return Constant(absl::StrCat(prefix, row.name), row.number);
}

int LargestNumberWithoutX32(const std::vector<SyscallInfo>& syscalls) {
  int largest = 0;
  for (const SyscallInfo& call : syscalls) {
    if (call.row.abi != SyscallAbi::kX32) largest = std::max(largest, call.row.number);
  }
  return largest;
}

// `entry` is the function in the slot; empty: sys_ni_syscall.
std::string RowLine(const SyscallRow& row, absl::string_view entry, bool is_modelled) {
  const std::string key =
      absl::StrCat(row.number, ", \"", SyscallAbiName(row.abi), "\", \"", row.name, "\"");
  if (entry.empty()) return absl::StrCat("SYSCALL_NO_ENTRY(", key, ")\n");
  const absl::string_view macro = is_modelled ? "SYSCALL_ROW" : "SYSCALL_NOT_MODELLED";
  return absl::StrCat(macro, "(", key, ", ", entry, ")\n");
}

// What a 64-bit kernel has in the slot of a 32-bit row.
absl::string_view EntryOf32(const SyscallRow& row) {
  return row.compat_entry == "sys_ni_syscall" ? "" : absl::string_view(row.compat_entry);
}

std::string RowLine32(const SyscallInfo& call, const std::set<std::string>& modelled_64) {
  absl::string_view entry = EntryOf32(call.row);
  absl::string_view name = entry;
  const bool is_shared = absl::ConsumePrefix(&name, "__ia32_sys_");
  const bool modelled =
      is_shared ? modelled_64.count(absl::StrCat("__x64_sys_", name)) > 0 : call.IsModelled();
  return RowLine(call.row, entry, modelled);
}

}  // namespace

std::string GenerateNumbers(const std::vector<SyscallInfo>& syscalls) {
  std::string out(kNumbersHead);
  for (const SyscallInfo& call : syscalls) absl::StrAppend(&out, NumberLine(call.row));

  const int largest = syscalls.back().row.number;
  absl::StrAppend(&out, "\n// The table of a kernel with x32: its largest number, its size.\n",
                  Constant("NR_syscall_max", largest), Constant("NR_syscalls", largest + 1));
  absl::StrAppend(&out, "\n// Its size in a kernel without x32.\n",
                  Constant("NR_syscalls_without_x32", LargestNumberWithoutX32(syscalls) + 1));
  absl::StrAppend(&out, "\n// What an x32 program adds to a number, its own and the common ones.\n",
                  "inline constexpr int X32_SYSCALL_BIT = 0x40000000;\n");
  absl::StrAppend(&out, "\n}  // namespace kpath\n");
  return out;
}

std::string GenerateRows(const std::vector<SyscallInfo>& syscalls) {
  std::string out(kRowsHead);
  for (const SyscallInfo& call : syscalls) {
    absl::StrAppend(&out, RowLine(call.row, call.row.entry, call.IsModelled()));
  }
  absl::StrAppend(&out, kRowsTail);
  return out;
}

std::string GenerateRows32(const std::vector<SyscallInfo>& syscalls,
                           const std::vector<SyscallInfo>& syscalls_64) {
  std::set<std::string> modelled_64;
  for (const SyscallInfo& call : syscalls_64) {
    if (call.HasEntry() && call.IsModelled()) modelled_64.insert(call.row.entry);
  }
  std::string out(kRowsHead);
  for (const SyscallInfo& call : syscalls) absl::StrAppend(&out, RowLine32(call, modelled_64));
  absl::StrAppend(&out, kRowsTail);
  return out;
}

std::string GenerateText(absl::string_view name, absl::string_view text) {
  std::string out = absl::StrCat(
      "// SPDX-License-Identifier: Apache-2.0\n// Written by tbl_gen.\n\nnamespace kpath {\n\n",
      "extern const char ", name, "[];\nconst char ", name, "[] =");
  while (!text.empty()) {
    absl::string_view line = text.substr(0, text.find('\n') + 1);
    if (line.empty()) line = text;  // the last line has no end
    absl::StrAppend(&out, "\n    \"", absl::CEscape(line), "\"");
    text.remove_prefix(line.size());
  }
  absl::StrAppend(&out, "\n    \"\";\n\n}  // namespace kpath\n");
  return out;
}

}  // namespace kpath
