// SPDX-License-Identifier: Apache-2.0
//
// kpath syscalls: number, ABI, entry point of each system call, and how faithfully it is modelled.
#include <sys/ioctl.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "absl/strings/str_split.h"
#include "syscall_table/abi_numbers.h"
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

// A column of the 64-bit table or the whole 32-bit one; else ABIs side by side.
bool IsListed(const std::string& abi) {
  return abi.empty() || abi == "common" || abi == "64" || abi == "x32" || abi == "i386";
}

absl::StatusOr<std::string> Render(const SyscallsReportOptions& options) {
  if (IsListed(options.abi)) return RenderSyscalls(options);
  if (options.abi == "all") return RenderAbis(AllAbis(), options.name);
  return RenderAbis(absl::StrSplit(options.abi, ','), options.name);
}

int Syscalls(const SyscallsReportOptions& options) {
  const absl::StatusOr<std::string> text = Render(options);
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
  command->add_option("--abi", options->abi,
                      "only those of this ABI: common, 64, x32 or i386; or the calls of native AIO "
                      "side by side: some of x86_64,x32,i386,generic,ia64, or all");
  command->add_option("--name", options->name, "only those whose name contains this text");
  command->add_flag("--modelled", options->modelled, "only those that are modelled");
  command->footer("Exit status: 0, or 2 for bad options.");
  command->callback([options, status] { *status = Syscalls(*options); });
}

}  // namespace kpath
