// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/backtrace.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "inspect/info/address.h"
#include "inspect/info/code.h"
#include "inspect/info/text.h"
#include "sim/machine/pt_regs.h"
#include "sim/trace/value_names.h"

namespace kpath {
namespace {

std::string ArgumentsText(const Frame& frame) {
  const std::vector<absl::string_view> names = ValueNames(frame.function->arguments);
  std::string text;
  for (size_t i = 0; i < frame.arguments.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", i < names.size() ? names[i] : "?", "=",
                    frame.arguments[i].ToString());
  }
  return text;
}

std::string DescribeFrame(const Frame& frame) {
  if (frame.function == nullptr) {
    const auto line = CodeAt(frame.symbol->address + frame.offset);
    const std::string where =
        line.has_value() ? line->Where() : absl::StrCat(frame.symbol->name, "+", frame.offset);
    return absl::StrCat(frame.symbol->name, " () at ", where);
  }
  const FunctionInfo& function = *frame.function;
  return absl::StrCat(function.name, " (", ArgumentsText(frame), ") at ", function.file, ":",
                      frame.step != nullptr ? frame.step->line : function.line);
}

// Without a listener: the functions that are being executed, and where they begin.
std::vector<std::string> DescribeFunctions(const Context& context) {
  std::vector<std::string> lines;
  for (const FunctionProbe* f = context.function(); f != nullptr; f = f->caller()) {
    lines.push_back(
        absl::StrCat(f->info().name, " (...) at ", f->info().file, ":", f->info().line));
  }
  return lines;
}

std::vector<std::string> DescribeFrames(const View& view) {
  const Context& context = ContextOf(view);
  std::vector<std::string> lines;
  for (const Frame* frame : FramesOf(view, context)) lines.push_back(DescribeFrame(*frame));
  if (lines.empty()) lines = DescribeFunctions(context);
  const Registers& regs = RegistersOf(context);
  if (const absl::optional<uint64_t> rip = UserRip(view, context)) {
    const std::string name = AddressName(view, *rip);
    lines.push_back(absl::StrCat("user mode at ", Hex16(*rip),
                                 name.empty() ? "" : absl::StrCat(" <", name, ">"), ", ring 3"));
  } else if (lines.empty() && (regs.cs & 3) == 0 && regs.rip != 0) {
    lines.push_back(absl::StrCat("?? () at ", AddressText(view, regs.rip)));
  }
  return lines;
}

std::string NumberedLine(int number, absl::string_view line, int width) {
  const std::string head = absl::StrCat("#", number);
  const std::string padding(head.size() < 4 ? 4 - head.size() : 1, ' ');
  // The place stays with its `at`.
  const std::string tied =
      absl::StrReplaceAll(absl::StrCat(head, padding, line), {{") at ", ") at\1"}});
  return absl::StrCat(absl::StrReplaceAll(Wrap(tied, width, 4), {{"\1", " "}}), "\n");
}

}  // namespace

absl::optional<uint64_t> UserRip(const View& view, const Context& context) {
  const auto& task = static_cast<const task_struct&>(context);
  if (context.id() == 0 || (task.flags & PF_KTHREAD) != 0 || task.stack == 0) return absl::nullopt;
  if (task.state == TASK_DEAD) return absl::nullopt;
  const Registers& regs = RegistersOf(context);
  if ((regs.cs & 3) == 3) return regs.rip;
  const std::vector<const Frame*> frames = FramesOf(view, context);
  const uint64_t top = task_top_of_stack(&task);
  const uint64_t rsp = regs[Reg::rsp];
  const bool on_task_stack = rsp > task.stack && rsp <= top;
  const bool saved = on_task_stack ? top - rsp >= sizeof(pt_regs) : context.function() != nullptr;
  if (saved) {
    return ReadNumber(view, top - sizeof(pt_regs) + offsetof(pt_regs, ip), sizeof(uint64_t));
  }
  // SYSCALL has left it in rcx, and SYSRET takes it from there.
  const bool by_syscall = frames.size() == 1 && frames[0]->function == nullptr &&
                          (absl::StartsWith(frames[0]->symbol->name, "entry_SYSCALL") ||
                           absl::StartsWith(frames[0]->symbol->name, "sysret"));
  if (by_syscall) return regs[Reg::rcx];
  return absl::nullopt;
}

std::string Backtrace(const View& view) {
  const std::vector<std::string> lines = DescribeFrames(view);
  if (lines.empty()) return absl::StrCat("No stack: ", TaskName(ContextOf(view)), " has ended.\n");
  std::string text;
  for (size_t i = 0; i < lines.size(); ++i) {
    absl::StrAppend(&text, NumberedLine(static_cast<int>(i), lines[i], view.width));
  }
  return text;
}

absl::StatusOr<std::string> FrameLine(const View& view, int number) {
  const std::vector<std::string> lines = DescribeFrames(view);
  if (number < 0 || static_cast<size_t>(number) >= lines.size()) {
    return absl::NotFoundError(
        lines.empty() ? absl::StrCat("No frame ", number, ": there is none")
                      : absl::StrCat("No frame ", number, ": there are 0 to ", lines.size() - 1));
  }
  return NumberedLine(number, lines[static_cast<size_t>(number)], view.width);
}

}  // namespace kpath
