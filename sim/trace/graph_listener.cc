// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/graph_listener.h"

#include <algorithm>

#include "sim/trace/call_tree.h"

namespace kpath {

void GraphListener::OnProbe(const ProbeEvent& event) {
  const Context& context = *current_context;
  if (event.kind == ProbeEvent::Kind::kFunctionEnter) Enter(event, context);
  if (event.kind == ProbeEvent::Kind::kFunctionExit) Exit(event, context);
}

void GraphListener::Enter(const ProbeEvent& event, const Context& context) {
  OpenCalls& open = open_[&context];
  const bool inside_shown = std::find(open.begin(), open.end(), true) != open.end();
  const bool interrupt = IsInterruptEntry(event.function->name);
  const bool wanted = interrupt || inside_shown || context.id() != 0;
  const bool shown = wanted && !(hidden && hidden(context) && !interrupt && !inside_shown);
  open.push_back(shown);
  if (shown) {
    events_->Enter(event.cpu->id(), context.label(), context.id(), event.function->name,
                   event.time_ns);
  }
}

void GraphListener::Exit(const ProbeEvent& event, const Context& context) {
  OpenCalls& open = open_[&context];
  if (open.empty()) return;  // entered before anybody listened
  const bool shown = open.back();
  open.pop_back();
  if (shown) events_->Exit(event.cpu->id(), context.id(), event.time_ns);
}

}  // namespace kpath
