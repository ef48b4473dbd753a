// SPDX-License-Identifier: Apache-2.0
//
// Replays a transcript on a simulated machine and judges every result.
//
//   absl::StatusOr<strace::Transcript> transcript = strace::ParseTranscript(name, text);
//   absl::StatusOr<std::unique_ptr<Replayer>> replayer = Replayer::Create(*transcript, {});
//   if (!replayer.ok()) …  // bad input: one line, nothing has run
//   ReplayReport report = (*replayer)->Run();
//
// Each recorded process is a process of the machine whose program makes the recorded calls. Calls
// begin in the order of the transcript, and a call begins only when those have ended that had ended
// before it in the recording; what overlapped, overlaps. A call that is not modelled, or that opens
// something outside of the model, is replayed as recorded: SYSCALL is executed where there is a
// number for it, and what the program sees is what the transcript says.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/machine/machine.h"
#include "sim/trace/call_tree_events.h"
#include "tools/transcript/replay/plan.h"
#include "tools/transcript/replay/scenario.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath {

struct ReplayOptions {
  // Told what the run's calls are, as they happen; may be null. Must outlive the replayer.
  CallEvents* calls = nullptr;
  // Told of every probe outside of the replay's own doings; may be null.
  ProbeListener* probes = nullptr;
  // Called when a process comes to a call, before the call is made; may be empty.
  std::function<void(int pid, const strace::Call& call)> begins;
  // Called now and then, with how many of the steps have begun.
  std::function<void(size_t begun, size_t all)> progress;
};

// A result that is not legal.
struct IllegalResult {
  uint32_t line = 0;
  std::string call;  // as recorded, without the result
  std::string recorded;
  std::string simulated;
  std::string reason;  // may be empty
};

// As `kpath run` tells it: `FILE:LINE: call`, and below it, a line each, what was recorded, what
// was simulated, and the reason.
std::string ToString(const IllegalResult& illegal, const std::string& file);

struct ReplayReport {
  size_t calls = 0;  // all of the transcript
  size_t legal = 0;
  std::map<std::string, int> as_recorded;  // not executed or not modelled: name, how often
  std::vector<IllegalResult> illegal;
  // Descriptors that are in use though no call of the transcript made them, with the first line
  // that shows it: inherited, or made by calls that a filter left out.
  std::map<int, uint32_t> assumed_descriptors;
  std::string kernel_report;  // a bug that the simulated kernel found in itself
  // The calls that had begun and not ended then: line and text.
  std::vector<std::pair<uint32_t, std::string>> kernel_report_during;
  // Events that the program must have taken from the ring by itself, as io_submit took more than
  // fits beside them.
  size_t taken_by_program = 0;
  int inferred_cpus = 0;  // if the transcript shows on how many CPUs it was made
  uint32_t inferred_cpus_line = 0;
  // The scenario's disks: path, and what each has done.
  std::vector<std::pair<std::string, std::string>> disks;

  bool AllLegal() const { return illegal.empty() && kernel_report.empty(); }
};

class Replayer {
 public:
  // `transcript` and what `options` refer to must outlive the replayer. Errors are one line each,
  // "FILE:LINE:COLUMN: what is wrong, what was expected".
  static absl::StatusOr<std::unique_ptr<Replayer>> Create(const strace::Transcript& transcript,
                                                          const ReplayOptions& options);
  virtual ~Replayer() = default;

  // To the end. May be called once.
  ReplayReport Run() {
    Start();
    machine().Run();
    return Finish();
  }

  // For who runs the machine in pieces, between these two. Both may be called once.
  virtual void Start() = 0;
  // REQUIRES: the machine's Run has returned kIdle or kReport.
  virtual ReplayReport Finish() = 0;

  virtual Machine& machine() = 0;
};

}  // namespace kpath
