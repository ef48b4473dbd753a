// SPDX-License-Identifier: Apache-2.0
//
// What a run shows: the probes of the recorded calls, without those of the replay's own doings.
#pragma once

#include <set>

#include "sim/machine/context.h"
#include "sim/machine/probe.h"

namespace kpath {

// Passes probes on, but for those of hidden contexts.
class VisibleProbes : public ProbeListener {
 public:
  VisibleProbes(ProbeListener* listener, const std::set<const Context*>& hidden)
      : listener_(listener), hidden_(hidden) {}
  void OnProbe(const ProbeEvent& event) override {
    const bool idle = current_context->id() == 0;
    if (!idle && hidden_.count(current_context) == 0) listener_->OnProbe(event);
  }

 private:
  ProbeListener* const listener_;
  const std::set<const Context*>& hidden_;
};

}  // namespace kpath
