// SPDX-License-Identifier: Apache-2.0
//
// Writes calls as text in the format of ftrace's function_graph tracer, as they happen:
//
//    0)               |  do_syscall_64() {
//    0)               |    __x64_sys_io_destroy() {
//    0)   1.250 us    |      lookup_ioctx();
//    0)               |      /* EINVAL: no context at 0x7f3a12345000 */
//    0)   4.000 us    |    } /* __x64_sys_io_destroy */
//    0) + 12.500 us   |  } /* do_syscall_64 */
//
//   std::string text;
//   GraphWriter writer([&](absl::string_view part) { absl::StrAppend(&text, part); }, {});
//   writer.Header();
//   writer.Enter(0, "aio", 7, "do_syscall_64", 1000);
//   writer.Exit(0, 7, 6858);
//   writer.Finish();  // text: "...\n 0)   5.858 us    |  do_syscall_64();\n"
//
// An entry is held back until the next event on its CPU, which tells a leaf call ("name();") from
// one with calls inside. So lines of one CPU are in order; those of two CPUs come in the order in
// which they became known. The same events give the same bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "sim/trace/call_tree_events.h"

namespace kpath {

struct GraphWriterOptions {
  int cpus = 1;                // how many the machine has: sets the width of the CPU column
  bool overhead_marks = true;  // + ! # * @ $ before durations above 10 us, 100 us, ... 1 s
  bool closing_names = true;   // "} /* name */" (ftrace's funcgraph-tail) or a bare "}"
  bool task_column = false;    // "comm-pid |" in every line (ftrace's funcgraph-proc)
};

class GraphWriter : public CallEvents {
 public:
  // Takes pieces of text; each call ends with a whole line.
  using Sink = std::function<void(absl::string_view)>;

  GraphWriter(Sink sink, const GraphWriterOptions& options);

  // The lines with '#' that head ftrace's own output. Readers take them as the promise that every
  // change of task on a CPU is marked.
  void Header();

  void Enter(int cpu, absl::string_view comm, int pid, absl::string_view name,
             int64_t time_ns) override;
  void Exit(int cpu, int pid, int64_t time_ns) override;

  // "/* text */", indented as a call would be.
  void Annotate(int cpu, int pid, absl::string_view text) override;

  // Writes what is held back. Calls that are still open stay without a closing line, as in ftrace.
  void Finish();

 private:
  static constexpr int kNotHeldBack = -1;

  struct OpenCall {
    std::string name;
    int64_t start_ns;
    bool interrupt;  // an interrupt begins with it
  };
  struct Task {
    std::string comm;
    int pid = -1;
    std::vector<OpenCall> open;  // the first `depth`; those behind are kept for their memory
    size_t depth = 0;
    int held_back_on = kNotHeldBack;  // the CPU on which the innermost entry waits to be written
  };
  struct CpuState {
    const Task* shown = nullptr;  // whose lines were written last
    Task* held_back = nullptr;    // whose innermost entry waits for the next event
  };

  Task& FindTask(int pid, int cpu);
  void WriteHeldBack(int cpu);
  void MarkSwitch(int cpu, const Task& task);
  void WriteInterruptMark(int cpu, const Task& task, absl::string_view arrow);
  // A line is made in line_, which keeps its memory: from the columns before the duration on, up to
  // its end.
  void BeginLine(int cpu, const Task& task);
  void EndLine();
  void AppendCpu(int cpu);

  const Sink sink_;
  const GraphWriterOptions options_;
  const int cpu_width_;
  std::map<TaskKey, Task> tasks_;
  std::map<int, CpuState> cpus_;
  std::string line_;
};

}  // namespace kpath
