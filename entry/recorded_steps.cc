// SPDX-License-Identifier: Apache-2.0
#include "entry/recorded_steps.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace kpath {
namespace {

class Parser {
 public:
  Parser(absl::string_view file, absl::string_view text) : file_(file), text_(text) {}

  absl::StatusOr<RecordedSteps> Parse() {
    for (absl::string_view line : absl::StrSplit(text_, '\n')) {
      ++line_;
      line = absl::StripAsciiWhitespace(line);
      if (line.empty()) continue;
      const absl::Status status =
          absl::ConsumePrefix(&line, "#") ? ParseComment(line) : ParseStep(line);
      if (!status.ok()) return status;
    }
    if (result_.before.empty()) return Error("no registers before the first step", "'# before: '");
    if (result_.steps.empty()) return Error("no steps", "lines 'index | symbol+offset | …'");
    return std::move(result_);
  }

 private:
  absl::Status Error(absl::string_view what, absl::string_view expected) const {
    return absl::InvalidArgumentError(
        absl::StrCat(file_, ":", line_, ": ", what, ", expected ", expected));
  }

  absl::Status ParseComment(absl::string_view line) {
    line = absl::StripAsciiWhitespace(line);
    if (absl::ConsumePrefix(&line, "before:")) return ParseRegisters(line, result_.before);
    if (absl::ConsumePrefix(&line, "call enters ")) return ParseCall(line);
    if (absl::ConsumePrefix(&line, "pt_regs at ")) return ParsePtRegs(line);
    return absl::OkStatus();
  }

  // do_syscall_64 rdi=d1 rsi=ffff888000107f58; running to return
  absl::Status ParseCall(absl::string_view line) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(';', 1));
    const std::pair<absl::string_view, absl::string_view> words =
        absl::StrSplit(parts.first, absl::MaxSplits(' ', 1));
    if (result_.steps.empty()) return Error("a call before the first step", "its instruction");
    RecordedCall call = {.steps_before = result_.steps.size(),
                         .function = std::string(words.first),
                         .arguments = {},
                         .pt_regs = {}};
    const absl::Status status = ParseRegisters(words.second, call.arguments);
    if (status.ok()) result_.calls.push_back(std::move(call));
    return status;
  }

  // ffff888000107f58: r15=5555 r14=4444 …
  absl::Status ParsePtRegs(absl::string_view line) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (result_.calls.empty()) return Error("pt_regs of no call", "'# call enters' before it");
    RecordedCall& call = result_.calls.back();
    if (!absl::SimpleHexAtoi(parts.first, &call.pt_regs_address)) {
      return Error(absl::StrCat("bad address '", parts.first, "'"), "a hex number and ':'");
    }
    return ParseRegisters(parts.second, call.pt_regs);
  }

  // 3 | entry_SYSCALL_64+21 | push   $0x2b | rsp=ffff888000107ff8
  absl::Status ParseStep(absl::string_view line) {
    std::vector<absl::string_view> columns = absl::StrSplit(line, '|');
    for (absl::string_view& column : columns) column = absl::StripAsciiWhitespace(column);
    if (columns.size() != 4) {
      return Error(absl::StrCat(columns.size(), " columns"),
                   "4: index | symbol+offset | instruction | changed registers");
    }
    RecordedStep step = {.line = line_,
                         .index = 0,
                         .location = std::string(columns[1]),
                         .text = std::string(columns[2]),
                         .changes = {}};
    if (!absl::SimpleAtoi(columns[0], &step.index)) {
      return Error(absl::StrCat("bad index '", columns[0], "'"), "a decimal number");
    }
    if (!result_.steps.empty() && step.index <= result_.steps.back().index) {
      return Error(absl::StrCat("index ", step.index, " after ", result_.steps.back().index),
                   "a greater one");
    }
    if (step.location.empty() || step.text.empty()) {
      return Error("an empty column", "symbol+offset and an instruction");
    }
    const absl::Status status = ParseRegisters(columns[3], step.changes);
    if (status.ok()) result_.steps.push_back(std::move(step));
    return status;
  }

  absl::Status ParseRegisters(absl::string_view text, RegisterValues& registers) const {
    for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
      const std::pair<absl::string_view, absl::string_view> parts =
          absl::StrSplit(word, absl::MaxSplits('=', 1));
      uint64_t value = 0;
      if (parts.first.empty() || !absl::SimpleHexAtoi(parts.second, &value)) {
        return Error(absl::StrCat("bad register '", word, "'"), "name=hex");
      }
      registers.emplace_back(std::string(parts.first), value);
    }
    return absl::OkStatus();
  }

  const absl::string_view file_;
  const absl::string_view text_;
  int line_ = 0;
  RecordedSteps result_;
};

}  // namespace

size_t RecordedSteps::FindStep(absl::string_view location) const {
  size_t index = 0;
  while (index < steps.size() && steps[index].location != location) ++index;
  return index;
}

uint64_t FindRegister(const RegisterValues& registers, absl::string_view name, uint64_t missing) {
  for (const auto& [register_name, value] : registers) {
    if (register_name == name) return value;
  }
  return missing;
}

absl::StatusOr<RecordedSteps> ParseRecordedSteps(absl::string_view file, absl::string_view text) {
  return Parser(file, text).Parse();
}

}  // namespace kpath
