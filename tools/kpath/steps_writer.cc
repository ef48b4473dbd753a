// SPDX-License-Identifier: Apache-2.0
#include "tools/kpath/steps_writer.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "entry/disassemble.h"
#include "entry/instruction_step.h"
#include "sim/trace/value_names.h"

namespace kpath {
namespace {

std::string InstructionText(const InstructionStep& step) {
  std::string text = absl::StrFormat("%-28s %-44s", Locate(*step.symbol, step.offset),
                                     Disassemble(*step.instruction));
  for (const RegisterChange& change : ChangesOf(step)) {
    absl::StrAppend(&text, " ", change.name, "=", absl::Hex(change.value));
  }
  if (step.stored_bytes != 0) {
    absl::StrAppend(&text, " [", absl::Hex(step.stored_address),
                    "]=", absl::Hex(step.stored_value));
  }
  return std::string(absl::StripTrailingAsciiWhitespace(text));
}

std::string ExitText(const ProbeEvent& event) {
  return event.values.empty()
             ? absl::StrCat("} ", event.function->name)
             : absl::StrCat("} ", event.function->name, " = ", event.values[0].ToString());
}

}  // namespace

void StepsWriter::Line(const ProbeEvent& event, const std::string& text) {
  const Context& context = *current_context;
  const int depth = depth_[&context];
  sink_(absl::StrFormat("%-8s %10d.%03d us %2d) %-6d %*s%s\n", event.position.ToString(),
                        event.time_ns / 1000, event.time_ns % 1000, event.cpu->id(), context.id(),
                        2 * depth, "", text));
}

void StepsWriter::OnProbe(const ProbeEvent& event) {
  int& depth = depth_[current_context];
  switch (event.kind) {
    case ProbeEvent::Kind::kInstruction:
      return Line(event, InstructionText(*static_cast<const InstructionStep*>(event.instruction)));
    case ProbeEvent::Kind::kFunctionEnter:
      Line(event, absl::StrCat(event.function->name, "(",
                               NamedValues(event.function->arguments, event.values), ") {"));
      ++depth;
      return;
    case ProbeEvent::Kind::kFunctionExit:
      depth = std::max(0, depth - 1);
      return Line(event, ExitText(event));
    case ProbeEvent::Kind::kStep:
      return Line(event, absl::StrCat(". ", event.step->label, event.values.empty() ? "" : ": ",
                                      NamedValues(event.step->values, event.values)));
    case ProbeEvent::Kind::kTaskSwitch:
      return Line(event, absl::StrCat("=> pid ", event.values[1].ToString()));
    case ProbeEvent::Kind::kNote:
      if (event.step != nullptr) Line(event, absl::StrCat("! ", event.step->label));
      return;
  }
}

}  // namespace kpath
