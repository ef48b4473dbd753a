// SPDX-License-Identifier: Apache-2.0
//
// Whose line is this? Splits the lines of each CPU among the tasks that ran there. Part of the
// reader; others use graph_reader.h, which explains the two ways.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "sim/trace/call_tree_assembler.h"
#include "sim/trace/graph_reader_line.h"

namespace kpath {

// A task as the reader knows it.
struct ReaderTask {
  OpenCalls open;
  bool is_fresh = true;  // how deep it is will be seen from its next line
  int last_cpu = 0;

  // Its open calls are not known any more: they stay in the graph as not returned.
  void Forget() {
    open.frames.clear();
    is_fresh = true;
  }
};

class TaskSplitter {
 public:
  virtual ~TaskSplitter() = default;

  // The task that wrote lines[index]; nullptr for a line that belongs to none. To be called for
  // each line in order, after what the lines before say has been done to their tasks.
  virtual ReaderTask* TaskOf(size_t index) = 0;
};

// True if the text itself marks each change of task: by switch lines or a task column, or because
// its header shows it to be ftrace's own untouched output.
bool TasksAreMarked(const std::vector<GraphLine>& lines, bool has_tracer_header);

// Both keep a reference to `lines` and `assembler`.
std::unique_ptr<TaskSplitter> SplitMarkedTasks(const std::vector<GraphLine>& lines,
                                               GraphAssembler* assembler);
std::unique_ptr<TaskSplitter> SplitUnmarkedTasks(const std::vector<GraphLine>& lines,
                                                 GraphAssembler* assembler);

}  // namespace kpath
