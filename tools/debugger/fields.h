// SPDX-License-Identifier: Apache-2.0
//
// What is in sight where a run has stopped, as text that can be compared and sent elsewhere.
//
// Context: while the machine stands still, entered (EnterMachine).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "inspect/expression.h"

namespace kpath::debugger {

// The registers of the task's CPU, the fields of the objects that its innermost frames know by
// name, and of its context and its plug: a "name<TAB>value" a line, always in the same order.
std::string FieldsInSight(const Scope& scope);

// The same expression with the names that mean an object of the kernel replaced by its address, so
// that it goes on meaning it elsewhere: `((struct kioctx *)0xffff888000002040)->tail` for
// `ctx->tail`. Errors: as ParseExpression.
absl::StatusOr<std::string> Bind(const Scope& scope, absl::string_view expression);

// What may stand behind an expression and `->` or `.`: names, one a line. For an empty expression:
// what an expression may begin with here.
absl::StatusOr<std::string> MembersOf(const Scope& scope, absl::string_view expression);

// The place where a value was read from, as an expression without names: `*(unsigned int *)0x…`.
// Error: it is in no place that has an address.
absl::StatusOr<std::string> LocationOf(const Datum& value);

// A number or a pointer, as an expression without names. Error: it is neither.
absl::StatusOr<std::string> ConstantOf(const Scope& scope, const Datum& value);

}  // namespace kpath::debugger
