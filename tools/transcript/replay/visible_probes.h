// SPDX-License-Identifier: Apache-2.0
//
// What a run shows: the probes of the recorded calls, without those of the replay's own doings.
#pragma once

#include <map>
#include <set>

#include "sim/machine/context.h"
#include "sim/machine/probe.h"
#include "sim/trace/call_tree.h"

namespace kpath {

// Passes probes on, but for those of hidden contexts; of a CPU's idle task, what an interrupt does
// there.
class VisibleProbes : public ProbeListener {
 public:
  VisibleProbes(ProbeListener* listener, const std::set<const Context*>& hidden)
      : listener_(listener), hidden_(hidden) {}
  void OnProbe(const ProbeEvent& event) override {
    const bool idle = current_context->id() == 0;
    if (idle ? IsOfInterrupt(event) : hidden_.count(current_context) == 0) {
      listener_->OnProbe(event);
    }
  }

 private:
  // The idle task itself is C++ code: the only instructions in it are those of the ways in and out.
  bool IsOfInterrupt(const ProbeEvent& event) {
    using Kind = ProbeEvent::Kind;
    if (event.kind == Kind::kInstruction) return true;
    int& depth = depth_[current_context];
    if (event.kind == Kind::kFunctionEnter) {
      return depth > 0 || IsInterruptEntry(event.function->name) ? ++depth > 0 : false;
    }
    if (event.kind == Kind::kFunctionExit) return depth > 0 ? depth-- > 0 : false;
    return depth > 0;
  }

  ProbeListener* const listener_;
  const std::set<const Context*>& hidden_;
  std::map<const Context*, int> depth_;  // functions that an interrupt of an idle task is in
};

}  // namespace kpath
