// SPDX-License-Identifier: Apache-2.0
#include <csignal>

#include "tools/kpath/command.h"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // `kpath run … | head` ends when all is judged
  CLI::App app(
      "One simulated x86-64 Linux v4.19 computer: follow system calls and AIO through the kernel",
      "kpath");
  app.require_subcommand(1);
  int status = kpath::kExitBadInput;
  kpath::AddRunCommand(&app, &status);
  kpath::AddCompareCommand(&app, &status);
  kpath::AddDiffHostCommand(&app, &status);
  kpath::AddSyscallsCommand(&app, &status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == 0;  // --help
    app.exit(error);
    return asked ? kpath::kExitGood : kpath::kExitBadInput;
  }
  return status;
}
