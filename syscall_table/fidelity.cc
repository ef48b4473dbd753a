// SPDX-License-Identifier: Apache-2.0

#include "syscall_table/fidelity.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "syscall_table/tbl_text.h"

namespace kpath {
namespace {

// "io_submit" or "io_submit/x32", as the file spells it.
std::string SpelledName(const FidelityRow& row) {
  if (row.abi == SyscallAbi::k64) return row.name;
  return absl::StrCat(row.name, "/", SyscallAbiName(row.abi));
}

absl::Status ParseName(absl::string_view field, FidelityRow* row) {
  const size_t slash = field.find('/');
  const absl::string_view name = field.substr(0, slash);
  if (!IsIdentifier(name)) {
    return Wrong(absl::StrCat("bad name '", field, "'"), "name, name/x32 or name/i386");
  }
  row->name = std::string(name);
  if (slash == absl::string_view::npos) return absl::OkStatus();
  const absl::optional<SyscallAbi> abi = ParseSyscallAbi(field.substr(slash + 1));
  if (abi != SyscallAbi::kX32 && abi != SyscallAbi::kI386) {
    return Wrong(absl::StrCat("unknown abi '", field.substr(slash), "'"), "/x32, /i386 or no abi");
  }
  row->abi = *abi;
  return absl::OkStatus();
}

absl::Status ParseLevel(absl::string_view field, Fidelity* fidelity) {
  for (Fidelity level : {Fidelity::kNone, Fidelity::kPartial, Fidelity::kFull}) {
    if (field != FidelityName(level)) continue;
    *fidelity = level;
    return absl::OkStatus();
  }
  const std::string what =
      field.empty() ? "missing level" : absl::StrCat("unknown level '", field, "'");
  return Wrong(what, "full, partial or none");
}

absl::Status ParseRow(absl::string_view text, FidelityRow* row) {
  absl::Status status = ParseName(TakeField(&text), row);
  if (status.ok()) status = ParseLevel(TakeField(&text), &row->fidelity);
  if (!status.ok()) return status;
  row->note = std::string(text);
  if (row->note.empty() && row->fidelity != Fidelity::kFull) {
    return Wrong("no note", absl::StrCat("what ", SpelledName(*row), " leaves out"));
  }
  return absl::OkStatus();
}

absl::Status CheckNotListed(const FidelityRow& row, const std::vector<FidelityRow>& earlier) {
  for (const FidelityRow& other : earlier) {
    if (row.name != other.name || row.abi != other.abi) continue;
    return Wrong(absl::StrCat(SpelledName(row), " is listed already (line ", other.line, ")"),
                 "each call once");
  }
  return absl::OkStatus();
}

bool BelongsTo(const FidelityRow& row, const SyscallTable& table) {
  const bool table_is_32 = table.rows.front().abi == SyscallAbi::kI386;
  return (row.abi == SyscallAbi::kI386) == table_is_32;
}

// The row of `table` that `row` speaks of, or nullptr. x32 has rows of its own: name/x32 does not
// reach a common row.
const SyscallRow* RowSpokenOf(const FidelityRow& row, const SyscallTable& table) {
  const SyscallRow* found = table.FindName(row.name, row.abi);
  if (found == nullptr) return nullptr;
  if (row.abi == SyscallAbi::kX32 && found->abi != SyscallAbi::kX32) return nullptr;
  return found;
}

absl::Status Apply(const FidelityRow& row, const SyscallTable& table,
                   std::vector<SyscallInfo>* infos) {
  const SyscallRow* target = RowSpokenOf(row, table);
  if (target == nullptr) {
    return Wrong(absl::StrCat("no call ", SpelledName(row), " in ", table.file_name),
                 "one of its names");
  }
  if (target->entry.empty()) {
    return Wrong(absl::StrCat(SpelledName(row), " has no entry in ", table.file_name),
                 "a call with one");
  }
  SyscallInfo& info = (*infos)[target - table.rows.data()];
  info.fidelity = row.fidelity;
  info.note = row.note;
  return absl::OkStatus();
}

}  // namespace

absl::string_view FidelityName(Fidelity fidelity) {
  switch (fidelity) {
    case Fidelity::kNone:
      return "none";
    case Fidelity::kPartial:
      return "partial";
    case Fidelity::kFull:
      return "full";
  }
  return "";
}

absl::StatusOr<FidelityTable> ParseFidelity(absl::string_view file_name, absl::string_view text) {
  FidelityTable table;
  table.file_name = std::string(file_name);
  for (const TblLine& line : TblLines(text)) {
    FidelityRow row;
    row.line = line.number;
    absl::Status status = ParseRow(line.text, &row);
    if (status.ok()) status = CheckNotListed(row, table.rows);
    if (!status.ok()) return AtLine(file_name, line.number, status);
    table.rows.push_back(std::move(row));
  }
  return table;
}

absl::StatusOr<std::vector<SyscallInfo>> DescribeSyscalls(const SyscallTable& table,
                                                          const FidelityTable& fidelity) {
  std::vector<SyscallInfo> infos;
  for (const SyscallRow& row : table.rows) infos.push_back({row, Fidelity::kNone, ""});
  for (const FidelityRow& row : fidelity.rows) {
    if (!BelongsTo(row, table)) continue;
    absl::Status status = Apply(row, table, &infos);
    if (!status.ok()) return AtLine(fidelity.file_name, row.line, status);
  }
  return infos;
}

}  // namespace kpath
