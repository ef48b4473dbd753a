// SPDX-License-Identifier: Apache-2.0
//
// One simulated computer: CPUs, memory, a clock, pending hardware events, and the probes through
// which a run is watched, stopped and varied. It knows no kernel; Boot() (entry/boot.h) installs
// one.
//
//   Machine machine(2);              // two CPUs
//   Boot(machine);
//   ... create tasks ...
//   Machine::Outcome outcome = machine.Run();
//
// Time is virtual: it advances by kNsPerProbe with each probe and jumps to the next event when all
// CPUs are halted. Nothing depends on the host's clock, addresses or random numbers; what the
// machine leaves open goes through Choose.
//
// Thread safety: a machine is used by one host thread at a time. Several machines may live in one
// process, in several threads.
//
// Invariants
//   1. The position only grows, by one per probe, whether or not anybody listens.
//   2. Events are carried out in the order of (time, order in which they were scheduled).
//   3. With nobody listening and nothing due, passing a probe is one increment and one branch.
//   4. After a report (Panic) no simulated code runs any more.
//   5. Stopping never changes the run: a machine stops at a probe before anything else happens
//      there, and goes on in the middle of the same CPU's slice, without a choice.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/types/span.h"
#include "sim/machine/choice.h"
#include "sim/machine/context.h"
#include "sim/machine/cpu.h"
#include "sim/machine/event_queue.h"
#include "sim/machine/fiber.h"
#include "sim/machine/memory.h"
#include "sim/machine/position.h"
#include "sim/machine/probe.h"
#include "sim/machine/probe_list.h"

namespace kpath {

class FunctionRecorder;

class Machine {
 public:
  static constexpr int64_t kNsPerProbe = 10;
  static constexpr int kMaxCpus = 64;
  static constexpr int kSliceProbes = 64;
  static constexpr int kMaxSliceProbes = 1'000'000;

  // `cpus`: 1 .. kMaxCpus. `chooser` answers the machine's questions; none: the ordinary course.
  explicit Machine(int cpus = 1, std::unique_ptr<Chooser> chooser = nullptr);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // ---- Parts ----
  Memory memory;
  StackPool stacks;
  int cpus() const { return static_cast<int>(cpus_.size()); }
  Cpu& cpu(int id) { return *cpus_[id]; }
  Context& boot_context() { return *boot_context_; }
  // The kernel's own kind of boot context (its init_task). REQUIRES: nothing has run yet.
  void SetBootContext(std::unique_ptr<Context> context);

  // ---- Running ----
  enum class Outcome {
    kIdle,      // all CPUs are halted and nothing is pending: nothing will ever happen again
    kPosition,  // the position asked for was reached
    kStopped,   // RequestStop was called
    kReport,    // the kernel reported a bug of its own: report()
  };
  // Must be called from outside of simulated code. May be called again to go on.
  Outcome Run();
  // Runs until the position is `stop` or greater.
  Outcome RunTo(Position stop);
  // Makes Run return at the next probe; called by a listener, at the probe that it is told of.
  void RequestStop();
  // How many probes a CPU passes, from its next slice on, before another running CPU has its turn:
  // 1 … kMaxSliceProbes, kSliceProbes if not said. A part of the run, as the number of CPUs is:
  // with fewer they are interleaved more finely, with more a run of several CPUs takes the host
  // less time.
  void SetSlice(int probes);

  // Stops the machine for good. `report` is in the kernel's style: one line that says what, then
  // details. Called by simulated code that finds an invariant of the kernel broken.
  [[noreturn]] void Panic(std::string report);
  // The text given to Panic; empty while all is well.
  const std::string& report() const { return report_; }
  // Called with the report's text before the machine stops, to add what only the kernel knows
  // (process, call trace). Set by Boot.
  std::function<std::string(const std::string&)> decorate_report;

  // ---- Choices ----
  // Returns 0 .. options - 1. A question with one option is not asked.
  int Choose(ChoiceKind kind, int options);
  // The answers that were not 0, so far: the whole run, for a ReplayChooser.
  const ChoiceLog& choices() const { return choices_; }
  void SetChooser(std::unique_ptr<Chooser> chooser);

  // ---- Time ----
  Position position() const { return Position(probes_passed()); }
  int64_t now_ns() const {
    return clock_base_ns_ + static_cast<int64_t>(probes_passed()) * kNsPerProbe;
  }
  // Calls `event` when now_ns() >= time_ns, as the hardware would: on the CPU that steps then,
  // between two of its probes. It may raise interrupts and schedule events, and must not pass
  // probes. Returns an id for CancelEvent.
  uint64_t ScheduleEvent(int64_t time_ns, EventQueue::Action event);
  // Returns false if the event has already been carried out.
  bool CancelEvent(uint64_t id);

