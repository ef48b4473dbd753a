// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/machine.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/machine/check.h"
#include "sim/machine/function_recorder.h"

namespace kpath {
namespace {

// Returns `quiet`. In a function of its own, so that Record keeps nothing over a call.
ABSL_ATTRIBUTE_NOINLINE bool AddAfterSwitch(FunctionRecorder& recorder,
                                            const FunctionInfo* function, int64_t now_ns,
                                            bool quiet) {
  recorder.GoOn(*current_context);
  recorder.Add(function, now_ns);
  return quiet;
}

}  // namespace

int Machine::NextGlobalSlot() {
  static std::atomic<int> next = 0;
  const int slot = next++;
  KPATH_CHECK(slot < kMaxGlobals, "more KernelGlobals than a machine has room for");
  return slot;
}

Machine::Machine(int cpus, std::unique_ptr<Chooser> chooser) : chooser_(std::move(chooser)) {
  KPATH_CHECK(cpus >= 1 && cpus <= kMaxCpus, absl::StrCat(cpus, " CPUs"));
  boot_context_ = std::make_unique<Context>(*this, nullptr);
  for (int id = 0; id < cpus; ++id) cpus_.push_back(std::make_unique<Cpu>(*this, id));
  boot_context_->cpu = cpus_[0].get();
  last_cpu_ = cpus - 1;
  UpdateDeadline();
}

Machine::~Machine() {
  EnterMachine enter(*this);
  // Who watched may be gone already.
  listeners_.clear();
  heard_ = {};
  recorder_ = nullptr;
  for (auto owner = global_owners_.rbegin(); owner != global_owners_.rend(); ++owner) {
    globals_[owner->first] = nullptr;
    owner->second.reset();
  }
}

void Machine::SetBootContext(std::unique_ptr<Context> context) {
  context->cpu = cpus_[0].get();
  boot_context_ = std::move(context);
}

// ---- Running ----

Machine::Outcome Machine::Run() { return RunTo(Position(UINT64_MAX)); }

Machine::Outcome Machine::RunTo(Position stop) {
  KPATH_CHECK(current_context == nullptr || current_context == boot_context_.get(),
              "Run is called from outside of simulated code");
  stop_position_ = stop.probes_passed();
  stop_requested_ = false;
  Context* previous = current_context;
  const Outcome outcome = Loop();
  SetCurrentContext(previous);
  stop_position_ = UINT64_MAX;  // due_ may be too early until the next Run, which is no harm
  return outcome;
}

Machine::Outcome Machine::Loop() {
  if (stopped_at_probe_ && probes_passed() < stop_position_) Resume(*cpus_[last_cpu_]);
  while (Cpu* cpu = NextCpu()) Resume(*cpu);
  if (!report_.empty()) return Outcome::kReport;
  if (stop_requested_) return Outcome::kStopped;
  if (probes_passed() >= stop_position_) return Outcome::kPosition;
  return Outcome::kIdle;
}

Cpu* Machine::NextCpu() {
  while (report_.empty() && !stop_requested_ && probes_passed() < stop_position_) {
    if (Cpu* const cpu = PickCpu()) {
      last_cpu_ = cpu->id();
      slice_end_ = UINT64_MAX;
      return cpu;
    }
    if (!AdvanceToNextEvent()) break;
  }
  return nullptr;
}

// The CPU after the one that stepped last has its turn; another choice lets others go first.
Cpu* Machine::PickCpu() {
  if (runnable_cpus_ == 0) return nullptr;
  int skip = Choose(ChoiceKind::kStepCpu, runnable_cpus_);
  int id = last_cpu_;
  while (true) {
    if (++id == cpus()) id = 0;
    Cpu& cpu = *cpus_[id];
    if (cpu.halted()) continue;
    if (skip-- == 0) return &cpu;
  }
}

void Machine::Enter(Cpu& cpu) {
  SetCurrentContext(cpu.running());
  UpdateDeadline();
}

void Machine::Resume(Cpu& cpu) {
  stopped_at_probe_ = false;
  Enter(cpu);
  current_context->fiber_->Resume();
  KPATH_CHECK(!current_context->fiber_->ended(), "a context's body returned");
}

void Machine::LetOthersStep() {
  Fiber& here = *current_context->fiber_;
  Cpu* const next = NextCpu();
  if (next == nullptr) return LeaveFiber();
  Enter(*next);
  if (current_context->fiber_.get() != &here) here.SwitchTo(*current_context->fiber_);
}

void Machine::LeaveFiber() { current_context->fiber_->Suspend(); }

void Machine::RequestStop() {
  stop_requested_ = true;
  UpdateDeadline();
}

void Machine::SetSlice(int probes) {
  KPATH_CHECK(probes >= 1 && probes <= kMaxSliceProbes, "a slice of ", probes, " probes");
  slice_probes_ = static_cast<uint64_t>(probes);
}

void Machine::Panic(std::string report) {
  if (report_.empty()) report_ = decorate_report ? decorate_report(report) : std::move(report);
  KPATH_CHECK(current_context->fiber_ != nullptr,
              absl::StrCat("while the machine was set up: ", report_));
  LeaveFiber();
  KPATH_CHECK(false, "code of a stopped machine ran on");
  __builtin_unreachable();
}

bool Machine::Relax() {
  if (runnable_cpus_ > 1) {
    LetOthersStep();
    return true;
  }
  if (events_.empty()) return false;
  AdvanceToNextEvent();
  return true;
}

// ---- Choices ----

int Machine::Choose(ChoiceKind kind, int options) {
  if (options <= 1) return 0;
  const uint64_t index = questions_++;
  if (chooser_ == nullptr) return 0;
  const int pick = chooser_->Choose(index, kind, options);
  KPATH_CHECK(pick >= 0 && pick < options, "a chooser picked ", pick);
  if (pick != 0) choices_.push_back({index, kind, options, pick});
  return pick;
}

void Machine::SetChooser(std::unique_ptr<Chooser> chooser) { chooser_ = std::move(chooser); }

// ---- Time ----

uint64_t Machine::ScheduleEvent(int64_t time_ns, EventQueue::Action event) {
  const uint64_t id = events_.Schedule(time_ns, std::move(event));
  UpdateDeadline();
  return id;
}

bool Machine::CancelEvent(uint64_t id) {
  if (!events_.Cancel(id)) return false;
  UpdateDeadline();
  return true;
}

bool Machine::AdvanceToNextEvent() {
  if (events_.empty()) return false;
  clock_base_ns_ += std::max<int64_t>(0, events_.first_time_ns() - now_ns());
  RunDueEvents();
  return true;
}

bool Machine::EventIsDue() const { return !events_.empty() && events_.first_time_ns() <= now_ns(); }

void Machine::RunDueEvents() {
  if (running_events_ || !EventIsDue()) return;
  running_events_ = true;
  while (EventIsDue()) events_.TakeFirst()();
  running_events_ = false;
  UpdateDeadline();
}

int64_t Machine::NextDue() const {
  const Context* const context = is_current() ? current_context : nullptr;
  const bool interrupt =
      context != nullptr && context->cpu != nullptr && context->cpu->interrupt_pending();
  if (interrupt || stop_requested_) return 0;
  uint64_t due = std::min<uint64_t>(std::min(stop_position_, slice_end_), INT64_MAX);
  if (!events_.empty()) {
    const int64_t wait_ns = std::max<int64_t>(0, events_.first_time_ns() - clock_base_ns_);
    due = std::min<uint64_t>(due, (wait_ns + kNsPerProbe - 1) / kNsPerProbe);
  }
  return static_cast<int64_t>(due);
}

void Machine::UpdateDeadline() {
  if (runnable_cpus_ > 1 && slice_end_ == UINT64_MAX) slice_end_ = probes_passed() + slice_probes_;
  due_ = NextDue();
  for (int grain = 0; grain < kGrains; ++grain) {
    arrive_from_[grain] = heard_[grain] ? 0 : due_;
  }
  const int64_t last_quiet = (listening() || recorder_ != nullptr ? 0 : due_) - 1;
  (is_current() ? probes_left : probes_left_) += last_quiet - last_quiet_;
  last_quiet_ = last_quiet;
}

// ---- Probes ----

void Machine::AddListener(ProbeListener* listener) {
  listeners_.push_back({listener, listener->finest_grain()});
  ListenersChanged();
}

void Machine::RemoveListener(ProbeListener* listener) {
  std::erase_if(listeners_, [&](const Attachment& one) { return one.listener == listener; });
  ListenersChanged();
}

void Machine::ListenersChanged() {
  for (int grain = 0; grain < kGrains; ++grain) {
    heard_[grain] = std::any_of(listeners_.begin(), listeners_.end(), [&](const Attachment& one) {
      return static_cast<int>(one.finest) >= grain;
    });
  }
  UpdateDeadline();
}

void Machine::SetRecorder(FunctionRecorder* recorder) {
  recorder_ = recorder;
  if (recorder != nullptr) recorder->Switch();
  UpdateDeadline();
}

bool Machine::MustArrive(Grain grain) {
  const Machine& machine = *current_context->machine;
  return machine.last_quiet_ - probes_left >= machine.arrive_from_[static_cast<int>(grain)];
}

bool Machine::Record(const FunctionInfo* function) {
  const Machine& machine = *current_context->machine;
  FunctionRecorder* const recorder = machine.recorder_;
  if (recorder == nullptr) return false;
  const int64_t position = machine.last_quiet_ - probes_left;
  const int64_t now_ns = machine.clock_base_ns_ + position * kNsPerProbe;
  const bool quiet = position < machine.arrive_from_[static_cast<int>(Grain::kFunction)];
  if (!recorder->Add(function, now_ns)) [[unlikely]]
    return AddAfterSwitch(*recorder, function, now_ns, quiet);
  return quiet;
}

bool Machine::PassUnheardInstructions(int count) {
  const int64_t from = arrive_from_[static_cast<int>(Grain::kInstruction)];
  if (last_quiet_ - probes_left + count >= from) return false;
  probes_left -= count;
  return true;
}

void Machine::TellAll(const ProbeEvent& event) const {
  for (const Attachment& one : listeners_) {
    const bool probe =
        event.kind != ProbeEvent::Kind::kTaskSwitch && event.kind != ProbeEvent::Kind::kNote;
    if (!probe || IsOfGrain(event.kind, one.finest)) one.listener->OnProbe(event);
  }
}

void Machine::Arrive(ProbeEvent::Kind kind, const FunctionInfo* function, const StepInfo* step,
                     const void* instruction, absl::Span<const Value> values) {
  Context* context = current_context;
  if (!listeners_.empty()) {
    TellAll({kind, position(), now_ns(), context->cpu, function, step, instruction, values});
  }
  if (static_cast<int64_t>(probes_passed()) >= due_) DoWhatIsDue(context);
}

void Machine::DoWhatIsDue(Context* context) {
  if (context->fiber_ != nullptr && (probes_passed() >= stop_position_ || stop_requested_)) {
    stopped_at_probe_ = true;
    LeaveFiber();
  }
  // Who is unwound in the middle (Context's destructor) passes the ends of its functions: nothing
  // happens to it any more, and what would happen to others may find them gone.
  if (context->fiber_ == nullptr && context != boot_context_.get()) return;
  RunDueEvents();
  if (context->fiber_ == nullptr) return;
  if (context->cpu->interrupt_pending()) context->cpu->DeliverPendingInterrupts();
  if (probes_passed() >= slice_end_ && runnable_cpus_ > 1) {
    LetOthersStep();  // and has looked again at what is due, then
  } else {
    UpdateDeadline();
  }
}

void Machine::Tell(ProbeEvent::Kind kind, const StepInfo* step, absl::Span<const Value> values) {
  if (listeners_.empty()) return;
  TellAll({kind, position(), now_ns(), current_context->cpu, nullptr, step, nullptr, values});
}

void FunctionProbe::Enter(std::initializer_list<Value> arguments) {
  try {
    current_context->machine->Arrive(ProbeEvent::Kind::kFunctionEnter, &current_function->info_,
                                     nullptr, nullptr,
                                     absl::MakeConstSpan(arguments.begin(), arguments.size()));
  } catch (...) {
    // Who is unwound in a constructor has no destructor that would do it.
    current_function = current_function->caller_;
    throw;
  }
}

void FunctionProbe::Leave() {
  FunctionProbe& left = *current_function;
  current_function = left.caller_;
  if (!Machine::Record(nullptr)) left.Exit();
}

void FunctionProbe::Exit() {
  const bool has_result = result_kind_ != Value::Kind::kNone;
  const Value result = has_result ? Value{result_kind_, result_bits_} : Value{};
  current_context->machine->Arrive(ProbeEvent::Kind::kFunctionExit, &info_, nullptr, nullptr,
                                   absl::MakeConstSpan(&result, has_result ? 1 : 0));
}

void StepProbe(const StepInfo& info, std::initializer_list<Value> values) {
  const FunctionInfo* function = current_function == nullptr ? nullptr : &current_function->info();
  current_context->machine->Arrive(ProbeEvent::Kind::kStep, function, &info, nullptr,
                                   absl::MakeConstSpan(values.begin(), values.size()));
}

}  // namespace kpath
