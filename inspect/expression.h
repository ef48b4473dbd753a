// SPDX-License-Identifier: Apache-2.0
//
// Expressions over a stopped machine, in gdb's C: for print, display, watch and break … if.
//
//   const auto expression = ParseExpression("ctx->ring->tail - ctx->ring->head");
//   if (!expression.ok()) std::cerr << expression.status().message();
//   const auto value = Evaluate(*expression, {.machine = machine, .context = task, .stacks = &s});
//   std::cout << Print(look, *value);     // 3
//
// What there is: numbers (10, 0x1f, 017, 'c'), names, $rax … $eflags, $1 and $name, `.` and `->`
// (either, as gdb allows), [i], * and &, casts, ! ~ - + - * / % << >> < == & ^ | && || ?:, and
// `place@n`: n values one behind the other in memory. Numbers convert as C's do. A list has .size,
// .first, .last and [i].
//
// A name is looked for among
//   1. the values of the frame: arguments of its FUNCTION, values of its STEPs. An address of a
//      kernel object becomes a pointer to that object, as does a request's tag (rq) or a queue's
//      number (q, hctx) if one object alone has it.
//   2. the roots of inspect/objects/roots.h: current, ctx, plug, regs, cpu(0) …
//   3. constants: EAGAIN, TASK_RUNNING, IOCB_DIRECT …
// So `(struct kioctx *)0xffff888100002040`, `*(u64 *)$rsp`, `req->rw.ki_pos` work.
//
// Looking never changes the run. An expression that is evaluated again and again, as a watch is,
// looks for a name only where it has not been before.
//
// Context: while the machine stands still, or in a ProbeListener.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "inspect/call_stacks.h"
#include "inspect/types.h"

namespace kpath {

class ExpressionNode;

// What was parsed. Cheap to copy; to be evaluated by one thread at a time.
class Expression {
 public:
  const std::string& text() const { return text_; }

 private:
  friend absl::StatusOr<Expression> ParseExpression(absl::string_view text);
  friend absl::StatusOr<Datum> Evaluate(const Expression& expression, const struct Scope& scope);

  std::string text_;
  std::shared_ptr<const ExpressionNode> root_;
};

// Where an expression is evaluated. All that it refers to outlives the call.
struct Scope {
  Machine& machine;
  // The task: whose registers, frames and user memory are meant. Null: none is selected.
  const Context* context = nullptr;
  // Null: there are no frames.
  const CallStacks* stacks = nullptr;
  // 0: the innermost.
  int frame = 0;
  // $name and $1; those that outlive a stop are made by Detach. Null: there are none.
  const std::map<std::string, Datum>* variables = nullptr;
};
// As the functions of types.h and Print want it.
Look LookOf(const Scope& scope);

// InvalidArgument with one line that says where what was expected:
// `column 7: expected a member's name after "->", found end of expression`.
absl::StatusOr<Expression> ParseExpression(absl::string_view text);

// NotFound or FailedPrecondition with one line: `no symbol "foo" in the current frame or kernel`,
// `cannot access memory at address 0x10`. The value is valid until the machine goes on: see Detach.
absl::StatusOr<Datum> Evaluate(const Expression& expression, const Scope& scope);

// Whether a value counts as true in a condition. An error for what is neither number nor pointer.
absl::StatusOr<bool> IsTrue(const Datum& datum);

}  // namespace kpath
