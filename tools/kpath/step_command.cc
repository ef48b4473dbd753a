// SPDX-License-Identifier: Apache-2.0
//
// kpath step: a debugger for the run that a transcript holds.
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/debugger/script.h"
#include "tools/debugger/session.h"
#include "tools/debugger/terminal.h"
#include "tools/debugger/timeline.h"
#include "tools/kpath/command.h"

namespace kpath {
namespace {

struct StepFlags {
  std::string file;
  std::vector<std::string> scripts;
  bool batch = false;
};

// Columns where there is no terminal to ask.
constexpr int kPlainWidth = 100;

int ScreenWidth() {
  winsize size;
  if (isatty(1) == 0 || ioctl(1, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kPlainWidth;
  return size.ws_col;
}

debugger::SessionOptions MakeOptions() {
  debugger::SessionOptions options;
  options.out = [](absl::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  };
  options.width = ScreenWidth();
  const char* no_color = std::getenv("NO_COLOR");
  options.color = isatty(1) != 0 && (no_color == nullptr || *no_color == '\0');
  const char* sources = std::getenv("KPATH_SOURCES");
  options.sources = sources == nullptr ? "." : sources;
  return options;
}

absl::Status RunAll(const StepFlags& flags, debugger::Session& session) {
  // Where the output is no terminal, as in `… -x SCRIPT | less`, nobody would see a prompt.
  const bool only_scripts = isatty(0) != 0 && isatty(1) == 0 && !flags.scripts.empty();
  for (const std::string& script : flags.scripts) {
    absl::Status status = debugger::RunScriptFile(session, script);
    if (session.over()) return status;
    if (status.ok()) continue;
    if (flags.batch || only_scripts || isatty(0) == 0) return status;
    // There is somebody to go on from here.
    session.Print(absl::StrCat(status.message(), "\n"));
    break;
  }
  if (flags.batch || only_scripts) return absl::OkStatus();
  if (isatty(0) == 0) return debugger::RunScript(session, std::cin, "standard input");
  if (flags.scripts.empty()) session.Print("help lists the commands; quit, or ^D, leaves.\n");
  debugger::RunAtTerminal(session);
  return absl::OkStatus();
}

int Step(const StepFlags& flags) {
  std::signal(SIGPIPE, SIG_DFL);  // `kpath step … | head` ends with head
  const absl::StatusOr<strace::Transcript> transcript = LoadTranscript(flags.file);
  if (!transcript.ok()) return BadInput(transcript.status());
  absl::StatusOr<std::unique_ptr<debugger::Timeline>> timeline =
      debugger::Timeline::Start(*transcript);
  if (!timeline.ok()) return BadInput(timeline.status());
  Progress progress("at position");
  (*timeline)->progress = [&progress](uint64_t position) { progress.Show(position, 0); };
  debugger::SessionOptions options = MakeOptions();
  options.moved = [&progress] { progress.Done(); };
  debugger::Session session(**timeline, std::move(options));
  const absl::Status status = RunAll(flags, session);
  return status.ok() ? kExitGood : BadInput(status);
}

}  // namespace

void AddStepCommand(CLI::App* app, int* status) {
  auto flags = std::make_shared<StepFlags>();
  CLI::App* command = app->add_subcommand("step", "Step through a recorded run, forwards and back");
  command->add_option("FILE", flags->file, "a transcript, as strace -f -v prints it")->required();
  command
      ->add_option("-x,--command", flags->scripts,
                   "carry out the commands in this file, then those that are typed; may be "
                   "given several times")
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--batch", flags->batch, "end after the files of -x");
  command->footer(
      "The commands are gdb's: break, watch, step, next, finish, continue, each with its reverse-\n"
      "twin; print, display, x, bt, info; goto POSITION. `help` lists them.\n"
      "Without a terminal, commands are read from standard input and shown before what they do;\n"
      "the first that fails ends the session.\n\n"
      "Exit status: 0 all was done, 2 bad input: a transcript or a command that cannot be used.");
  command->callback([flags, status] { *status = Step(*flags); });
}

}  // namespace kpath
