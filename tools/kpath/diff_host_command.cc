// SPDX-License-Identifier: Apache-2.0
//
// kpath diff-host: random programs of AIO calls, on the host's kernel and on the model.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "tools/diff_host/diff_host.h"
#include "tools/diff_host/generator.h"
#include "tools/diff_host/known_differences.h"
#include "tools/diff_host/random.h"
#include "tools/diff_host/transcript.h"
#include "tools/kpath/command.h"

namespace kpath {
namespace {

using diff_host::DiffHost;
using diff_host::DiffReport;

struct DiffHostFlags {
  uint64_t programs = 1000;
  uint64_t seed = 1;
  absl::optional<uint64_t> program;
  bool known = false;
};

int ListKnown() {
  for (const diff_host::KnownDifference& known : diff_host::KnownDifferences()) {
    std::printf("%s (since %d.%d): %s\n", known.name, known.since.major, known.since.minor,
                known.summary);
  }
  return kExitGood;
}

std::string Summary(const DiffHostFlags& flags, const std::string& release,
                    const DiffReport& report) {
  uint64_t known = 0;
  for (const auto& [name, count] : report.known) known += count;
  std::string text =
      absl::StrCat("seed ", flags.seed, ": ", report.compared,
                   " programs, v4.19 model against Linux ", release, ": ", report.agreed, " agree");
  if (known != 0) absl::StrAppend(&text, ", ", known, " show a known difference");
  if (report.found.has_value()) absl::StrAppend(&text, ", one shows an unexplained difference");
  absl::StrAppend(&text, "\n");
  for (const auto& [name, count] : report.known) {
    absl::StrAppend(&text, "  ", name, " ×", count, "\n");
  }
  if (report.disturbed != 0) {
    absl::StrAppend(&text, "  (", report.disturbed,
                    " differed only the first time, not when they ran alone)\n");
  }
  return text;
}

// Shows one program of the series.
int ShowOne(const DiffHostFlags& flags, DiffHost& diff) {
  diff_host::SeededDecisions decide(flags.seed, *flags.program);
  const diff_host::Program program = diff_host::Generate(decide);
  const diff_host::Verdict verdict = diff.Check(program);
  if (verdict.unexplained()) {
    const DiffReport report =
        diff.Run({.seed = flags.seed, .first = *flags.program, .programs = 1});
    if (report.found.has_value()) {
      std::printf("%s\n%s\n", report.found->transcript.c_str(),
                  ToText(report.found->program, report.found->difference).c_str());
      return kExitBad;
    }
  }
  std::fputs(diff.Show(program).c_str(), stdout);
  if (verdict.known != nullptr) {
    std::printf("%s\nknown difference %s: %s\n", ToText(program, *verdict.difference).c_str(),
                verdict.known->name, verdict.known->summary);
  } else {
    std::printf("the model and the host agree\n");
  }
  return kExitGood;
}

int RunSeries(const DiffHostFlags& flags, const std::string& release, DiffHost& diff) {
  Progress progress("programs compared");
  diff_host::DiffOptions options;
  options.seed = flags.seed;
  options.programs = flags.programs;
  options.progress = [&progress](uint64_t done, uint64_t all) { progress.Show(done, all); };
  const DiffReport report = diff.Run(options);
  if (report.found.has_value()) {
    std::printf("%s\n%s\nrepeat: ./kpath diff-host --seed=%s --program=%s\n",
                report.found->transcript.c_str(),
                ToText(report.found->program, report.found->difference).c_str(),
                absl::StrCat(flags.seed).c_str(), absl::StrCat(report.found->index).c_str());
  }
  std::fputs(Summary(flags, release, report).c_str(), stdout);
  return report.found.has_value() ? kExitBad : kExitGood;
}

int Run(const DiffHostFlags& flags) {
  if (flags.known) return ListKnown();
  absl::StatusOr<std::unique_ptr<diff_host::Host>> host = diff_host::Host::Open();
  if (!host.ok()) {
    std::printf("skipped: %s\n", std::string(host.status().message()).c_str());
    return kExitSkipped;
  }
  diff_host::Model model({.cpus = (*host)->cpus(), .aio_max_nr = (*host)->aio_max_nr()});
  DiffHost diff(**host, model);
  return flags.program.has_value() ? ShowOne(flags, diff)
                                   : RunSeries(flags, (*host)->release(), diff);
}

}  // namespace

void AddDiffHostCommand(CLI::App* app, int* status) {
  auto flags = std::make_shared<DiffHostFlags>();
  CLI::App* command = app->add_subcommand(
      "diff-host", "Run random programs of AIO calls on this computer's kernel and on the model");
  command->add_option("--programs", flags->programs, "how many programs")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--seed", flags->seed, "which series of programs")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command
      ->add_option_function<uint64_t>(
          "--program", [flags](uint64_t index) { flags->program = index; },
          "only this one of the series, and show it")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--known", flags->known,
                    "list the differences between v4.19 and newer kernels that are expected");
  command->footer(
      "A difference is shrunk to the smallest program that shows it and printed as a transcript:\n"
      "results of this computer's kernel, and in comments what the model did, and why.\n"
      "Exit status: 0 they agree but for known differences, 1 they do not, 2 bad options, 6\n"
      "nothing was compared, because this computer has no native AIO of Linux on x86-64; the\n"
      "reason is printed.");
  command->callback([flags, status] { *status = Run(*flags); });
}

}  // namespace kpath
