// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/fail.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sim/kernel/sched.h"

namespace kpath {

void RecordReason(int number, const char* format, const Value* values, int count) {
  Reason& reason = current->reason;
  reason.number = number;
  reason.format = format;
  reason.function = current->function == nullptr ? nullptr : current->function->info().name;
  reason.values_used = count;
  std::copy_n(values, count, reason.values);
  reason.position = current->machine->position();
}

std::string Reason::Text() const {
  std::string text;
  for (const char* c = format; *c != '\0'; ++c) {
    if (c[0] == '$' && c[1] >= '0' && c[1] - '0' < values_used) {
      text += values[*++c - '0'].ToString();
    } else {
      text += *c;
    }
  }
  return text;
}

std::string Reason::ToString() const { return absl::StrCat(ErrnoName(number), ": ", Text()); }

}  // namespace kpath
