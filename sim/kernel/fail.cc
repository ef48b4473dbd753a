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
  reason.function = current_function == nullptr ? nullptr : current_function->info().name;
  reason.position = current->machine->position();
  reason.clauses_used = 0;
  RecordClause(format, values, count);
}

void RecordClause(const char* format, const Value* values, int count) {
  Reason& reason = current->reason;
  if (reason.clauses_used == Reason::kMaxClauses) return;
  Reason::Clause& clause = reason.clauses[reason.clauses_used++];
  clause.format = format;
  clause.values_used = count;
  std::copy_n(values, count, clause.values);
}

namespace {

std::string ClauseText(const Reason::Clause& clause) {
  std::string text;
  for (const char* c = clause.format; *c != '\0'; ++c) {
    if (c[0] == '$' && c[1] >= '0' && c[1] - '0' < clause.values_used) {
      text += clause.values[*++c - '0'].ToString();
    } else {
      text += *c;
    }
  }
  return text;
}

}  // namespace

std::string Reason::Text() const {
  std::string text;
  for (int i = 0; i < clauses_used; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : "; ", ClauseText(clauses[i]));
  }
  return text;
}

std::string Reason::ToString() const { return absl::StrCat(ErrnoName(number), ": ", Text()); }

}  // namespace kpath
