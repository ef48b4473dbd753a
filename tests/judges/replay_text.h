// SPDX-License-Identifier: Apache-2.0
//
// For tests: replays a transcript that stands in the test or in a file.
#pragma once

#include <string>

#include "sim/trace/call_tree.h"
#include "tools/transcript/replay/replayer.h"

namespace kpath {

// The text of a file; a failure of the test if there is none.
std::string ReadOrFail(const std::string& path);
// Replays `text`, whose name is `name` in messages. REQUIRES: it is good input.
ReplayReport ReplayText(const std::string& name, const std::string& text);
// The message that refuses `text` before anything runs; empty if it is good input.
std::string Refusal(const std::string& name, const std::string& text);
// The same, and what the trace shows: its text as `kpath run` prints it, or the calls.
struct Replayed {
  ReplayReport report;
  std::string graph;
};
Replayed ReplayWithGraph(const std::string& name, const std::string& text);
// The calls of a scenario in a file, of which all must be legal.
Graph GraphOfScenario(const std::string& path);
// What is not legal, a paragraph each.
std::string Describe(const ReplayReport& report);

}  // namespace kpath
