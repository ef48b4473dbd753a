// SPDX-License-Identifier: Apache-2.0
//
// kpath compare: holds a real kernel's function graph against the model's.
#include <unistd.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sim/trace/call_tree_builder.h"
#include "sim/trace/graph_reader.h"
#include "tools/compare/compare.h"
#include "tools/compare/side_by_side.h"
#include "tools/kpath/command.h"
#include "tools/transcript/replay/replayer.h"

namespace kpath {
namespace {

struct CompareFlags {
  std::string recorded;
  std::string file;
  std::string root;
};

// The graph of a replay whose every result is legal.
absl::StatusOr<Graph> GraphOfReplay(const std::string& file) {
  const absl::StatusOr<strace::Transcript> transcript = LoadTranscript(file);
  if (!transcript.ok()) return transcript.status();
  GraphBuilder builder;
  Progress progress("calls replayed");
  ReplayOptions options;
  options.calls = &builder;
  options.progress = [&progress](size_t done, size_t all) { progress.Show(done, all); };
  absl::StatusOr<std::unique_ptr<Replayer>> replayer = Replayer::Create(*transcript, options);
  if (!replayer.ok()) return replayer.status();
  const ReplayReport report = (*replayer)->Run();
  if (!report.AllLegal()) {
    return absl::FailedPreconditionError(absl::StrCat(
        file,
        ": not every result is legal, so the graphs cannot be of the same calls; see: kpath run ",
        file));
  }
  return builder.Take();
}

int Compare(const CompareFlags& flags) {
  const absl::StatusOr<Graph> recorded = LoadGraph(flags.recorded);
  if (!recorded.ok()) return BadInput(recorded.status());
  const absl::StatusOr<Graph> model = GraphOfReplay(flags.file);
  if (!model.ok()) return BadInput(model.status());
  CompareOptions options;
  options.root = flags.root;
  const absl::StatusOr<CompareResult> result = Compare(*recorded, *model, options);
  if (!result.ok()) {
    return BadInput(absl::InvalidArgumentError(
        absl::StrCat(flags.recorded, " and ", flags.file, ": ", result.status().message())));
  }
  const std::string text =
      Report(*recorded, *model, options, *result, ViewForTerminal(STDOUT_FILENO));
  absl::StatusOr<std::unique_ptr<Output>> output = Output::Open("", "");
  if (!output.ok()) return BadInput(output.status());
  (*output)->Write(text);
  if (absl::Status status = (*output)->Close(); !status.ok()) return BadInput(status);
  return result->equal() ? kExitGood : kExitBad;
}

}  // namespace

void AddCompareCommand(CLI::App* app, int* status) {
  auto flags = std::make_shared<CompareFlags>();
  CLI::App* command = app->add_subcommand(
      "compare", "Hold a real kernel's call graph against the model's graph of the same calls");
  command->add_option("RECORDED", flags->recorded, "a recording of ftrace's function_graph tracer")
      ->required();
  command->add_option("FILE", flags->file, "a transcript that makes the same calls")->required();
  command->add_option("--root", flags->root,
                      "compare only the K-th call of NAME on both sides: NAME or NAME:K");
  command->footer("Exit status: 0 equal, 1 not equal, 2 bad input.");
  command->callback([flags, status] { *status = Compare(*flags); });
}

}  // namespace kpath
