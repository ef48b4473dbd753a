// SPDX-License-Identifier: Apache-2.0
//
// Turns the function probes of a machine into calls: for a GraphWriter (text) or a GraphBuilder
// (trees to compare).
//
//   GraphWriter writer(sink, {.cpus = machine.cpus()});
//   GraphListener listener(&writer);
//   machine.AddListener(&listener);
//   machine.Run();
//   machine.RemoveListener(&listener);
//   writer.Finish();
//
// Shown is what tasks do, and the interrupts wherever they arrive; of the idle loops nothing else.
// Where the calls are wanted later, or maybe never, a FunctionRecorder is much cheaper
// (recorded_calls.h).
#pragma once

#include <functional>
#include <map>

#include "sim/machine/machine.h"
#include "sim/trace/call_tree_events.h"
#include "sim/trace/shown_calls.h"

namespace kpath {

class GraphListener : public ProbeListener {
 public:
  // `events` outlives the listener.
  explicit GraphListener(CallEvents* events) : events_(events) {}

  // Leaves out what this context does while it returns true. A call that is left out when it is
  // entered is left out when it returns.
  std::function<bool(const Context&)> hidden;

  void OnProbe(const ProbeEvent& event) override;
  Grain finest_grain() const override { return Grain::kFunction; }

 private:
  void Enter(const ProbeEvent& event, const Context& context);
  void Exit(const ProbeEvent& event, const Context& context);

  ShownCalls& ShownOf(const Context& context);

  CallEvents* const events_;
  std::map<const Context*, ShownCalls> shown_of_;
  const Context* last_context_ = nullptr;
  ShownCalls* last_shown_ = nullptr;
};

}  // namespace kpath
