// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/locations.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "entry/entry_64.h"
#include "entry/entry_64_compat.h"
#include "inspect/info/code.h"
#include "syscall_table/tables.h"

namespace kpath::debugger {
namespace {

// v4.19 arch/x86/include/uapi/asm/unistd.h
constexpr uint64_t kX32SyscallBit = 0x40000000;

bool IsFunction(absl::string_view name) {
  const auto& all = ProbeList::Functions();
  return std::any_of(all.begin(), all.end(),
                     [&](const FunctionInfo* function) { return function->name == name; });
}

bool IsStep(absl::string_view label) {
  const auto& all = ProbeList::Steps();
  return std::any_of(all.begin(), all.end(),
                     [&](const StepInfo* step) { return step->label == label; });
}

// Whether `file`, "fs_aio/submit.cc", is what a user means by "submit.cc".
bool IsFile(absl::string_view file, absl::string_view named) {
  return file == named || absl::EndsWith(file, absl::StrCat("/", named));
}

absl::optional<uint64_t> ParseNumber(absl::string_view text) {
  uint64_t number;
  const bool hex = absl::StartsWith(text, "0x");
  const bool good = hex ? absl::SimpleHexAtoi(text, &number) : absl::SimpleAtoi(text, &number);
  return good ? absl::optional<uint64_t>(number) : absl::nullopt;
}

Breakpoint Make(Breakpoint::Kind kind, absl::string_view name, uint64_t number = 0) {
  Breakpoint breakpoint;
  breakpoint.kind = kind;
  breakpoint.name = std::string(name);
  breakpoint.number = number;
  return breakpoint;
}

// ---- Source lines ----

// The first line with a probe in each file so named, at `line` or behind it.
std::map<std::string, int> FindLines(absl::string_view named, int line) {
  std::map<std::string, int> first;
  const auto consider = [&](const char* file, int at) {
    if (at < line || !IsFile(file, named)) return;
    const auto [entry, is_new] = first.emplace(file, at);
    if (!is_new) entry->second = std::min(entry->second, at);
  };
  for (const FunctionInfo* function : ProbeList::Functions()) {
    consider(function->file, function->line);
  }
  for (const StepInfo* step : ProbeList::Steps()) consider(step->file, step->line);
  return first;
}

bool IsKnownFile(absl::string_view named) { return !FindLines(named, 0).empty(); }

absl::StatusOr<Breakpoint> ParseLine(absl::string_view file, absl::string_view line_text) {
  const absl::optional<uint64_t> line = ParseNumber(line_text);
  if (!line.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected the number of a line behind '", file, ":', not '", line_text, "'"));
  }
  if (!IsKnownFile(file)) {
    return absl::NotFoundError(absl::StrCat("no source file named ", file, " has a probe"));
  }
  const auto lines = FindLines(file, static_cast<int>(*line));
  if (lines.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no probe at line ", *line, " of ", file, " or behind it"));
  }
  if (lines.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(file, " may be ", lines.begin()->first, " or ",
                                                   std::next(lines.begin())->first));
  }
  Breakpoint breakpoint = Make(Breakpoint::Kind::kLine, "", lines.begin()->second);
  breakpoint.file = lines.begin()->first;
  return breakpoint;
}

// ---- Instructions ----

absl::StatusOr<Breakpoint> ParseAddress(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('+', 1));
  absl::optional<uint64_t> address = ParseNumber(text);
  if (!address.has_value()) {
    address = FindSymbol(parts.first);
    if (!address.has_value()) {
      return absl::NotFoundError(absl::StrCat("no symbol ", parts.first, " in the assembly"));
    }
    if (!parts.second.empty()) {
      const absl::optional<uint64_t> offset = ParseNumber(parts.second);
      if (!offset.has_value()) {
        return absl::InvalidArgumentError(
            absl::StrCat("expected the number of bytes behind '+', not '", parts.second, "'"));
      }
      *address += *offset;
    }
  }
  if (!CodeAt(*address).has_value()) {
    return absl::NotFoundError(absl::StrCat("no instruction begins at 0x", absl::Hex(*address)));
  }
  return Make(Breakpoint::Kind::kAddress, text, *address);
}

// ---- System calls ----

struct SyscallWay {
  uint64_t entry;
  uint64_t number;  // in rax
};

void AddWays32(uint64_t number, std::vector<SyscallWay>* ways) {
  ways->push_back({assembly::entry_INT80_compat.address, number});
  ways->push_back({assembly::entry_SYSENTER_compat.address, number});
  ways->push_back({assembly::entry_SYSCALL_compat.address, number});
}

// `name` may be the number itself, of the 64-bit ABI.
std::vector<SyscallWay> WaysOf(absl::string_view name) {
  const uint64_t entry = assembly::entry_SYSCALL_64.address;
  std::vector<SyscallWay> ways;
  if (const absl::optional<uint64_t> number = ParseNumber(name)) return {{entry, *number}};
  if (const SyscallInfo* call = FindSyscall64(name, SyscallAbi::k64)) {
    ways.push_back({entry, static_cast<uint64_t>(call->row.number)});
  }
  if (const SyscallInfo* call = FindSyscall64(name, SyscallAbi::kX32)) {
    ways.push_back({entry, static_cast<uint64_t>(call->row.number) | kX32SyscallBit});
  }
  for (const SyscallInfo& call : Syscalls32()) {
    if (call.row.name == name) AddWays32(call.row.number, &ways);
  }
  return ways;
}

