// SPDX-License-Identifier: Apache-2.0
//
// Makes calls of what a FunctionRecorder kept: as text (GraphWriter), or as a tree (GraphBuilder).
// They are the calls that a GraphListener would have told, which was attached in its place.
//
//   FunctionRecorder recorder;
//   system.machine().SetRecorder(&recorder);
//   ... run ...
//   GraphWriter writer([](absl::string_view text) { std::cout << text; }, {.cpus = 1});
//   TellCalls(recorder, &writer);
//   writer.Finish();
#pragma once

#include "sim/machine/function_recorder.h"
#include "sim/trace/call_tree_events.h"

namespace kpath {

void TellCalls(const FunctionRecorder& recorder, CallEvents* events);

}  // namespace kpath
