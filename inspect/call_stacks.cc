// SPDX-License-Identifier: Apache-2.0
#include "inspect/call_stacks.h"

#include <algorithm>
#include <utility>

#include "entry/instruction_step.h"
#include "sim/trace/value_names.h"

namespace kpath {
namespace {

bool IsOver(const Frame& frame) {
  return frame.function == nullptr && LeavesKernel(*frame.instruction);
}

absl::optional<Value> FindValue(const char* names, const Values& values, absl::string_view name) {
  const std::vector<absl::string_view> split = ValueNames(names);
  for (size_t i = 0; i < std::min(split.size(), values.size()); ++i) {
    if (split[i] == name) return values[i];
  }
  return absl::nullopt;
}

}  // namespace

bool LeavesKernel(const Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::kIret:
    case Opcode::kSysret:
    case Opcode::kSysretl:
      return true;
    default:
      return false;
  }
}

absl::optional<Value> Frame::Find(absl::string_view name) const {
  if (function == nullptr) return absl::nullopt;
  // The step passed last knows better: a value may have changed since the function was entered.
  if (step != nullptr) {
    for (const PassedStep& one : passed) {
      if (one.step != step) continue;
      if (auto value = FindValue(one.step->values, one.values, name)) return value;
    }
  }
  if (auto value = FindValue(function->arguments, arguments, name)) return value;
  for (auto one = passed.rbegin(); one != passed.rend(); ++one) {
    if (auto value = FindValue(one->step->values, one->values, name)) return value;
  }
  return absl::nullopt;
}

CallStacks::Stack& CallStacks::StackOf(const Context* context) {
  if (context != last_context_) {
    last_context_ = context;
    last_stack_ = &stacks_[context];
  }
  return *last_stack_;
}

Frame& CallStacks::Push(Stack& stack, const ProbeEvent& event) {
  if (stack.frames.size() == static_cast<size_t>(stack.depth)) stack.frames.emplace_back();
  Frame& frame = stack.frames[stack.depth++];
  frame.function = nullptr;
  frame.arguments.clear();
  frame.step = nullptr;
  frame.passed.clear();
  frame.symbol = nullptr;
  frame.instruction = nullptr;
  frame.entered = event.position;
  return frame;
}

void CallStacks::DropStale(Stack& stack) {
  if (stack.depth == 0) return;
  const bool called_by_assembly = stack.frames[stack.depth - 1].function == nullptr;
  if (called_by_assembly) std::swap(stack.frames[0], stack.frames[stack.depth - 1]);
  stack.depth = called_by_assembly ? 1 : 0;
}

void CallStacks::Enter(Stack& stack, const ProbeEvent& event) {
  if (stack.depth > 0 && IsOver(stack.frames[stack.depth - 1])) --stack.depth;
  // The address may have been another context's before, which ended in the middle.
  if (current_function->caller() == nullptr) DropStale(stack);
  Frame& frame = Push(stack, event);
  frame.function = event.function;
  frame.arguments.assign(event.values.begin(), event.values.end());
}

// Takes off what a jump out of it, such as an interrupt's way back, has left above the function.
void CallStacks::Leave(Stack& stack, const ProbeEvent& event) {
  int depth = stack.depth;
  while (depth > 0 && stack.frames[depth - 1].function != event.function) --depth;
  if (depth > 0) stack.depth = depth - 1;
}

void CallStacks::PassStep(Stack& stack, const ProbeEvent& event) {
  int depth = stack.depth;
  while (depth > 0 && stack.frames[depth - 1].function != event.function) --depth;
  if (depth == 0 || event.function == nullptr) return;
  stack.depth = depth;
  Frame& frame = stack.frames[depth - 1];
  frame.step = event.step;
  auto found =
      std::find_if(frame.passed.begin(), frame.passed.end(),
                   [&](const Frame::PassedStep& passed) { return passed.step == event.step; });
  if (found == frame.passed.end()) {
    frame.passed.emplace_back();
    found = frame.passed.end() - 1;
    found->step = event.step;
  }
  found->values.assign(event.values.begin(), event.values.end());
}

void CallStacks::Execute(Stack& stack, const ProbeEvent& event) {
  const auto& step = *static_cast<const InstructionStep*>(event.instruction);
  if (stack.depth > 0 && IsOver(stack.frames[stack.depth - 1])) --stack.depth;
  const bool goes_on = stack.depth > 0 && stack.frames[stack.depth - 1].function == nullptr;
  Frame& frame = goes_on ? stack.frames[stack.depth - 1] : Push(stack, event);
  frame.symbol = step.symbol;
  frame.offset = step.offset;
  frame.instruction = step.instruction;
}

void CallStacks::OnProbe(const ProbeEvent& event) {
  Stack& stack = StackOf(current_context);
  switch (event.kind) {
    case ProbeEvent::Kind::kFunctionEnter:
      return Enter(stack, event);
    case ProbeEvent::Kind::kFunctionExit:
      return Leave(stack, event);
    case ProbeEvent::Kind::kStep:
      return PassStep(stack, event);
    case ProbeEvent::Kind::kInstruction:
      return Execute(stack, event);
    case ProbeEvent::Kind::kTaskSwitch:
    case ProbeEvent::Kind::kNote:
      return;
  }
}

std::vector<const Frame*> CallStacks::Of(const Context* context) const {
  std::vector<const Frame*> frames;
  const auto found = stacks_.find(context);
  if (found == stacks_.end()) return frames;
  for (int i = found->second.depth - 1; i >= 0; --i) frames.push_back(&found->second.frames[i]);
  return frames;
}

int CallStacks::Depth(const Context* context) const {
  const auto found = stacks_.find(context);
  return found == stacks_.end() ? 0 : found->second.depth;
}

}  // namespace kpath