  // ---- Probes ----
  // `listener` must outlive its attachment. Attaching does not change the run.
  void AddListener(ProbeListener* listener);
  void RemoveListener(ProbeListener* listener);
  bool listening() const { return !listeners_.empty(); }
  // Keeps the functions that are entered and left in `recorder`, which must outlive its attachment;
  // null: no more. Does not change the run, and costs less than a listener.
  void SetRecorder(FunctionRecorder* recorder);

  // Counts a probe of the machine whose context executes. Returns true if somebody may have to be
  // told: then call Arrive.
  static bool PassProbe() { return --probes_left < 0; }
  // Whether Arrive has something to do at a probe of that grain that was just passed.
  static bool MustArrive(Grain grain);
  // A function was entered, or (null) left, and PassProbe returned true. Returns true if Arrive is
  // not to be called.
  static bool Record(const FunctionInfo* function);
  // Counts `count` probes at once. Returns false, and counts none, if somebody has to be told of
  // one of them, or if something is due at one.
  static bool PassQuietProbes(int count) {
    if (probes_left < count) [[unlikely]]
      return false;
    probes_left -= count;
    return true;
  }
  // Counts `count` instruction probes at once. Returns false, and counts none, if somebody has to
  // be told of one of them, or if something is due at one.
  static bool PassInstructions(int count) {
    return PassQuietProbes(count) || current_context->machine->PassUnheardInstructions(count);
  }
  // Takes back the last `count` of them, which were not come to.
  static void UnpassInstructions(int count) { probes_left += count; }
  // The slow half of a probe: tells the listeners, carries out what is due, lets another CPU step.
  void Arrive(ProbeEvent::Kind kind, const FunctionInfo* function, const StepInfo* step,
              const void* instruction, absl::Span<const Value> values);
  // Tells the listeners something without being a probe.
  void Tell(ProbeEvent::Kind kind, const StepInfo* step, absl::Span<const Value> values);

  // A CPU waits in a loop for another one: lets the others step. Returns false if there is no other
  // CPU that could and nothing is pending, so that the wait would never end.
  bool Relax();

 private:
  friend class Cpu;
  friend void SetCurrentContext(Context* context);
  template <typename T>
  friend class KernelGlobal;

  Outcome Loop();
  Cpu* PickCpu();
  // Lets time pass until a CPU can step, and gives it a slice. Null: Run returns.
  Cpu* NextCpu();
  // Makes what the CPU runs the current context.
  void Enter(Cpu& cpu);
  void Resume(Cpu& cpu);
  // The current context's CPU has stepped for now: goes straight to the next one's stack. Returns
  // when the context steps again.
  void LetOthersStep();
  bool AdvanceToNextEvent();
  bool EventIsDue() const;
  void RunDueEvents();
  // Makes Run look at what has come about.
  void LeaveFiber();
  void DoWhatIsDue(Context* context);
  bool is_current() const { return current_context != nullptr && current_context->machine == this; }
  uint64_t probes_passed() const {
    return static_cast<uint64_t>(last_quiet_ - (is_current() ? probes_left : probes_left_));
  }
  // Recomputes when the next probe has to take the slow path.
  void UpdateDeadline();
  void ListenersChanged();
  void TellAll(const ProbeEvent& event) const;
  int64_t NextDue() const;
  bool PassUnheardInstructions(int count);

  std::vector<std::unique_ptr<Cpu>> cpus_;
  std::unique_ptr<Context> boot_context_;
  std::unique_ptr<Chooser> chooser_;
  ChoiceLog choices_;
  uint64_t questions_ = 0;

  // The position at which something other than telling is to be done; the last one that a probe
  // comes to without taking the slow path; and how many probes are left until then, while none of
  // the machine's contexts executes. A probe counts only these down: with a branch on the sign that
  // is two instructions.
  int64_t due_ = 0;
  static constexpr int kGrains = 3;
  std::array<int64_t, kGrains> arrive_from_ = {};  // 0 where a listener hears the grain, else due_
  int64_t last_quiet_ = 0;
  int64_t probes_left_ = 0;
  uint64_t stop_position_ = UINT64_MAX;
  uint64_t slice_probes_ = kSliceProbes;
  uint64_t slice_end_ = UINT64_MAX;
  int64_t clock_base_ns_ = 0;

  EventQueue events_;

  struct Attachment {
    ProbeListener* listener;
    Grain finest;
  };
  std::vector<Attachment> listeners_;
  FunctionRecorder* recorder_ = nullptr;
  std::array<bool, kGrains> heard_ = {};  // whether one of them hears the grain
  std::string report_;
  bool stop_requested_ = false;
  bool stopped_at_probe_ = false;  // the CPU that stepped last is in the middle of its slice
  bool running_events_ = false;
  int last_cpu_ = 0;
  int runnable_cpus_ = 0;  // started and not halted

