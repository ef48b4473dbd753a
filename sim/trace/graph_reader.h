// SPDX-License-Identifier: Apache-2.0
//
// Reads what ftrace's function_graph tracer wrote: recordings of real kernels, and what
// GraphWriter writes.
//
//   absl::StatusOr<Graph> graph = LoadGraph("io_submit.graph");
//   graph->streams[0].calls.name(0);  // "do_syscall_64"
//
// Read are: the CPU, task, duration and absolute time columns (all but the duration column may be
// missing), "name();", "name() {", "}" and "} /* name */", switch lines ("a-1 => b-2"), interrupt
// marks ("==========> |"), remarks, "[LOST n EVENTS]", and comment lines with '#'. Two spaces are
// one level of calls.
//
// Interrupts. A call of a function that IsInterruptEntry, or that follows an interrupt mark, and
// all inside it, is cut out of the call that it interrupted and becomes a root call in the stream
// of the CPU's interrupts.
//
// Tasks. A switch line tells who comes and who leaves; the first task on a CPU has no name until it
// is left. Only the task column follows a task that moves between CPUs from its first line on. Text
// from which the marks of task switches were removed is split like this. The first function that a
// task traces after a switch is finish_task_switch, at the task's own depth; it is called for
// nothing else. So each such line ends the current task's part and begins that of another. The
// lines up to the next such line show, innermost first, which calls the task closes that it had
// opened before. It is the task that was left earlier on this CPU, has as many open calls as the
// line is deep, and has them by those names; if several fit, the one with the most names known; of
// equals, the one whose closing duration agrees best with the durations printed since its entry;
// then the one left last. If none fits, it is a task not seen before: the callers it must have had
// are calls whose entry was not recorded (CallNode::entered is false); their names come from their
// closing lines. A new process begins with schedule_tail instead.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/trace/call_tree.h"

namespace kpath {

// Parses `text`. `file` names it in errors, which are one line:
//   FILE:LINE:COLUMN: what is wrong, what was expected
absl::StatusOr<Graph> ReadGraph(absl::string_view text, absl::string_view file);

// Reads the file at `path`.
absl::StatusOr<Graph> LoadGraph(const std::string& path);

}  // namespace kpath
