// SPDX-License-Identifier: Apache-2.0
//
// kpath syscalls: number, ABI, entry point of each system call, and how faithfully it is modelled.
#include <sys/ioctl.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "syscall_table/syscalls_report.h"
#include "tools/kpath/command.h"

namespace kpath {
namespace {

// Columns of the terminal behind standard output; 0: it is none.
int TerminalWidth() {
  winsize size = {};
  if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

int Syscalls(const SyscallsReportOptions& options) {
  const absl::StatusOr<std::string> text = RenderSyscalls(options);
  if (!text.ok()) return BadInput(text.status());
  std::fputs(text->c_str(), stdout);
  return kExitGood;
}

}  // namespace

void AddSyscallsCommand(CLI::App* app, int* status) {
  auto options = std::make_shared<SyscallsReportOptions>();
  options->width = TerminalWidth();
  CLI::App* command = app->add_subcommand(
      "syscalls", "List the system calls, their entry points, and how far each is modelled");
  command->add_option("--abi", options->abi, "only those of this ABI: common, 64 or x32");
  command->add_option("--name", options->name, "only those whose name contains this text");
  command->add_flag("--modelled", options->modelled, "only those that are modelled");
  command->footer("Exit status: 0, or 2 for bad options.");
  command->callback([options, status] { *status = Syscalls(*options); });
}

}  // namespace kpath
