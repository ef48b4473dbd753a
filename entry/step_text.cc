// SPDX-License-Identifier: Apache-2.0
#include "entry/step_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace kpath {

std::string ChangesText(const InstructionStep& step) {
  return absl::StrJoin(ChangesOf(step), " ", [](std::string* out, const RegisterChange& change) {
    absl::StrAppendFormat(out, "%s=%x", change.name, change.value);
  });
}

std::string StepText(const InstructionStep& step, AsmStyle style) {
  std::string text = absl::StrFormat("%-26s | %-44s | %s", Locate(*step.symbol, step.offset, style),
                                     Disassemble(*step.instruction, style), ChangesText(step));
  absl::StripTrailingAsciiWhitespace(&text);
  return text;
}

}  // namespace kpath
