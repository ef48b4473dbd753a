// SPDX-License-Identifier: Apache-2.0
//
// What each context of a machine is in the middle of: the frames that a debugger's `bt` shows, with
// the values that their functions were given and that their steps named.
//
//   CallStacks stacks;
//   machine.AddListener(&stacks);
//   machine.RunTo(position);
//   for (const Frame* frame : stacks.Of(context)) ...   // innermost first
//
// Of a probe a function's frame keeps the values, not their text; nothing is allocated once the
// stacks have been as deep as they get. A frame of assembly is where the context executes a
// listing, such as entry_SYSCALL_64: with its last instruction.
//
// Context: looked at from outside of the machine, while it is stopped.
//
// Invariants
//   1. What was entered before the listener was attached has no frame.
//   2. A context's frames are those that it has entered and not left, in this order.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "entry/instruction.h"
#include "sim/machine/machine.h"

namespace kpath {

// The values of one FUNCTION or STEP.
using Values = absl::InlinedVector<Value, 6>;

struct Frame {
  // A modelled function …
  const FunctionInfo* function = nullptr;
  Values arguments;
  // … the last of its steps that was passed, null if none was; and the values of each that was,
  // the last time.
  const StepInfo* step = nullptr;
  struct PassedStep {
    const StepInfo* step = nullptr;
    Values values;
  };
  std::vector<PassedStep> passed;

  // … or assembly, if `function` is null: the last instruction, at symbol + offset.
  const CodeSymbol* symbol = nullptr;
  uint32_t offset = 0;
  const Instruction* instruction = nullptr;

  Position entered;  // of its first probe

  // The value that the function's argument, or else the step passed last, has under this name:
  // "nr", "ctx". None if there is no such name.
  absl::optional<Value> Find(absl::string_view name) const;
};

// With these a listing ends, and what was interrupted or called goes on: IRET, SYSRET.
bool LeavesKernel(const Instruction& instruction);

class CallStacks : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override;

  // The frames of a context, innermost first; valid until the machine goes on.
  std::vector<const Frame*> Of(const Context* context) const;
  // How many frames the context has: what `next` and `finish` compare.
  int Depth(const Context* context) const;

 private:
  // Frames above `depth` are kept for their memory.
  struct Stack {
    std::vector<Frame> frames;
    int depth = 0;
  };

  Stack& StackOf(const Context* context);
  static Frame& Push(Stack& stack, const ProbeEvent& event);
  // For the outermost function: what is there besides the assembly that calls it, is nobody's.
  static void DropStale(Stack& stack);
  static void Enter(Stack& stack, const ProbeEvent& event);
  static void Leave(Stack& stack, const ProbeEvent& event);
  static void PassStep(Stack& stack, const ProbeEvent& event);
  static void Execute(Stack& stack, const ProbeEvent& event);

  std::map<const Context*, Stack> stacks_;
  const Context* last_context_ = nullptr;
  Stack* last_stack_ = nullptr;
};

}  // namespace kpath
