// SPDX-License-Identifier: Apache-2.0

#include "syscall_table/tbl_parser.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "syscall_table/tbl_text.h"

namespace kpath {
namespace {

constexpr absl::string_view kColumns64 = "'number abi name entry'";
constexpr absl::string_view kColumns32 = "'number abi name entry compat-entry'";

absl::string_view ColumnsOf(SyscallAbi abi) {
  return abi == SyscallAbi::kI386 ? kColumns32 : kColumns64;
}

absl::Status ParseNumber(absl::string_view field, int* number) {
  const std::string range = absl::StrCat("0 to ", kMaxSyscallNumber);
  const bool all_digits = field.find_first_not_of("0123456789") == absl::string_view::npos;
  const bool octal_look = field.size() > 1 && field.front() == '0';
  if (!all_digits || octal_look) {
    return Wrong(absl::StrCat("bad number '", field, "'"),
                 absl::StrCat("a decimal number from ", range));
  }
  if (!absl::SimpleAtoi(field, number) || *number > kMaxSyscallNumber) {
    return Wrong(absl::StrCat("number ", field, " is out of range"), range);
  }
  return absl::OkStatus();
}

absl::Status ParseAbi(absl::string_view field, SyscallAbi* abi) {
  if (field.empty()) return Wrong("missing abi", kColumns64);
  const absl::optional<SyscallAbi> parsed = ParseSyscallAbi(field);
  if (!parsed) {
    return Wrong(absl::StrCat("unknown abi '", field, "'"), "common, 64, x32 or i386");
  }
  *abi = *parsed;
  return absl::OkStatus();
}

absl::Status ParseName(absl::string_view field, SyscallAbi abi, std::string* name) {
  if (field.empty()) return Wrong("missing name", ColumnsOf(abi));
  if (!IsIdentifier(field)) {
    return Wrong(absl::StrCat("bad name '", field, "'"), "letters, digits and '_'");
  }
  *name = std::string(field);
  return absl::OkStatus();
}

// `field` is "entry" or "entry/qualifier"; an empty one leaves both empty.
absl::Status ParseEntry(absl::string_view field, std::string* entry, std::string* qualifier) {
  if (field.empty()) return absl::OkStatus();
  const size_t slash = field.find('/');
  const absl::string_view function = field.substr(0, slash);
  if (!IsIdentifier(function)) {
    return Wrong(absl::StrCat("bad entry '", field, "'"), "a function name");
  }
  *entry = std::string(function);
  if (slash == absl::string_view::npos) return absl::OkStatus();
  if (field.substr(slash + 1) != "ptregs") {
    return Wrong(absl::StrCat("unknown qualifier '", field.substr(slash), "'"),
                 "/ptregs or no qualifier");
  }
  *qualifier = "ptregs";
  return absl::OkStatus();
}

// Rule 3 of the header.
absl::Status CheckNumberBelongsToAbi(const SyscallRow& row) {
  if (row.abi == SyscallAbi::kI386) return absl::OkStatus();
  const bool in_x32_block = row.number >= kFirstX32Number && row.number <= kLastX32Number;
  if (row.abi == SyscallAbi::kX32 && row.number < kFirstX32Number) {
    return Wrong(absl::StrCat("number ", row.number, " is too low for abi x32"),
                 absl::StrCat(kFirstX32Number, " or more"));
  }
  if (row.abi != SyscallAbi::kX32 && in_x32_block) {
    return Wrong(absl::StrCat("number ", row.number, " belongs to abi x32"),
                 absl::StrCat("a number outside ", kFirstX32Number, " to ", kLastX32Number));
  }
  return absl::OkStatus();
}

absl::Status ParseRow(absl::string_view text, SyscallRow* row) {
  if (text.find('#') != absl::string_view::npos) {
    return Wrong("'#' inside a row", "comments on lines of their own");
  }
  absl::Status status = ParseNumber(TakeField(&text), &row->number);
  if (status.ok()) status = ParseAbi(TakeField(&text), &row->abi);
  if (status.ok()) status = ParseName(TakeField(&text), row->abi, &row->name);
  if (status.ok()) status = ParseEntry(TakeField(&text), &row->entry, &row->qualifier);
  if (status.ok() && row->abi == SyscallAbi::kI386) {
    status = ParseEntry(TakeField(&text), &row->compat_entry, &row->compat_qualifier);
  }
  if (!status.ok()) return status;
  if (!text.empty()) {
    return Wrong(absl::StrCat("one column too many, '", TakeField(&text), "'"),
                 absl::StrCat(ColumnsOf(row->abi), " for abi ", SyscallAbiName(row->abi)));
  }
  return CheckNumberBelongsToAbi(*row);
}

// Rules 1, 2 and 4 of the header: `row` against one that stands before it in the file.
absl::Status CheckAgainstEarlier(const SyscallRow& row, const SyscallRow& earlier) {
  const bool is_32 = row.abi == SyscallAbi::kI386;
  if (is_32 != (earlier.abi == SyscallAbi::kI386)) {
    return Wrong(absl::StrCat("abi ", SyscallAbiName(row.abi), " in a table with abi ",
                              SyscallAbiName(earlier.abi), " (line ", earlier.line, ")"),
                 is_32 ? "common, 64 or x32" : "i386");
  }
  if (row.number == earlier.number) {
    return Wrong(absl::StrCat("number ", row.number, " is taken by ", earlier.name, " (line ",
                              earlier.line, ")"),
                 "a free number");
  }
  if (row.name == earlier.name && AbisOverlap(row.abi, earlier.abi)) {
    return Wrong(absl::StrCat("name ", row.name, " is number ", earlier.number, " of abi ",
                              SyscallAbiName(earlier.abi), " (line ", earlier.line, ")"),
                 "each name once per ABI");
  }
  return absl::OkStatus();
}

absl::Status CheckAgainstAllEarlier(const SyscallRow& row, const std::vector<SyscallRow>& rows) {
  for (const SyscallRow& earlier : rows) {
    absl::Status status = CheckAgainstEarlier(row, earlier);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view SyscallAbiName(SyscallAbi abi) {
  switch (abi) {
    case SyscallAbi::kCommon:
      return "common";
    case SyscallAbi::k64:
      return "64";
    case SyscallAbi::kX32:
      return "x32";
    case SyscallAbi::kI386:
      return "i386";
  }
  return "";
}

absl::optional<SyscallAbi> ParseSyscallAbi(absl::string_view text) {
  for (SyscallAbi abi :
       {SyscallAbi::kCommon, SyscallAbi::k64, SyscallAbi::kX32, SyscallAbi::kI386}) {
    if (text == SyscallAbiName(abi)) return abi;
  }
  return absl::nullopt;
}

bool AbisOverlap(SyscallAbi a, SyscallAbi b) {
  if (a == b) return true;
  if (a == SyscallAbi::kI386 || b == SyscallAbi::kI386) return false;
  return a == SyscallAbi::kCommon || b == SyscallAbi::kCommon;
}

const SyscallRow* SyscallTable::FindNumber(int number) const {
  const auto row =
      std::lower_bound(rows.begin(), rows.end(), number,
                       [](const SyscallRow& r, int wanted) { return r.number < wanted; });
  if (row == rows.end() || row->number != number) return nullptr;
  return &*row;
}

const SyscallRow* SyscallTable::FindName(absl::string_view name, SyscallAbi abi) const {
  for (const SyscallRow& row : rows) {
    if (row.name == name && AbisOverlap(row.abi, abi)) return &row;
  }
  return nullptr;
}

absl::StatusOr<SyscallTable> ParseTbl(absl::string_view file_name, absl::string_view text) {
  SyscallTable table;
  table.file_name = std::string(file_name);
  for (const TblLine& line : TblLines(text)) {
    SyscallRow row;
    row.line = line.number;
    absl::Status status = ParseRow(line.text, &row);
    if (status.ok()) status = CheckAgainstAllEarlier(row, table.rows);
    if (!status.ok()) return AtLine(file_name, line.number, status);
    table.rows.push_back(std::move(row));
  }
  if (table.rows.empty()) {
    return AtLine(file_name, 1, Wrong("no rows", absl::StrCat("at least one ", kColumns64)));
  }
  std::sort(table.rows.begin(), table.rows.end(),
            [](const SyscallRow& a, const SyscallRow& b) { return a.number < b.number; });
  return table;
}

}  // namespace kpath
