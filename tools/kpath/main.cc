// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "tools/kpath/command.h"

namespace {

// "kpath run" when that command was given, "kpath" before.
std::string CommandName(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? "kpath" : absl::StrCat("kpath ", chosen.front()->get_name());
}

// One line: what is wrong, and where to read more.
std::string Complaint(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  const std::string name = CommandName(app);
  std::string what = error.what();
  if (name == "kpath") {
    const bool named = argc > 1 && argv[1][0] != '-';
    what = named ? absl::StrCat("there is no command '", argv[1], "'")
                 : "expected a command: run, step, compare, diff-host, syscalls or check-table";
    if (argc > 1 && !named) what = absl::StrCat("there is no option '", argv[1], "'");
  }
  return absl::StrCat(name, ": ", what, "; see: ", name, " --help\n");
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // `kpath run … | head` ends when all is judged
  CLI::App app(
      "One simulated x86-64 Linux v4.19 computer: follow system calls and AIO through the kernel",
      "kpath");
  app.require_subcommand(1);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND [OPTIONS]");
  int status = kpath::kExitBadInput;
  kpath::AddRunCommand(&app, &status);
  kpath::AddStepCommand(&app, &status);
  kpath::AddCompareCommand(&app, &status);
  kpath::AddDiffHostCommand(&app, &status);
  kpath::AddSyscallsCommand(&app, &status);
  kpath::AddCheckTableCommand(&app, &status);
  app.footer("All about one command: kpath COMMAND --help");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help
      app.exit(error);
      return kpath::kExitGood;
    }
    std::fputs(Complaint(app, error, argc, argv).c_str(), stderr);
    return kpath::kExitBadInput;
  }
  return status;
}
