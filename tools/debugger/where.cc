// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/where.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "entry/disassemble.h"
#include "sim/kernel/sched.h"
#include "sim/trace/value_names.h"
#include "tools/transcript/syntax/print.h"

namespace kpath::debugger {
namespace {

std::string Heading(Target& target, const LastProbe& last) {
  const int64_t now = target.machine().now_ns();
  std::string text = absl::StrFormat("#%d  %d.%03d us  CPU %d  ", target.position(), now / 1000,
                                     now % 1000, last.context->cpu->id());
  const int pid = last.context->id();
  return pid == 0 ? absl::StrCat(text, "idle\n") : absl::StrCat(text, "task ", pid, "\n");
}

std::string InstructionText(const LastProbe& last) {
  std::string text =
      absl::StrCat(Locate(*last.symbol, last.offset), ": ", Disassemble(*last.instruction));
  if (last.stored_bytes != 0) {
    absl::StrAppend(&text, "   [0x", absl::Hex(last.stored_address), "] = 0x",
                    absl::Hex(last.stored_value));
  }
  return text;
}

std::string ReasonOf(const LastProbe& last) {
  if (last.result.kind != Value::Kind::kResult || last.context->id() == 0) return "";
  const auto& task = static_cast<const task_struct&>(*last.context);
  const auto result = static_cast<int64_t>(last.result.bits);
  if (result >= 0 || task.reason.number != -result) return "";
  return absl::StrCat(": ", task.reason.Text());
}

std::string ProbeText(Target& target, const LastProbe& last) {
  if (last.kind == ProbeEvent::Kind::kInstruction) return InstructionText(last);
  if (last.kind == ProbeEvent::Kind::kFunctionExit) {
    return last.result.kind == Value::Kind::kNone
               ? absl::StrCat(last.function->name, " returns")
               : absl::StrCat(last.function->name, " returns ", last.result.ToString(),
                              ReasonOf(last));
  }
  const std::vector<const Frame*> frames = target.watcher().stacks().Of(last.context);
  const Frame* frame = frames.empty() ? nullptr : frames.front();
  if (last.kind == ProbeEvent::Kind::kFunctionEnter) {
    return absl::StrCat(last.function->name, " (",
                        NamedValues(last.function->arguments, frame->arguments), ") at ",
                        last.function->file, ":", last.function->line);
  }
  // Outside of the kernel's functions there are the steps of ring 3.
  const char* name = last.function == nullptr ? "user mode" : last.function->name;
  std::string text = absl::StrCat(name, " () at ", last.step->file, ":", last.step->line, ": \"",
                                  last.step->label, "\"");
  if (frame == nullptr) return text;
  for (const Frame::PassedStep& passed : frame->passed) {
    if (passed.step != last.step) continue;
    const std::string values = NamedValues(last.step->values, passed.values);
    if (!values.empty()) absl::StrAppend(&text, " ", values);
  }
  return text;
}

std::string EndText(Target& target) {
  const ReplayReport& report = target.report();
  int as_recorded = 0;
  for (const auto& [name, count] : report.as_recorded) as_recorded += count;
  std::string text =
      absl::StrFormat("#%d  the run has ended: %d calls, %d legal, %d not legal", target.position(),
                      report.calls, report.legal, report.illegal.size());
  if (as_recorded != 0) absl::StrAppend(&text, ", ", as_recorded, " replayed as recorded");
  absl::StrAppend(&text, "\n");
  for (const IllegalResult& illegal : report.illegal) {
    absl::StrAppend(&text, target.transcript().file_name, ":", illegal.line, ": ", illegal.call,
                    "\n  recorded:  ", illegal.recorded, "\n  simulated: ", illegal.simulated,
                    illegal.reason.empty() ? "" : "\n  reason:    ", illegal.reason, "\n");
  }
  if (!report.kernel_report.empty()) {
    absl::StrAppend(&text, "the simulated kernel reports:\n", report.kernel_report, "\n");
  }
  return text;
}

}  // namespace

std::string RecordedCall(Target& target) {
  const LastProbe& last = target.watcher().last();
  if (target.ended() || last.context == nullptr) return "";
  const strace::Call* call = target.CallOf(last.context->id());
  if (call == nullptr) return "";
  const std::string text = strace::PrintCall(*call);
  return absl::StrCat(
      target.transcript().file_name, ":", call->begin.line, ": ",
      absl::StripTrailingAsciiWhitespace(absl::string_view(text).substr(0, text.rfind(" = "))),
      "\n");
}

std::string Where(Target& target) {
  if (target.ended()) return EndText(target);
  const LastProbe& last = target.watcher().last();
  if (last.context == nullptr) {
    return absl::StrCat("#", target.position(), "  no recorded call has begun\n");
  }
  std::string text = Heading(target, last);
  if (last.position != target.position()) {
    return absl::StrCat(text, "between two recorded calls; the last probe was #", last.position,
                        "\n");
  }
  return absl::StrCat(text, ProbeText(target, last), "\n");
}

}  // namespace kpath::debugger
