// SPDX-License-Identifier: Apache-2.0

#include "syscall_table/syscalls_report.h"

#include <algorithm>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "syscall_table/tables.h"

namespace kpath {
namespace {

constexpr int kNarrowestNote = 20;

// One line of the list, before its columns are aligned.
struct Line {
  std::string number;
  std::string abi;
  std::string entry;
  std::string fidelity;
  std::string note;
};

Line LineOf(const SyscallInfo& call) {
  Line line{absl::StrCat(call.row.number), std::string(SyscallAbiName(call.row.abi)),
            call.row.entry, std::string(FidelityName(call.fidelity)), call.note};
  if (!call.row.compat_entry.empty()) line.entry = call.row.compat_entry;
  if (!call.HasEntry()) {
    line.entry = "sys_ni_syscall";
    line.fidelity = "-";
    line.note = absl::StrCat(call.row.name, ": no entry");
  }
  return line;
}

bool Passes(const SyscallInfo& call, const SyscallsReportOptions& options) {
  if (!options.abi.empty() && SyscallAbiName(call.row.abi) != options.abi) return false;
  if (options.modelled && !call.IsModelled()) return false;
  return absl::StrContains(call.row.name, options.name) ||
         absl::StrContains(call.row.entry, options.name) ||
         absl::StrContains(call.row.compat_entry, options.name);
}

std::vector<SyscallInfo> Filter(const std::vector<SyscallInfo>& calls,
                                const SyscallsReportOptions& options) {
  std::vector<SyscallInfo> passed;
  std::copy_if(calls.begin(), calls.end(), std::back_inserter(passed),
               [&](const SyscallInfo& call) { return Passes(call, options); });
  return passed;
}

// The filters as the user gave them, for the line that says nothing was found.
std::string SpelledFilters(const SyscallsReportOptions& options) {
  std::string text;
  if (!options.abi.empty()) absl::StrAppend(&text, " --abi=", options.abi);
  if (!options.name.empty()) absl::StrAppend(&text, " --name=", options.name);
  if (options.modelled) absl::StrAppend(&text, " --modelled");
  return text;
}

// `note` broken at blanks into pieces of at most `width` columns; a longer word stays whole.
std::vector<std::string> Wrap(const std::string& note, size_t width) {
  std::vector<std::string> pieces(1);
  for (absl::string_view word : absl::StrSplit(note, ' ', absl::SkipEmpty())) {
    if (!pieces.back().empty() && pieces.back().size() + 1 + word.size() > width) {
      pieces.emplace_back();
    }
    absl::StrAppend(&pieces.back(), pieces.back().empty() ? "" : " ", word);
  }
  return pieces;
}

// Writes lines with aligned columns.
class Columns {
 public:
  Columns(const std::vector<Line>& lines, int width) {
    for (const Line& line : lines) {
      number_ = std::max(number_, line.number.size());
      abi_ = std::max(abi_, line.abi.size());
      entry_ = std::max(entry_, line.entry.size());
      fidelity_ = std::max(fidelity_, line.fidelity.size());
    }
    if (width > 0) note_ = std::max(kNarrowestNote, width - static_cast<int>(NoteStart()));
  }

  std::string Render(const Line& line) const {
    std::string out = absl::StrFormat("%*s  %-*s  %-*s  %-*s  ", number_, line.number, abi_,
                                      line.abi, entry_, line.entry, fidelity_, line.fidelity);
    std::string gap;
    for (const std::string& piece : Wrap(line.note, note_)) {
      absl::StrAppend(&out, gap, piece);
      out.erase(out.find_last_not_of(' ') + 1);
      out += '\n';
      gap = std::string(NoteStart(), ' ');
    }
    return out;
  }

 private:
  size_t NoteStart() const { return number_ + 2 + abi_ + 2 + entry_ + 2 + fidelity_ + 2; }

  size_t number_ = 0;
  size_t abi_ = 0;
  size_t entry_ = 0;
  size_t fidelity_ = 0;
  size_t note_ = std::string::npos;
};

std::string CountLine(const std::vector<SyscallInfo>& calls) {
  int full = 0, partial = 0, none = 0, no_entry = 0;
  for (const SyscallInfo& call : calls) {
    if (!call.HasEntry()) {
      ++no_entry;
    } else if (call.fidelity == Fidelity::kFull) {
      ++full;
    } else if (call.fidelity == Fidelity::kPartial) {
      ++partial;
    } else {
      ++none;
    }
  }
  return absl::StrCat(calls.size(), calls.size() == 1 ? " call: " : " calls: ", full, " full, ",
                      partial, " partial, ", none, " not modelled, ", no_entry,
                      " without an entry point\n");
}

absl::Status CheckAbi(const std::string& abi) {
  if (abi.empty() || ParseSyscallAbi(abi)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--abi=", abi, ": unknown ABI, expected common, 64, x32 or i386"));
}

}  // namespace

absl::StatusOr<std::string> RenderSyscalls(const SyscallsReportOptions& options) {
  return RenderSyscalls(options.abi == "i386" ? Syscalls32() : Syscalls64(), options);
}

absl::StatusOr<std::string> RenderSyscalls(const std::vector<SyscallInfo>& calls,
                                           const SyscallsReportOptions& options) {
  absl::Status abi = CheckAbi(options.abi);
  if (!abi.ok()) return abi;

  const std::vector<SyscallInfo> listed = Filter(calls, options);
  if (listed.empty()) return absl::StrCat("no system call matches", SpelledFilters(options), "\n");

  std::vector<Line> lines = {{"NR", "ABI", "ENTRY POINT", "FIDELITY", "NOTE"}};
  std::transform(listed.begin(), listed.end(), std::back_inserter(lines), LineOf);
  const Columns columns(lines, options.width);

  std::string out;
  for (const Line& line : lines) out += columns.Render(line);
  return out + CountLine(listed);
}

}  // namespace kpath