absl::StatusOr<Breakpoint> ParseSyscall(absl::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError("expected the name of a system call");
  if (WaysOf(name).empty()) {
    return absl::NotFoundError(absl::StrCat("no system call named ", name));
  }
  return Make(Breakpoint::Kind::kSyscall, name);
}

absl::StatusOr<Breakpoint> ParseVector(absl::string_view text) {
  const absl::optional<uint64_t> vector = ParseNumber(text);
  if (!vector.has_value() || *vector > 255) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected the number of a vector, 0 to 255, not '", text, "'"));
  }
  return Make(Breakpoint::Kind::kVector, "", *vector);
}

// How many letters have to be changed, added or left out; for "did you mean".
size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

std::string Nearest(absl::string_view name) {
  std::string nearest;
  size_t least = name.size() / 3 + 1;
  for (const std::string& candidate : LocationNames()) {
    const size_t distance = Distance(name, candidate);
    if (distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?");
}

}  // namespace

absl::StatusOr<Breakpoint> ParseLocation(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.empty()) return absl::InvalidArgumentError("expected a location");
  if (absl::ConsumePrefix(&text, "*")) return ParseAddress(text);
  const std::pair<absl::string_view, absl::string_view> words =
      absl::StrSplit(text, absl::MaxSplits(' ', 1));
  if (words.first == "syscall") return ParseSyscall(absl::StripAsciiWhitespace(words.second));
  if (words.first == "vector") return ParseVector(absl::StripAsciiWhitespace(words.second));
  if (text.size() > 1 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
    if (!IsStep(text)) return absl::NotFoundError(absl::StrCat("no step labelled \"", text, "\""));
    return Make(Breakpoint::Kind::kStep, text);
  }
  if (IsFunction(text)) return Make(Breakpoint::Kind::kFunction, text);
  if (IsStep(text)) return Make(Breakpoint::Kind::kStep, text);
  if (const absl::optional<uint64_t> address = FindSymbol(text)) {
    if (CodeAt(*address).has_value()) return Make(Breakpoint::Kind::kAddress, text, *address);
  }
  const size_t colon = text.rfind(':');
  if (colon != absl::string_view::npos) {
    return ParseLine(text.substr(0, colon), text.substr(colon + 1));
  }
  return absl::NotFoundError(
      absl::StrCat("no function, symbol or step named ", text, Nearest(text)));
}

std::string DescribeLocation(const Breakpoint& breakpoint) {
  switch (breakpoint.kind) {
    case Breakpoint::Kind::kFunction:
      return breakpoint.name;
    case Breakpoint::Kind::kStep:
      return absl::StrCat("\"", breakpoint.name, "\"");
    case Breakpoint::Kind::kLine:
      return absl::StrCat(breakpoint.file, ":", breakpoint.number);
    case Breakpoint::Kind::kAddress:
      return absl::StrCat("*", NameCode(breakpoint.number));
    case Breakpoint::Kind::kSyscall:
      return absl::StrCat("syscall ", breakpoint.name);
    case Breakpoint::Kind::kVector:
      return absl::StrCat("vector 0x", absl::Hex(breakpoint.number));
    case Breakpoint::Kind::kWatch:
      return breakpoint.name;
  }
  return "";
}

std::vector<std::string> LocationNames() {
  std::set<std::string> names;
  for (const FunctionInfo* function : ProbeList::Functions()) names.insert(function->name);
  for (const StepInfo* step : ProbeList::Steps())
    names.insert(absl::StrCat("\"", step->label, "\""));
  for (const CodeListing& listing : AllCode()) names.insert(listing.symbol->name);
  return {names.begin(), names.end()};
}

ProbesOf FindProbes(const Breakpoint& breakpoint) {
  ProbesOf probes;
  const int line = static_cast<int>(breakpoint.number);
  const auto is_here = [&](const char* file, int at) {
    return breakpoint.kind == Breakpoint::Kind::kLine && at == line && file == breakpoint.file;
  };
  for (const FunctionInfo* function : ProbeList::Functions()) {
    const bool named =
        breakpoint.kind == Breakpoint::Kind::kFunction && function->name == breakpoint.name;
    if (named || is_here(function->file, function->line)) probes.functions.insert(function);
  }
  for (const StepInfo* step : ProbeList::Steps()) {
    const bool named = breakpoint.kind == Breakpoint::Kind::kStep && step->label == breakpoint.name;
    if (named || is_here(step->file, step->line)) probes.steps.insert(step);
  }
  if (breakpoint.kind == Breakpoint::Kind::kAddress) probes.addresses.insert(breakpoint.number);
  if (breakpoint.kind == Breakpoint::Kind::kSyscall) {
    for (const SyscallWay& way : WaysOf(breakpoint.name)) {
      probes.syscalls.emplace_back(way.entry, way.number);
    }
  }
  return probes;
}

}  // namespace kpath::debugger
