// SPDX-License-Identifier: Apache-2.0
//
// One line of function_graph text, taken apart. Part of the reader; others use graph_reader.h.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "sim/trace/call_tree.h"

namespace kpath {

// "comm-pid" as ftrace writes it.
struct GraphTask {
  absl::string_view comm;
  int pid = -1;
};

// The views refer to the text that was parsed.
struct GraphLine {
  enum class Kind : uint8_t {
    kNothing,         // blank, "# ...", "/* remark */", dashes
    kEnter,           // "name() {"
    kLeaf,            // "name();"
    kExit,            // "}" or "} /* name */"
    kSwitch,          // " 0)  swapper-0  =>  kworker-5"
    kInterruptBegin,  // "==========> |"
    kInterruptEnd,    // "<========== |"
    kLostEvents,      // "CPU:0 [LOST 12 EVENTS]"
  };

  Kind kind = Kind::kNothing;
  int cpu = 0;
  int column = 1;          // of the function, from 1
  uint32_t number = 0;     // of the line, from 1; set by the caller
  size_t depth = 0;        // of the function: 0 the outermost
  absl::string_view name;  // empty: a bare "}"
  int64_t duration_ns = kUnknownTime;
  int64_t time_ns = kUnknownTime;  // the absolute time column
  bool has_task_column = false;
  GraphTask task;      // kSwitch: who comes; otherwise the task column
  GraphTask previous;  // kSwitch: who leaves
};

struct GraphLineError {
  int column = 0;  // from 1
  std::string message;
};

// Parses `text`, one line without its line feed. Returns false and fills `error` if it is none of
// the above.
bool ParseGraphLine(absl::string_view text, GraphLine* line, GraphLineError* error);

}  // namespace kpath
