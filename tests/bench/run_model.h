// SPDX-License-Identifier: Apache-2.0
//
// Runs a program on a simulated machine to measure what it does again and again, with nobody
// listening or with a trace.
#pragma once

#include <functional>
#include <string>

#include "benchmark/benchmark.h"
#include "entry/boot.h"
#include "sim/machine/function_recorder.h"
#include "sim/trace/graph_listener.h"
#include "sim/trace/graph_writer.h"
#include "tools/kpath/steps_writer.h"

namespace kpath {

// A mebibyte of them, about what ftrace has for a CPU.
inline constexpr size_t kRecords = 1 << 16;

enum class Traced {
  kNothing,       // nobody listens
  kFunctions,     // calls, kept in a FunctionRecorder
  kText,          // calls, written as function_graph and thrown away
  kInstructions,  // every probe, written as text and thrown away
};

// Runs `body` as a program of a machine with `options`; it makes its own loop over `state`. The end
// of the machine is not measured.
inline void RunModel(benchmark::State& state, Traced traced, const SystemOptions& options,
                     const std::function<void()>& body) {
  System system(options);
  size_t written = 0;
  const auto sink = [&written](absl::string_view text) { written += text.size(); };
  FunctionRecorder functions(kRecords);
  GraphWriter writer(sink, {});
  GraphListener text(&writer);
  StepsWriter steps(sink);
  if (traced == Traced::kFunctions) system.machine().SetRecorder(&functions);
  if (traced == Traced::kText) system.machine().AddListener(&text);
  if (traced == Traced::kInstructions) system.machine().AddListener(&steps);
  system.Start("bench", body);
  const std::string report = system.RunUntilIdle();
  if (!report.empty()) state.SkipWithError(report.c_str());
}

}  // namespace kpath