  // What the KernelGlobals refer to, by slot; and who owns it, in the order it was made.
  static constexpr int kMaxGlobals = 256;
  static int NextGlobalSlot();
  std::array<void*, kMaxGlobals> globals_ = {};
  std::vector<std::pair<int, std::shared_ptr<void>>> global_owners_;
};

// Global state of a kernel subsystem, one per machine: what Linux keeps in a static variable.
// Made on first use, destroyed with the machine, last made first destroyed.
//
//   KernelGlobal<aio_globals> aio;   // at namespace scope
//   aio->aio_nr += 1;
template <typename T>
class KernelGlobal {
 public:
  KernelGlobal() : slot_(Machine::NextGlobalSlot()) {}
  T* operator->() const { return &Get(*current_context->machine); }
  T& operator*() const { return Get(*current_context->machine); }
  ABSL_ATTRIBUTE_ALWAYS_INLINE T& Get(Machine& machine) const {
    void* const global = machine.globals_[slot_];
    return global != nullptr ? *static_cast<T*>(global) : Make(machine);
  }

 private:
  [[gnu::cold, gnu::noinline]] T& Make(Machine& machine) const {
    auto owner = std::make_shared<T>();
    T& value = *owner;
    machine.globals_[slot_] = &value;
    machine.global_owners_.emplace_back(slot_, std::move(owner));
    return value;
  }

  const int slot_;
};

// ---- The probes themselves ----

// Entry and exit of a modelled function; made by FUNCTION, named `fn`.
class FunctionProbe {
 public:
  template <typename Arguments>
  FunctionProbe(const FunctionInfo& info, Arguments&& arguments)
      : info_(info), caller_(current_function) {
    current_function = this;
    if (Machine::PassProbe() && !Machine::Record(&info)) [[unlikely]] {
      arguments([](auto... values) { Enter({MakeValue(values)...}); });
    }
  }
  // May throw: a task that is destroyed while it waits here is unwound (fiber.h).
  ~FunctionProbe() noexcept(false) {
    if (Machine::PassProbe()) [[unlikely]] {
      Leave();
    } else {
      current_function = caller_;
    }
  }
  FunctionProbe(const FunctionProbe&) = delete;
  FunctionProbe& operator=(const FunctionProbe&) = delete;

  // `return fn.Return(x);` shows x as the function's result: a negative integer by the errno's
  // name.
  template <typename T>
  T Return(T value) {
    if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
      KeepResult(Value::Result(value));
    } else {
      KeepResult(MakeValue(value));
    }
    return value;
  }

  const FunctionInfo& info() const { return info_; }
  const FunctionProbe* caller() const { return caller_; }

 private:
  // Of the innermost function: who calls needs no register for where it is.
  [[gnu::cold]] static void Enter(std::initializer_list<Value> arguments);
  static void Leave();
  [[gnu::cold]] void Exit();
  void KeepResult(Value result) {
    result_kind_ = result.kind;
    result_bits_ = result.bits;
  }

  const FunctionInfo& info_;
  FunctionProbe* const caller_;
  // A Value in two parts: the bits are not even cleared where there is no result.
  Value::Kind result_kind_ = Value::Kind::kNone;
  uint64_t result_bits_;
};

[[gnu::cold]] void StepProbe(const StepInfo& info, std::initializer_list<Value> values);

}  // namespace kpath

// At the top of a modelled function: its probe. The arguments shown are those named.
#define FUNCTION(...)                                                                         \
  static constexpr ::kpath::FunctionInfo kpath_function_info = {__func__, __FILE__, __LINE__, \
                                                                #__VA_ARGS__};                \
  KPATH_LIST_PROBE(kpath_function_info);                                                      \
  [[maybe_unused]] ::kpath::FunctionProbe fn(kpath_function_info,                             \
                                             [&](auto&& show) { show(__VA_ARGS__); })

// All of a modelled function that does nothing but return `result`: one count for entry and exit
// where both are quiet. `result` must not depend on the time, and must not be able to report: the
// report would not name the function.
//
//   bool vring_use_dma_api() { FUNCTION_RETURNS(false); }
#define FUNCTION_RETURNS(result, ...)                  \
  if (::kpath::Machine::PassQuietProbes(2)) [[likely]] \
    return result;                                     \
  FUNCTION(__VA_ARGS__);                               \
  return fn.Return(result)

// A named step inside a modelled function: a check, a lock, a store to shared state.
#define STEP(label, ...)                                                                           \
  do {                                                                                             \
    static constexpr ::kpath::StepInfo kpath_step_info = {label, __FILE__, __LINE__,               \
                                                          #__VA_ARGS__};                           \
    KPATH_LIST_PROBE(kpath_step_info);                                                             \
    if (::kpath::Machine::PassProbe() && ::kpath::Machine::MustArrive(::kpath::Grain::kStatement)) \
        [[unlikely]] {                                                                             \
      [](auto... values) {                                                                         \
        using ::kpath::MakeValue;                                                                  \
        ::kpath::StepProbe(kpath_step_info, {MakeValue(values)...});                               \
      }(__VA_ARGS__);                                                                              \
    }                                                                                              \
  } while (false)
