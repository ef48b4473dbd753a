// SPDX-License-Identifier: Apache-2.0
//
// Watches a run for the places that a StopPlan names.
//
//   Watcher watcher;
//   ReplayOptions options{.probes = &watcher};
//   watcher.Attach(replayer->machine());
//   watcher.Arm(plan, Watcher::Mode::kStop);
//   machine.Run();                                    // kStopped: watcher.TakeStop() says why
//
// A machine runs forwards only. To find where a run was last at such a place, it is run again with
// Mode::kRemember, which does not stop, up to where the search began.
//
// Context: a listener. Arm and the results: from outside of the machine.
//
// Invariant: what it is armed with never changes the run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "inspect/call_stacks.h"
#include "inspect/expression.h"
#include "sim/machine/machine.h"
#include "tools/debugger/locations.h"
#include "tools/debugger/stop_plan.h"

namespace kpath::debugger {

// The probe that was passed last.
struct LastProbe {
  ProbeEvent::Kind kind = ProbeEvent::Kind::kNote;
  uint64_t position = 0;
  const Context* context = nullptr;
  const FunctionInfo* function = nullptr;
  const StepInfo* step = nullptr;
  int depth = 0;  // of the frame that it belongs to, from the outermost, which is 1
  Value result;   // of a function's exit; kNone: none
  // Of an instruction.
  const CodeSymbol* symbol = nullptr;
  uint32_t offset = 0;
  const Instruction* instruction = nullptr;
  int stored_bytes = 0;
  uint64_t stored_address = 0;
  uint64_t stored_value = 0;
};

class Watcher : public ProbeListener {
 public:
  enum class Mode { kStop, kRemember };

  // The machine that it is told of, and that it stops. REQUIRES: called before anything else.
  void Attach(Machine& machine) { machine_ = &machine; }

  // Errors: an expression that cannot be parsed.
  absl::Status Arm(const StopPlan& plan, Mode mode);

  // Where it stopped, or the last place that it passed, since Arm. None: it came to no such place.
  // Can be had once.
  absl::optional<Stop> TakeStop() { return std::exchange(stop_, absl::nullopt); }
  const LastProbe& last() const { return last_; }
  const CallStacks& stacks() const { return stacks_; }

  // Asked now and then; true: stop here, though the plan does not say so.
  std::function<bool()> interrupted;

  void OnProbe(const ProbeEvent& event) override;

 private:
  // A value that may have changed: as text only where it is no number.
  struct Watched {
    bool is_number = false;
    uint64_t bits = 0;
    std::string text;
    friend bool operator==(const Watched&, const Watched&) = default;
  };
  struct Place {
    Breakpoint breakpoint;
    ProbesOf probes;
    absl::optional<Expression> condition;
    // Of a watchpoint.
    absl::optional<Expression> watched;
    Watched value;
  };

  void Note(const ProbeEvent& event);
  bool StepIsDone(const ProbeEvent& event) const;
  bool IsAt(const Place& place, const ProbeEvent& event) const;
  bool HasChanged(Place& place, Hit* hit) const;
  bool IsTrue(const Expression& condition) const;
  Watched ValueOf(const Expression& expression) const;
  std::string TextOf(const Expression& expression, const Watched& value) const;
  Scope HereAndNow() const;

  Machine* machine_ = nullptr;
  CallStacks stacks_;
  LastProbe last_;
  Mode mode_ = Mode::kStop;
  Stepping stepping_;
  std::vector<Place> places_;
  absl::optional<Stop> stop_;
  uint64_t passed_ = 0;
};

}  // namespace kpath::debugger
