// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/watcher.h"

#include <algorithm>
#include <utility>

#include "entry/instruction_step.h"
#include "inspect/print.h"

namespace kpath::debugger {
namespace {

// How often a run that nothing stops looks up.
constexpr uint64_t kProbesBetweenLooks = 1 << 16;

const char* FileOf(const LastProbe& probe) {
  return probe.step != nullptr ? probe.step->file : probe.function->file;
}
int LineOf(const LastProbe& probe) {
  return probe.step != nullptr ? probe.step->line : probe.function->line;
}

}  // namespace

absl::Status Watcher::Arm(const StopPlan& plan, Mode mode) {
  mode_ = mode;
  stepping_ = plan.stepping;
  stop_.reset();
  places_.clear();
  for (const Breakpoint& breakpoint : plan.breakpoints) {
    Place place;
    place.breakpoint = breakpoint;
    place.probes = FindProbes(breakpoint);
    if (!breakpoint.condition.empty()) {
      absl::StatusOr<Expression> condition = ParseExpression(breakpoint.condition);
      if (!condition.ok()) return condition.status();
      place.condition = *std::move(condition);
    }
    if (breakpoint.kind == Breakpoint::Kind::kWatch) {
      absl::StatusOr<Expression> watched = ParseExpression(breakpoint.name);
      if (!watched.ok()) return watched.status();
      place.watched = *std::move(watched);
      place.value = ValueOf(*place.watched);
    }
    places_.push_back(std::move(place));
  }
  return absl::OkStatus();
}

void Watcher::Note(const ProbeEvent& event) {
  last_.kind = event.kind;
  last_.position = event.position.probes_passed();
  last_.context = current_context;
  last_.function = event.function;
  last_.step = event.step;
  last_.depth = stacks_.Depth(current_context);
  last_.result = {};
  last_.instruction = nullptr;
  if (event.kind == ProbeEvent::Kind::kFunctionExit) {
    ++last_.depth;  // its frame is gone
    if (!event.values.empty()) last_.result = event.values[0];
  }
  if (event.kind == ProbeEvent::Kind::kInstruction) {
    const auto& step = *static_cast<const InstructionStep*>(event.instruction);
    last_.symbol = step.symbol;
    last_.offset = step.offset;
    last_.instruction = step.instruction;
    last_.stored_bytes = step.stored_bytes;
    last_.stored_address = step.stored_address;
    last_.stored_value = step.stored_value;
  }
}

void Watcher::OnProbe(const ProbeEvent& event) {
  stacks_.OnProbe(event);
  if (event.kind == ProbeEvent::Kind::kTaskSwitch || event.kind == ProbeEvent::Kind::kNote) return;
  Note(event);
  std::vector<Hit> hits;
  for (Place& place : places_) {
    Hit hit;
    hit.id = place.breakpoint.id;
    const bool here = place.watched.has_value() ? HasChanged(place, &hit) : IsAt(place, event);
    if (!here || (place.condition.has_value() && !IsTrue(*place.condition))) continue;
    hits.push_back(std::move(hit));
  }
  if (!hits.empty() || StepIsDone(event)) {
    stop_ = Stop{last_.position, std::move(hits)};
    if (mode_ == Mode::kStop) machine_->RequestStop();
    return;
  }
  if (++passed_ % kProbesBetweenLooks == 0 && interrupted && interrupted()) machine_->RequestStop();
}

bool Watcher::StepIsDone(const ProbeEvent& event) const {
  if (stepping_.mode == Stepping::Mode::kNone) return false;
  if (stepping_.pid != 0 && current_context->id() != stepping_.pid) return false;
  if (!IsOfGrain(event.kind, stepping_.grain)) return false;
  const bool exit = event.kind == ProbeEvent::Kind::kFunctionExit;
  const bool same_level = last_.depth <= stepping_.depth + (exit ? 1 : 0);
  switch (stepping_.mode) {
    case Stepping::Mode::kNone:
      return false;
    case Stepping::Mode::kStep:
      return true;
    case Stepping::Mode::kNext:
      return same_level;
    case Stepping::Mode::kUntil:
      return same_level && !(last_.depth == stepping_.depth && last_.function != nullptr &&
                             FileOf(last_) == stepping_.file && LineOf(last_) <= stepping_.line);
    case Stepping::Mode::kFinish:
      if (event.kind == ProbeEvent::Kind::kInstruction) {
        return last_.depth <= stepping_.depth && LeavesKernel(*last_.instruction);
      }
      return exit && last_.depth <= stepping_.depth;
    case Stepping::Mode::kEntry:
      return event.kind == ProbeEvent::Kind::kFunctionEnter && last_.depth <= stepping_.depth;
  }
  return false;
}

bool Watcher::IsAt(const Place& place, const ProbeEvent& event) const {
  const ProbesOf& probes = place.probes;
  switch (event.kind) {
    case ProbeEvent::Kind::kFunctionEnter:
      return probes.functions.count(event.function) != 0;
    case ProbeEvent::Kind::kStep:
      return probes.steps.count(event.step) != 0;
    case ProbeEvent::Kind::kInstruction:
      break;
    default:
      return false;
  }
  if (place.breakpoint.kind == Breakpoint::Kind::kVector) {
    const IdtGate& gate = event.cpu->idt[place.breakpoint.number];
    return last_.offset == 0 && gate.handler == last_.symbol->run;
  }
  const uint64_t address = last_.symbol->address + last_.offset;
  if (probes.addresses.count(address) != 0) return true;
  const std::pair<uint64_t, uint64_t> call = {address, event.cpu->regs[Reg::rax]};
  return std::find(probes.syscalls.begin(), probes.syscalls.end(), call) != probes.syscalls.end();
}

bool Watcher::HasChanged(Place& place, Hit* hit) const {
  Watched value = ValueOf(*place.watched);
  if (value == place.value) return false;
  hit->old_value = TextOf(*place.watched, place.value);
  hit->new_value = TextOf(*place.watched, value);
  place.value = std::move(value);
  return true;
}

bool Watcher::IsTrue(const Expression& condition) const {
  const absl::StatusOr<Datum> value = Evaluate(condition, HereAndNow());
  if (!value.ok()) return true;  // as gdb: it is better to stop once too often
  const absl::StatusOr<bool> is_true = kpath::IsTrue(*value);
  return !is_true.ok() || *is_true;
}

// A value that cannot be had is one, too: it changes when it can.
Watcher::Watched Watcher::ValueOf(const Expression& expression) const {
  const Scope scope = HereAndNow();
  const absl::StatusOr<Datum> value = Evaluate(expression, scope);
  if (!value.ok()) return {false, 0, "<not available>"};
  if (value->is_number()) return {true, value->bits, ""};
  return {false, 0, Print(LookOf(scope), *value)};
}

std::string Watcher::TextOf(const Expression& expression, const Watched& value) const {
  if (!value.is_number) return value.text;
  // As a number of its type is printed: an enum by its name, an address in hex.
  const Scope scope = HereAndNow();
  const absl::StatusOr<Datum> now = Evaluate(expression, scope);
  if (!now.ok() || !now->is_number()) return std::to_string(value.bits);
  return Print(LookOf(scope), MakeNumber(*now->type, value.bits));
}

Scope Watcher::HereAndNow() const {
  Scope scope = {.machine = *machine_};
  scope.context = last_.context;
  scope.stacks = &stacks_;
  return scope;
}

}  // namespace kpath::debugger
