// SPDX-License-Identifier: Apache-2.0
//
// kpath run: replays a transcript, shows the path of each call, judges each result.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "sim/trace/graph_writer.h"
#include "tools/kpath/command.h"
#include "tools/kpath/steps_writer.h"
#include "tools/transcript/replay/replayer.h"

namespace kpath {
namespace {

struct RunFlags {
  std::string file;
  std::string trace = "graph";
  std::string out;
  bool quiet = false;
};

// "alarm (5), kill" of the calls that nobody judged.
std::string AsRecorded(const ReplayReport& report) {
  std::string text;
  for (const auto& [name, count] : report.as_recorded) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", name,
                    count == 1 ? "" : absl::StrCat(" (", count, ")"));
  }
  return text;
}

std::string Summary(const std::string& file, const ReplayReport& report) {
  size_t as_recorded = 0;
  for (const auto& [name, count] : report.as_recorded) as_recorded += count;
  std::string text =
      absl::StrCat(file, ": ", report.calls, report.calls == 1 ? " call, " : " calls, ",
                   report.legal, " legal, ", report.illegal.size(), " not legal");
  if (as_recorded != 0) {
    absl::StrAppend(&text, ", ", as_recorded,
                    " not judged, replayed as recorded: ", AsRecorded(report));
  }
  if (report.taken_by_program != 0) {
    absl::StrAppend(&text, "; ", report.taken_by_program,
                    " events read from the ring without a call");
  }
  if (report.inferred_cpus != 0) {
    absl::StrAppend(&text, "; on ", report.inferred_cpus, " CPUs, as line ",
                    report.inferred_cpus_line, " shows");
  }
  if (!report.assumed_descriptors.empty()) {
    absl::StrAppend(&text, "; open though no call shown opened them:");
    for (const auto& [fd, line] : report.assumed_descriptors) {
      absl::StrAppend(&text, " fd ", fd, " (line ", line, ")");
    }
  }
  absl::StrAppend(&text, "\n");
  for (const auto& [path, done] : report.disks) absl::StrAppend(&text, path, ": ", done, "\n");
  return text;
}

int PrintReport(const RunFlags& flags, const ReplayReport& report) {
  for (const IllegalResult& illegal : report.illegal) {
    std::fputs(ToString(illegal, flags.file).c_str(), stderr);
  }
  if (!report.kernel_report.empty()) {
    for (const auto& [line, call] : report.kernel_report_during) {
      std::fprintf(stderr, "%s:%u: %s\n", flags.file.c_str(), line, call.c_str());
    }
    std::fprintf(stderr, "  the simulated kernel reports:\n%s\n", report.kernel_report.c_str());
    return kExitKernelBug;
  }
  if (!flags.quiet) std::fputs(Summary(flags.file, report).c_str(), stderr);
  return report.illegal.empty() ? kExitGood : kExitBad;
}

int Run(const RunFlags& flags) {
  const absl::StatusOr<strace::Transcript> transcript = LoadTranscript(flags.file);
  if (!transcript.ok()) return BadInput(transcript.status());

  absl::StatusOr<std::unique_ptr<Output>> output = Output::Open(flags.out, flags.file);
  if (!output.ok()) return BadInput(output.status());
  const auto sink = [&output](absl::string_view text) { (*output)->Write(text); };

  Progress progress("calls replayed");
  ReplayOptions options;
  options.progress = [&progress](size_t done, size_t all) { progress.Show(done, all); };
  GraphWriter graph(sink, {});
  StepsWriter steps(sink);
  if (flags.trace == "graph") options.calls = &graph;
  if (flags.trace == "steps") options.probes = &steps;

  absl::StatusOr<std::unique_ptr<Replayer>> replayer = Replayer::Create(*transcript, options);
  if (!replayer.ok()) return BadInput(replayer.status());
  if (flags.trace == "graph") graph.Header();
  const ReplayReport report = (*replayer)->Run();
  if (flags.trace == "graph") graph.Finish();
  if (absl::Status status = (*output)->Close(); !status.ok()) return BadInput(status);
  return PrintReport(flags, report);
}

}  // namespace

void AddRunCommand(CLI::App* app, int* status) {
  auto flags = std::make_shared<RunFlags>();
  CLI::App* command = app->add_subcommand(
      "run", "Replay a recorded run, show the path of every call, judge every result");
  command->add_option("FILE", flags->file, "a transcript, as strace -f -v prints it")->required();
  command->add_option("--trace", flags->trace, "what to show of the path: graph, steps or none")
      ->check(CLI::IsMember({"graph", "steps", "none"}))
      ->capture_default_str();
  command->add_option("--out", flags->out, "write the trace to this file, not to standard output");
  command->add_flag("--quiet", flags->quiet, "no summary; results that are not legal are told");
  command->footer(
      "Lines of the transcript that set up the machine, anywhere in it:\n"
      "  # kpath: cpus=2 seed=7              CPUs; a course of events other than the ordinary one\n"
      "  # kpath: slice=1                    how many probes a CPU passes before the next (64)\n"
      "  # kpath: x32=n                      a kernel without the x32 ABI\n"
      "  # kpath: latency=250us              of a disk that no line describes\n"
      "  # kpath: file /data/x size=1M       a file of zeros that is there from the start\n"
      "  # kpath: device /dev/vda driver=virtio_blk size=16M latency=80us   a disk\n"
      "                (driver=null_blk has timeout=, which loses requests; virtio_blk has not:\n"
      "                its driver has no timeout handler, a lost request would never end)\n"
      "  # kpath: sysctl fs.aio-max-nr=100   the limit of events of all AIO contexts\n\n"
      "Exit status: 0 every result is legal, 1 one is not, 2 bad input, 3 the simulated kernel\n"
      "reported a bug of its own.");
  command->callback([flags, status] { *status = Run(*flags); });
}

}  // namespace kpath
