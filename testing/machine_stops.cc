// SPDX-License-Identifier: Apache-2.0
//
// Run to here, step, and where it is, of machine.h.
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "entry/disassemble.h"
#include "entry/instruction_step.h"
#include "syscall_table/ia32_sys_call_table.h"
#include "syscall_table/sys_call_table.h"
#include "testing/machine.h"
#include "testing/machine_impl.h"
#include "testing/recorder.h"

namespace kpath::testing {
namespace {

using Kind = ProbeEvent::Kind;

bool IsProbe(const ProbeEvent& event) {
  return event.kind == Kind::kInstruction || event.kind == Kind::kStep ||
         event.kind == Kind::kFunctionEnter || event.kind == Kind::kFunctionExit;
}

const InstructionStep& InstructionOf(const ProbeEvent& event) {
  return *static_cast<const InstructionStep*>(event.instruction);
}

// "fs_aio/submit.cc:12", wherever the build found the file.
std::string SourceText(absl::string_view file, int line) {
  const size_t external = file.find("external/kpath/");
  if (external != absl::string_view::npos) file.remove_prefix(external + strlen("external/kpath/"));
  return absl::StrCat(file, ":", line);
}

bool IsNamed(const ProbeEvent& event, absl::string_view name) {
  switch (event.kind) {
    case Kind::kFunctionEnter:
      return event.function->name == name;
    case Kind::kStep:
      return event.step->label == name;
    case Kind::kInstruction:
      return InstructionOf(event).offset == 0 && InstructionOf(event).symbol->name == name;
    default:
      return false;
  }
}

// True if the CPU is at the first instruction of a system call of this name.
bool BeginsSyscall(const ProbeEvent& event, absl::string_view name) {
  if (event.kind != Kind::kInstruction || InstructionOf(event).offset != 0) return false;
  const char* const entry = InstructionOf(event).symbol->name;
  if (!IsSyscallEntry(entry)) return false;
  uint64_t number = SyscallNumber(*event.cpu);
  const bool is_64 = std::strcmp(entry, "entry_SYSCALL_64") == 0;
  constexpr uint64_t kX32SyscallBit = 0x40000000;
  if (is_64) number &= ~kX32SyscallBit;
  const SysCallTable& table = is_64 ? *sys_call_table : *ia32_sys_call_table;
  return number < table.size() && table[number].name != nullptr && table[number].name == name;
}

}  // namespace

// ---- Places ----

Place PlaceOf(const ProbeEvent& event) {
  const Context& context = *current_context;
  Place place;
  place.position = event.position;
  place.time_ns = event.time_ns;
  place.cpu = event.cpu->id();
  place.pid = context.id();
  place.task = std::string(context.label());
  if (event.function != nullptr) place.function = event.function->name;
  place.entered = event.kind == Kind::kFunctionEnter;
  place.left = event.kind == Kind::kFunctionExit;
  if (event.kind == Kind::kStep) {
    place.label = event.step->label;
    place.source = SourceText(event.step->file, event.step->line);
  } else if (event.kind == Kind::kInstruction) {
    place.label = Locate(*InstructionOf(event).symbol, InstructionOf(event).offset);
    if (context.function() != nullptr) place.function = context.function()->info().name;
  } else {
    place.source = SourceText(event.function->file, event.function->line);
  }
  return place;
}

std::string Place::ToString() const {
  if (time_ns < 0) return "nowhere: the machine has not been stopped";
  std::string text = absl::StrCat(position.ToString(), " ");
  if (entered || left) {
    absl::StrAppend(&text, entered ? "where " : "at the end of ", function,
                    entered ? " is entered" : "");
  } else {
    absl::StrAppend(&text, "at ", label, function.empty() ? "" : " in ", function);
  }
  absl::StrAppend(&text, ", task ", task, " (pid ", pid, ") on CPU ", cpu);
  if (!source.empty()) absl::StrAppend(&text, " (", source, ")");
  return text;
}

std::ostream& operator<<(std::ostream& os, const Place& place) { return os << place.ToString(); }

// ---- The listener ----

void Stopper::OnProbe(const ProbeEvent& event) {
  if (wanted_ == nullptr || !IsProbe(event) || !wanted_(event)) return;
  wanted_ = nullptr;
  place_ = PlaceOf(event);
  context_ = current_context;
  back_trace_.clear();
  for (const FunctionProbe* f = current_function; f != nullptr; f = f->caller()) {
    back_trace_.push_back(f->info().name);
  }
  // Where a function is left, the probe of its caller is the innermost.
  if (place_.left) back_trace_.insert(back_trace_.begin(), place_.function);
  machine_->RequestStop();
}

void Stopper::Forget() {
  place_ = {};
  back_trace_.clear();
  context_ = nullptr;
}

// ---- Running ----

bool Machine::Impl::GoOn() {
  const bool to_a_place = stopper.armed();
  if (to_a_place) machine().AddListener(&stopper);
  while (true) {
    SendDueSignals();
    const Position next = signals.empty() ? Position(UINT64_MAX) : signals.front().position;
    const ::kpath::Machine::Outcome outcome = machine().RunTo(next);
    const bool at_place = to_a_place && !stopper.armed();
    const bool ended = outcome == ::kpath::Machine::Outcome::kIdle ||
                       outcome == ::kpath::Machine::Outcome::kReport;
    if (!at_place && !ended) continue;
    if (outcome == ::kpath::Machine::Outcome::kIdle && SendSignalOfTheIdle()) continue;
    if (to_a_place) machine().RemoveListener(&stopper);
    if (!at_place) stopper.Forget();
    stopper.Disarm();
    return at_place;
  }
}

::testing::AssertionResult Machine::Impl::StopAt(Stopper::Wanted wanted, const std::string& what) {
  if (!following_stacks) machine().AddListener(&stacks);
  following_stacks = true;
  stopper.Arm(std::move(wanted));
  if (GoOn()) return ::testing::AssertionSuccess() << stopper.place();
  ::testing::AssertionResult result = ::testing::AssertionFailure();
  result << "the run ended at " << machine().position().ToString() << " and did not come to "
         << what;
  if (!machine().report().empty())
    result << "; the simulated kernel reports:\n" << machine().report();
  return result;
}

::testing::AssertionResult Machine::RunTo(absl::string_view name) {
  return impl_->StopAt(
      [name = std::string(name)](const ProbeEvent& event) { return IsNamed(event, name); },
      absl::StrCat("\"", name, "\""));
}

::testing::AssertionResult Machine::RunTo(Position position) {
  return impl_->StopAt([position](const ProbeEvent& event) { return event.position >= position; },
                       position.ToString());
}

::testing::AssertionResult Machine::RunToSyscall(absl::string_view name) {
  return impl_->StopAt(
      [name = std::string(name)](const ProbeEvent& event) { return BeginsSyscall(event, name); },
      absl::StrCat("the system call \"", name, "\""));
}

::testing::AssertionResult Machine::Step(Grain grain) {
  const Context* const context = impl_->stopper.context();
  const int pid = Where().pid;
  return impl_->StopAt(
      [context, pid, grain](const ProbeEvent& event) {
        const bool same =
            context == nullptr || (current_context == context && context->id() == pid);
        return same && IsOfGrain(event.kind, grain);
      },
      "another step of the task");
}

::testing::AssertionResult Machine::StepOut() {
  const Context* const context = impl_->stopper.context();
  const FunctionProbe* const function = context == nullptr ? nullptr : context->function();
  if (function == nullptr) {
    return ::testing::AssertionFailure() << "there is no function to leave: " << Where();
  }
  // Where it is left, its caller is the innermost function.
  const FunctionProbe* const caller = function->caller();
  const FunctionInfo* const info = &function->info();
  return impl_->StopAt(
      [context, caller, info](const ProbeEvent& event) {
        return event.kind == Kind::kFunctionExit && current_context == context &&
               context->function() == caller && event.function == info;
      },
      absl::StrCat("the end of ", info->name));
}

// ---- Inspecting ----

const Place& Machine::Where() const { return impl_->stopper.place(); }
const std::vector<std::string>& Machine::BackTrace() const { return impl_->stopper.back_trace(); }
const ::kpath::Registers& Machine::Registers() const {
  return impl_->machine().cpu(Where().cpu).regs;
}

}  // namespace kpath::testing
