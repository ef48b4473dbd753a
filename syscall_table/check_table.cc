// SPDX-License-Identifier: Apache-2.0
#include "syscall_table/check_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "syscall_table/tables.h"
#include "syscall_table/tbl_parser.h"

namespace kpath {
namespace {

// The rows that can be read, in the order of the file, whatever rule they break together.
struct LooseTable {
  std::vector<SyscallRow> rows;
  std::set<int> known_gaps;
};

class Findings {
 public:
  void Add(const std::string& file, int line, absl::string_view what) {
    found_.push_back({{file, line}, absl::StrCat(file, ":", line, ": ", what)});
  }
  // Those of `first_file` come first, each file's by line.
  std::vector<std::string> Sorted(const std::string& first_file) {
    std::stable_sort(found_.begin(), found_.end(), [&](const auto& a, const auto& b) {
      const auto key = [&](const auto& f) {
        return std::pair(f.first.first != first_file, f.first.second);
      };
      return key(a) < key(b);
    });
    std::vector<std::string> lines;
    for (auto& [where, text] : found_) lines.push_back(std::move(text));
    return lines;
  }

 private:
  std::vector<std::pair<std::pair<std::string, int>, std::string>> found_;
};

// "335-511" or "222": adds the numbers.
void AddRange(absl::string_view word, std::set<int>& numbers) {
  const std::pair<absl::string_view, absl::string_view> ends =
      absl::StrSplit(word, absl::MaxSplits('-', 1));
  int first = 0, last = 0;
  if (!absl::SimpleAtoi(ends.first, &first)) return;
  if (!absl::SimpleAtoi(ends.second, &last)) last = first;
  last = std::min(last, kMaxSyscallNumber);
  for (int number = first; number <= last; ++number) numbers.insert(number);
}

void ReadComment(absl::string_view line, std::set<int>& known_gaps) {
  std::set<int> numbers;
  bool says_so = false;
  for (absl::string_view word : absl::StrSplit(line, absl::ByAnyChar(" \t;#"), absl::SkipEmpty())) {
    // The sentence ends: what follows speaks of other numbers.
    absl::ConsumeSuffix(&word, ",");
    absl::ConsumeSuffix(&word, ".");
    says_so |= word == "empty" || word == "unused";
    if (!says_so) AddRange(word, numbers);
  }
  if (says_so) known_gaps.insert(numbers.begin(), numbers.end());
}

LooseTable ReadRows(const TableFile& file, Findings* findings) {
  LooseTable table;
  int line_number = 0;
  for (absl::string_view line : absl::StrSplit(file.text, '\n')) {
    ++line_number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    if (line[0] == '#') {
      ReadComment(line, table.known_gaps);
      continue;
    }
    // One row alone: what is wrong with it is not the others' fault.
    const absl::StatusOr<SyscallTable> alone = ParseTbl("row", line);
    if (alone.ok()) {
      table.rows.push_back(alone->rows.front());
      table.rows.back().line = line_number;
    } else if (findings != nullptr) {
      absl::string_view message = alone.status().message();
      absl::ConsumePrefix(&message, "row:1: ");
      findings->Add(file.name, line_number, message);
    }
  }
  return table;
}

void CheckDuplicates(const TableFile& file, const LooseTable& table, Findings* findings) {
  for (size_t i = 0; i < table.rows.size(); ++i) {
    const SyscallRow& row = table.rows[i];
    for (size_t j = 0; j < i; ++j) {
      const SyscallRow& other = table.rows[j];
      if (other.number == row.number) {
        findings->Add(file.name, row.line,
                      absl::StrCat("number ", row.number, " is taken by ", other.name, " (line ",
                                   other.line, ")"));
      }
      if (other.name == row.name && AbisOverlap(other.abi, row.abi)) {
        findings->Add(file.name, row.line,
                      absl::StrCat(row.name, " is listed already (line ", other.line, ")"));
      }
    }
  }
}

void CheckGaps(const TableFile& file, const LooseTable& table, Findings* findings) {
  std::vector<const SyscallRow*> rows;
  for (const SyscallRow& row : table.rows) rows.push_back(&row);
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto* a, const auto* b) { return a->number < b->number; });
  int next = 0;
  for (const SyscallRow* row : rows) {
    while (next < row->number && table.known_gaps.count(next) > 0) ++next;
    int last = row->number - 1;
    while (last >= next && table.known_gaps.count(last) > 0) --last;
    if (next == last) {
      findings->Add(file.name, row->line, absl::StrCat("gap: nothing has the number ", next));
    } else if (next < last) {
      findings->Add(file.name, row->line,
                    absl::StrCat("gap: nothing has the numbers ", next, " to ", last));
    }
    next = std::max(next, row->number + 1);
  }
}

const SyscallRow* FindSameCall(const SyscallRow& row, const LooseTable& table) {
  for (const SyscallRow& other : table.rows) {
    if (other.name == row.name && AbisOverlap(other.abi, row.abi)) return &other;
  }
  return nullptr;
}

void CheckMoves(const TableFile& file, const LooseTable& table, const TableFile& against,
                Findings* findings) {
  const LooseTable old = ReadRows(against, nullptr);
  for (const SyscallRow& before : old.rows) {
    const SyscallRow* now = FindSameCall(before, table);
    if (now == nullptr) {
      std::string what = absl::StrCat(before.name, " is gone, its number ", before.number);
      const auto taker =
          std::find_if(table.rows.begin(), table.rows.end(),
                       [&](const SyscallRow& row) { return row.number == before.number; });
      absl::StrAppend(
          &what, taker == table.rows.end() ? " is free" : absl::StrCat(" is ", taker->name, "'s"));
      findings->Add(against.name, before.line, what);
    } else if (now->number != before.number) {
      findings->Add(file.name, now->line,
                    absl::StrCat(now->name, " has number ", now->number, ", ", before.number,
                                 " in ", against.name, " (line ", before.line, ")"));
    }
  }
}

// All entry points that v4.19 has for x86-64.
std::set<std::string> FunctionsOfV419() {
  std::set<std::string> functions = {"sys_ni_syscall"};
  for (const SyscallInfo& call : Syscalls64()) functions.insert(call.row.entry);
  for (const SyscallInfo& call : Syscalls32()) {
    functions.insert(call.row.entry);
    functions.insert(call.row.compat_entry);
  }
  functions.erase("");
  return functions;
}

// True if one of the functions that a SYSCALL_DEFINE makes is known: it makes all of them.
bool IsDefinedWith(absl::string_view entry, const std::set<std::string>& functions) {
  for (const absl::string_view prefix : {"__x64_sys_", "__ia32_sys_", "sys_"}) {
    absl::string_view name = entry;
    if (!absl::ConsumePrefix(&name, prefix)) continue;
    for (const absl::string_view other : {"__x64_sys_", "__ia32_sys_", "sys_"}) {
      if (functions.count(absl::StrCat(other, name)) > 0) return true;
    }
  }
  for (const absl::string_view prefix : {"__ia32_compat_sys_", "__x32_compat_sys_"}) {
    absl::string_view name = entry;
    if (!absl::ConsumePrefix(&name, prefix)) continue;
    for (const absl::string_view other : {"__ia32_compat_sys_", "__x32_compat_sys_"}) {
      if (functions.count(absl::StrCat(other, name)) > 0) return true;
    }
  }
  return functions.count(std::string(entry)) > 0;
}

void CheckEntries(const TableFile& file, const LooseTable& table,
                  const std::set<std::string>& more_functions, Findings* findings) {
  std::set<std::string> functions = FunctionsOfV419();
  functions.insert(more_functions.begin(), more_functions.end());
  for (const SyscallRow& row : table.rows) {
    if (row.abi == SyscallAbi::kI386 && !row.entry.empty() && row.compat_entry.empty()) {
      findings->Add(file.name, row.line, absl::StrCat(row.name, " has no compat entry"));
    }
    for (const std::string& entry : {row.entry, row.compat_entry}) {
      if (entry.empty() || IsDefinedWith(entry, functions)) continue;
      findings->Add(file.name, row.line, absl::StrCat("there is no function ", entry));
    }
  }
}

}  // namespace

std::vector<std::string> CheckTable(const TableFile& table, const CheckTableOptions& options) {
  Findings findings;
  const LooseTable rows = ReadRows(table, &findings);
  CheckDuplicates(table, rows, &findings);
  CheckGaps(table, rows, &findings);
  CheckEntries(table, rows, options.functions, &findings);
  if (options.against != nullptr) CheckMoves(table, rows, *options.against, &findings);
  return findings.Sorted(table.name);
}

}  // namespace kpath
